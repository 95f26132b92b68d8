import type { AdjustVerdict } from '../../contract/adjustments';
import { byStep, EngineDriver, type DriverOptions } from '../../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../../test/support/plan-builder';

const hangs = { never: true };
const label = { id: 'all' };

/** A run of `before`, and what becomes of asking it to follow `after`. */
function edit(
  before: PlanDraft,
  after: PlanDraft | string,
  {
    kind = 'add_step',
    steps,
    by = 'ana',
    meanwhile = (driver) => driver.run(),
    ...options
  }: DriverOptions & { kind?: 'add_step' | 'edit_step'; steps?: string[]; by?: string; meanwhile?: (driver: EngineDriver) => unknown } = {},
): { driver: EngineDriver; verdict: AdjustVerdict } {
  const driver = new EngineDriver(buildPlan(before), {
    compile: () => (typeof after === 'string' ? after : buildPlan(after)),
    ...options,
  });
  meanwhile(driver);
  const verdict = driver.adjust({ kind, source: 'edited', ...(steps !== undefined && { steps }) }, { by, reason: 'it turned out so' });
  return { driver, verdict };
}

function auditOf(driver: EngineDriver, action: string) {
  return driver.audit().findLast((entry) => entry.action === action);
}

describe('add_step', () => {
  const before = { steps: { a: {}, w: { after: ['a'], approval: true as const } } };

  test('a step that is added runs like any other, and what waits for it waits', () => {
    const after = { steps: { a: {}, extra: { after: ['a'], role: 'tester' }, w: { after: ['a'], approval: true as const } } };
    const { driver, verdict } = edit(before, after);
    expect(verdict).toEqual({
      ok: true,
      reply: { kind: 'add_step', message: 'extra is added', steps: ['extra'], planHash: 'sha256:edited' },
    });
    expect(driver.statesOf()).toEqual({ a: 'passed', extra: 'passed', w: 'waiting_approval' });
    expect(driver.engine.statusView(driver.nowMs)).toMatchObject({
      planHash: 'sha256:edited',
      totals: { steps: 3 },
      adjustments: [{ kind: 'add_step', message: 'extra is added', by: 'ana', reason: 'it turned out so' }],
    });
    expect(auditOf(driver, 'run.adjusted')?.details).toEqual({
      kind: 'add_step',
      planHash: 'sha256:edited',
      planHashBefore: 'sha256:test',
      added: ['extra'],
      changed: [],
      message: 'extra is added',
    });
    expect(driver.changes.findLast(({ run }) => run !== undefined)?.run?.planHash).toBe('sha256:edited');
    driver.vote('w', 'approve');
    expect(driver.finished?.status).toBe('completed');
  });

  test('between two steps, of which the second has not started', () => {
    const chain = { steps: { a: {}, b: { after: ['a'] } } };
    const longer = { steps: { a: {}, extra: { after: ['a'] }, b: { after: ['extra'] } } };
    const { driver, verdict } = edit(chain, longer, { meanwhile: (run) => run.pass(500) });
    expect(verdict).toMatchObject({ ok: true, reply: { message: 'extra is added; b is changed', steps: ['extra', 'b'] } });
    expect(driver.order()).toEqual(['a', 'extra', 'b']);
    expect(driver.finished?.status).toBe('completed');
  });

  test('all that a step can be: its own undo, its monitor, its gate', () => {
    const after: PlanDraft = {
      steps: {
        a: {},
        undone: { after: ['a'], compensate: { action: 'revert' } },
        watch: { after: ['undone'], monitor: { durationMs: 30_000 } },
        asked: { after: ['watch'], approval: { approvers: ['bo'] } },
        bad: { after: ['asked'], role: 'tester' },
        w: { after: ['a'], approval: true },
      },
    };
    const driver = new EngineDriver(buildPlan(before), {
      compile: () => buildPlan(after),
      behave: byStep({ bad: { failure: { kind: 'failed' } } }),
      restoreAlways: true,
    }).run();
    driver.askFor({ kind: 'add_step', source: 'edited' }, { reason: 'r' });
    driver.pass(40_000);
    expect(driver.statesOf()).toMatchObject({ watch: 'passed', asked: 'waiting_approval' });
    driver.vote('asked', 'approve', 'bo');
    expect(driver.order()).toEqual(['a', 'w', 'undone', 'asked', 'bad', 'undo undone']);
    expect(driver.finished?.status).toBe('rolled_back');
  });

  test('nobody is assigned while the file is compiled, and one change is made at a time', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: {}, b: { after: ['a'] } } }), { behave: byStep({ a: hangs }) }).pass(500);
    driver.askFor({ kind: 'add_step', source: 'edited' }, { reason: 'r' });
    expect(driver.state.editing).toMatchObject({ kind: 'add_step', by: { id: 'ana' } });
    expect(driver.engine.isQuiet()).toBe(false);
    const request = {
      adjustment: { kind: 'add_agent', role: 'developer', count: 1 },
      by: { kind: 'person', id: 'x' },
      via: 'update',
    } as const;
    expect(driver.engine.judgeAdjustment(request)).toMatchObject({
      code: 'does_not_apply',
      reason: expect.stringContaining('compiled') as string,
    });
    driver.run();
    expect(driver.state.editing).toBeUndefined();
  });

  test('a run that is cancelled while the file is compiled ends as it was', () => {
    const driver = new EngineDriver(buildPlan(before), { compile: () => buildPlan({ steps: { ...before.steps, x: {} } }) }).run();
    let verdict: AdjustVerdict | undefined;
    driver.askFor({ kind: 'add_step', source: 'edited' }, { reason: 'r', answer: (said) => (verdict = said) });
    driver.cancel();
    expect(verdict).toMatchObject({ ok: false, code: 'run_ending' });
    expect(driver.finished?.status).toBe('cancelled');
    expect(driver.statesOf()).not.toHaveProperty('x');
  });

  test('a label that had passed is reopened; a phase that holds something is not', () => {
    const phases = [{ id: 'first' }, { id: 'second' }];
    const steps = { a: { phase: 'first' }, w: { phase: 'second', after: ['a'], approval: true as const } };
    const more = { ...steps, x: { phase: 'first', after: ['a'], approval: true as const } };
    const { driver, verdict } = edit({ phases, steps }, { phases, steps: more });
    expect(verdict.ok).toBe(true);
    expect(auditOf(driver, 'phase.reopened')).toMatchObject({ object: 'first' });
    driver.vote('w', 'approve');
    expect(driver.finished).toBeUndefined();
    driver.vote('x', 'approve');
    expect(driver.finished?.status).toBe('completed');

    const barriers = phases.map((phase) => ({ ...phase, barrier: true }));
    const refused = edit({ phases: barriers, steps }, { phases: barriers, steps: more });
    expect(refused.verdict).toMatchObject({ ok: false, reason: 'the phase first has passed: put x into a later one' });
  });

  test('a phase may be added behind those that have begun', () => {
    const phases = [{ id: 'first', barrier: true }];
    const steps = { w: { phase: 'first', approval: true as const } };
    const more = { ...steps, x: { phase: 'last' } };
    const behind = edit({ phases, steps }, { phases: [...phases, { id: 'last', barrier: true }], steps: more });
    expect(behind.verdict.ok).toBe(true);
    behind.driver.vote('w', 'approve');
    expect(behind.driver.order()).toEqual(['w', 'x']);
    expect(behind.driver.finished?.status).toBe('completed');
    const ahead = edit({ phases, steps }, { phases: [{ id: 'last', barrier: true }, ...phases], steps: { x: more.x, w: more.w } });
    expect(ahead.verdict).toMatchObject({ ok: false, reason: 'the new phase last stands before first, which has begun' });
  });

  test('what can block a deployment holds one that has not begun', () => {
    const plan = (more: PlanDraft['steps']): PlanDraft => ({
      maxConcurrentSteps: 1,
      steps: { ...more, a: {}, d: { deploys: true, priority: 'low' } },
    });
    const { driver, verdict } = edit(plan({}), plan({ check: { role: 'security', canBlockDeployment: true, priority: 'low' } }), {
      meanwhile: (run) => run.pass(500),
    });
    expect(verdict.ok).toBe(true);
    expect(driver.order()).toEqual(['a', 'check', 'd']);
  });
});

describe('edit_step', () => {
  test('a step that waits becomes another, and is done as that one', () => {
    const chain = (b: PlanDraft['steps'][string]): PlanDraft => ({ steps: { a: {}, b: { after: ['a'], ...b }, c: { after: ['b'] } } });
    const { driver, verdict } = edit(chain({}), chain({ role: 'tester', tasks: ['look twice'], count: 2 }), {
      kind: 'edit_step',
      meanwhile: (run) => run.pass(500),
    });
    expect(verdict).toMatchObject({ ok: true, reply: { kind: 'edit_step', message: 'b is changed', steps: ['b'] } });
    expect(driver.launches.map(({ id, launch }) => [id, launch.agent.role])).toEqual([
      ['a#1', 'developer'],
      ['b#1', 'tester'],
      ['b#1.2', 'tester'],
      ['c#1', 'developer'],
    ]);
    expect(driver.engine.stepOf('b')?.tasks).toEqual(['look twice']);
    expect(driver.finished?.status).toBe('completed');
  });

  test('one that waits for a busy agent asks for another one at once', () => {
    const plan = (role: string): PlanDraft => ({ steps: { w: { approval: true }, b: { role } } });
    const { driver } = edit(plan('poet'), plan('tester'), {
      kind: 'edit_step',
      meanwhile: (run) => run.pass(2),
      assign: ({ role }) =>
        role === 'poet'
          ? { kind: 'busy', reason: 'all are busy' }
          : { kind: 'assigned', agent: { id: role, role, skills: [], executor: 'simulate', idempotent: true } },
    });
    expect(driver.stateOf('b')).toBe('passed');
    expect(driver.launches.find(({ step }) => step === 'b')?.launch.agent.id).toBe('tester');
  });

  test('what was said about it was said of another step: votes that came early, and its start, are asked for anew', () => {
    const plan = (tasks: string[]): PlanDraft => ({
      maxConcurrentSteps: 1,
      steps: {
        a: {},
        b: { approval: { when: 'before', approvers: ['bo'] }, tasks, priority: 'low' },
        c: { after: ['a'], approval: true, tasks },
      },
    });
    const { driver, verdict } = edit(plan([]), plan(['more']), {
      kind: 'edit_step',
      behave: byStep({ a: { durationMs: 60_000 } }),
      meanwhile: (run) => {
        run.pass(1);
        run.schedule(run.nowMs + 1, () => run.voteEvent('c', 'approve', 'cy'));
        run.schedule(run.nowMs + 1, () => run.voteEvent('b', 'approve', 'bo'));
        run.pass(2);
        expect(run.stateOf('b')).toBe('ready');
      },
    });
    expect(verdict.ok).toBe(true);
    expect(driver.statesOf()).toMatchObject({ b: 'waiting_approval', c: 'waiting_approval' });
    driver.vote('b', 'approve', 'bo').vote('c', 'approve', 'cy');
    expect(driver.finished?.status).toBe('completed');
  });

  test('an early vote about the edited step counts', () => {
    const plan = (tasks: string[]): PlanDraft => ({
      maxConcurrentSteps: 1,
      steps: { a: {}, b: { after: ['a'], approval: { when: 'before', approvers: ['bo'] }, tasks } },
    });
    const { driver } = edit(plan([]), plan(['more']), { kind: 'edit_step', behave: byStep({ a: hangs }), meanwhile: (run) => run.pass(1) });
    const vote = { gate: 'b', by: 'bo', decision: 'approve', atMs: driver.nowMs, assurance: 'local', via: 'update' } as const;
    expect(driver.engine.judgeVote(vote)).toMatchObject({ ok: true, reply: { effect: 'early' } });
  });

  test('what was parallelized and skipped before stays so', () => {
    const plan = (tasks: string[]): PlanDraft => ({
      steps: { p: {}, a: { after: ['p'] }, b: { after: ['a'], tasks }, o: { after: ['p'], optional: true }, w: { approval: true } },
    });
    const { driver, verdict } = edit(plan([]), plan(['more']), {
      kind: 'edit_step',
      meanwhile: (run) => {
        run.pass(500);
        run.askFor({ kind: 'parallelize', steps: ['a', 'b'] });
        run.askFor({ kind: 'skip_step', step: 'o' });
      },
    });
    expect(verdict.ok).toBe(true);
    expect(driver.statesOf()).toMatchObject({ a: 'passed', b: 'passed', o: 'skipped' });
    const [a, b] = ['a', 'b'].map((id) => driver.launches.find(({ step }) => step === id)?.atMs);
    expect(a).toBe(b);
  });

  test('a dependency that was parallelized away does not come back unnoticed', () => {
    const plan = (after: string[]): PlanDraft => ({ steps: { p: {}, a: { after: ['p'] }, b: { after }, c: { after: ['b'] } } });
    const { verdict } = edit(plan(['p']), plan(['p', 'a']), {
      kind: 'edit_step',
      meanwhile: (run) => {
        run.pass(500);
        run.askFor({ kind: 'parallelize', steps: ['a', 'b', 'c'] });
      },
    });
    expect(verdict).toMatchObject({ ok: false, reason: 'b cannot wait for a: they were parallelized' });
  });
});

describe('is refused, and changes nothing', () => {
  const before: PlanDraft = { steps: { a: {}, w: { after: ['a'], approval: true }, b: { after: ['w'] } } };
  const steps = before.steps;

  test.each<[string, PlanDraft | string, 'add_step' | 'edit_step', string[] | undefined, string]>([
    ['what does not compile', 'line 3: there is no step x', 'edit_step', undefined, 'line 3: there is no step x'],
    ['a change of what has passed', { steps: { ...steps, a: { role: 'tester' } } }, 'edit_step', undefined, 'a is passed'],
    [
      'a change of what waits for people',
      { steps: { ...steps, w: { approval: true, after: ['a'], role: 'x' } } },
      'edit_step',
      undefined,
      'w is waiting_approval',
    ],
    [
      'a dependency for what has started',
      { steps: { x: {}, ...steps, a: { after: ['x'] } } },
      'add_step',
      undefined,
      'a is passed: only what has not started can be changed (depends_on)',
    ],
    ['a step that is gone', { steps: { a: {}, w: { after: ['a'], approval: true } } }, 'edit_step', undefined, 'the file has no b'],
    ['another workflow', { id: 'other', steps }, 'edit_step', undefined, 'the file is of other, and the run of test-plan'],
    [
      'a change elsewhere',
      { maxConcurrentSteps: 3, steps: { ...steps, x: {} } },
      'add_step',
      undefined,
      'the file changes max_concurrent_steps too',
    ],
    ['no change', { title: 'T', steps }, 'edit_step', undefined, 'the steps of the file are those that the run follows already'],
    ['a new step as an edit', { steps: { ...steps, x: {} } }, 'edit_step', undefined, 'the file adds x: that is add_step'],
    ['an edit as a new step', { steps: { ...steps, b: { after: ['w'], role: 'x' } } }, 'add_step', undefined, 'that is edit_step'],
    ['more than was meant', { steps: { ...steps, x: {}, y: {} } }, 'add_step', ['x'], 'the file changes y too'],
    ['less than was meant', { steps: { ...steps, x: {} } }, 'add_step', ['x', 'y'], 'the file does not change y'],
    [
      'another phase',
      { phases: [label, { id: 'other', serial: true }], steps: { ...steps, b: { after: ['w'], phase: 'other' } } },
      'edit_step',
      undefined,
      'b into another phase: it stays in all',
    ],
    [
      'another gate of a phase',
      { phases: [{ ...label, serial: true }], steps: { ...steps, b: { after: ['w'], role: 'x' } } },
      'edit_step',
      undefined,
      'the file changes serial of the phase all',
    ],
  ])('%s', (_, after, kind, named, reason) => {
    const driver = new EngineDriver(buildPlan(before), { compile: () => (typeof after === 'string' ? after : buildPlan(after)) }).run();
    const known = JSON.stringify(driver.state);
    const verdict = driver.adjust({ kind, source: 'edited', ...(named && { steps: named }) }, { reason: 'so' });
    expect(verdict).toMatchObject({
      ok: false,
      code: typeof after === 'string' ? 'invalid_plan' : 'does_not_apply',
      reason: expect.stringContaining(reason) as string,
    });
    expect(JSON.stringify(driver.state)).toBe(known);
    expect(driver.engine.followed.planHash).toBe('sha256:test');
    expect(auditOf(driver, 'adjustment.refused')).toMatchObject({ actor: { id: 'ana' }, details: { kind, said: 'so' } });
  });

  test('what runs, what runs again, and what an agent is being asked for', () => {
    const plan = (role: string): PlanDraft => ({ steps: { a: { role } } });
    const running = edit(plan('x'), plan('y'), { kind: 'edit_step', behave: () => hangs, meanwhile: (run) => run.pass(1) });
    expect(running.verdict).toMatchObject({ ok: false, reason: expect.stringContaining('a is running') as string });
    const again = (role: string): PlanDraft => ({ steps: { a: {}, b: { after: ['a'], role }, w: { approval: true } } });
    let rounds = 0;
    const invalidated = edit(again('x'), again('y'), {
      kind: 'edit_step',
      behave: ({ step }) => (step === 'a' && (rounds += 1) > 1 ? hangs : step === 'b' ? { result: { verdict: 'changes_requested' } } : {}),
    });
    expect(invalidated.verdict).toMatchObject({ ok: false, reason: expect.stringContaining('b is ') as string });
  });

  test('in a run that began by older rules', () => {
    const { verdict } = edit(before, before, { engine: { version: 3 } });
    expect(verdict).toMatchObject({ ok: false, code: 'does_not_apply', reason: expect.stringContaining('began before') as string });
  });
});

describe('what somebody has to decide stays theirs', () => {
  const humans = [{ id: 'max', role: 'decision-maker' }];
  const plan = (b: PlanDraft['steps'][string], d: PlanDraft['steps'][string] = { after: ['b'] }): PlanDraft => ({
    steps: { a: {}, b: { after: ['a'], approval: { approvers: ['bo'] }, ...b }, d },
  });
  const unapproved = buildPlan(plan({}));
  delete unapproved.steps[1]?.approval;

  test.each<[string, PlanDraft, string, boolean]>([
    ['its work may be changed by anybody', plan({ tasks: ['x'] }), 'ana', true],
    ['its approvers only by them', plan({ approval: { approvers: ['ana'] } }), 'ana', false],
    ['and they may', plan({ approval: { approvers: ['ana'] } }), 'bo', true],
    ['whether it runs at all', plan({ optional: true }), 'ana', false],
    ['who waits for it', plan({}, { after: ['a'] }), 'ana', false],
    ['and they may let that go', plan({}, { after: ['a'] }), 'bo', true],
    ['how it fails', plan({}, { after: ['b'], onFailure: 'continue' }), 'ana', false],
    ['which the decision-makers may say', plan({}, { after: ['b'], onFailure: 'continue' }), 'max', true],
    ["how long it may take is nobody's", plan({ canBlockMerge: true, timeoutMs: 5_000 }), 'ana', true],
    ['but who does what can block others', plan({ canBlockMerge: true, role: 'friend' }), 'ana', false],
  ])('%s', (_, after, by, isAllowed) => {
    const { canBlockMerge = false } = after.steps['b'] ?? {};
    const { verdict } = edit(plan({ canBlockMerge }), after, {
      kind: 'edit_step',
      by,
      behave: byStep({ a: hangs }),
      engine: { humans },
      meanwhile: (run) => run.pass(1),
    });
    expect(verdict).toMatchObject(isAllowed ? { ok: true } : { ok: false, code: 'not_approver' });
  });

  test('a step in between waits for it instead', () => {
    const after = plan({}, { after: ['between'] });
    const { d, ...others } = after.steps;
    const steps = { ...others, between: { after: ['b'] }, d: d! };
    const { verdict } = edit(
      plan({}),
      { steps },
      { by: 'ana', engine: { humans }, behave: byStep({ a: hangs }), meanwhile: (run) => run.pass(1) },
    );
    expect(verdict.ok).toBe(true);
  });

  test.each([
    ['ana', false],
    ['max', true],
  ])('a deployment is added by the decision-makers, where there are some: %s', (by, isAllowed) => {
    const { verdict } = edit(plan({}), { steps: { ...plan({}).steps, live: { deploys: true } } }, { by, engine: { humans } });
    expect(verdict.ok).toBe(isAllowed);
  });

  test.each<[string, PlanDraft, PlanDraft]>([
    [
      'an approval by way of a step that anybody may skip',
      { steps: { b: { approval: { approvers: ['bo'] } }, d: { after: ['b'] } } },
      { steps: { b: { approval: { approvers: ['bo'] } }, nop: { after: ['b'], optional: true }, d: { after: ['nop'] } } },
    ],
    [
      'an approval that a step in between waits for',
      { steps: { b: { approval: { approvers: ['bo'] } }, mid: { after: ['b'] }, d: { after: ['mid'] } } },
      { steps: { b: { approval: { approvers: ['bo'] } }, mid: { after: ['b'] }, d: {} } },
    ],
    [
      'what can block a deployment, by letting it wait for that',
      { steps: { b: { after: ['a'], canBlockDeployment: true }, a: {}, d: { deploys: true, after: ['a'] } } },
      { steps: { b: { after: ['d'], canBlockDeployment: true }, a: {}, d: { deploys: true, after: ['a'] } } },
    ],
    [
      'the same by way of another step',
      { steps: { x: { after: ['a'] }, b: { after: ['x'], canBlockDeployment: true }, a: {}, d: { deploys: true, after: ['a'] } } },
      { steps: { x: { after: ['d'] }, b: { after: ['x'], canBlockDeployment: true }, a: {}, d: { deploys: true, after: ['a'] } } },
    ],
    [
      'what its condition is about',
      { steps: { a: {}, d: { after: ['a'], requires: { op: 'metric', name: 'coverage' } } } },
      { steps: { a: {}, fake: { after: ['a'] }, d: { after: ['fake'], requires: { op: 'metric', name: 'coverage' } } } },
    ],
    [
      'whom its decision keeps out',
      { steps: { a: {}, mid: { after: ['a'] }, d: { after: ['a', 'mid'], approval: { approvers: ['ana'], distinctFrom: ['author'] } } } },
      { steps: { a: {}, mid: { after: ['a'] }, d: { after: ['mid'], approval: { approvers: ['ana'] } } } },
    ],
    ['that it deploys', { steps: { a: {}, d: { after: ['a'] } } }, { steps: { a: {}, d: { after: ['a'], deploys: true } } }],
  ])('nobody gets round %s', (_, before, after) => {
    const more: Partial<Parameters<typeof edit>[2]> = { behave: byStep({ a: hangs }), meanwhile: (run: EngineDriver) => run.pass(1) };
    const kind = Object.keys(after.steps).length > Object.keys(before.steps).length ? 'add_step' : 'edit_step';
    const { driver, verdict } = edit(before, after, { kind, by: 'ana', engine: { humans }, ...more });
    expect(verdict).toMatchObject({ ok: false, code: 'not_approver' });
    expect(driver.engine.followed.planHash).toBe('sha256:test');
  });

  test('an approval cannot be left out', () => {
    const driver = new EngineDriver(buildPlan(plan({})), { compile: () => unapproved, behave: byStep({ a: hangs }) }).pass(1);
    expect(driver.adjust({ kind: 'edit_step', source: 'edited' }, { reason: 'r' })).toMatchObject({ ok: false, code: 'not_approver' });
  });
});

describe('in a run that takes signed requests only', () => {
  const humans = [{ id: 'dora', role: 'decision-maker' }];
  const plan = (more: PlanDraft['steps'] = {}): PlanDraft => ({ steps: { w: { approval: { approvers: ['bo'] } }, ...more } });

  function ask(after: PlanDraft, assurance: 'local' | 'verified', by = 'ana') {
    const driver = new EngineDriver(buildPlan(plan()), {
      compile: () => buildPlan(after),
      engine: { signatures: 'required', humans },
    }).run();
    let verdict: AdjustVerdict | undefined;
    driver.send({
      type: 'adjusted',
      atMs: driver.nowMs,
      request: {
        adjustment: { kind: 'add_step', source: 'edited' },
        by: { kind: 'person', id: by, assurance },
        reason: 'r',
        via: 'update',
      },
      answer: (said) => (verdict = said),
    });
    return { driver, verdict };
  }

  test('an edit is signed, or not even compiled', () => {
    const unsigned = ask(plan({ x: {} }), 'local');
    expect(unsigned.verdict).toMatchObject({ ok: false, code: 'unsigned' });
    expect(unsigned.driver.decisions.some(({ type }) => type === 'compilePlan')).toBe(false);
    const signed = ask(plan({ x: {} }), 'verified');
    expect(signed.verdict).toMatchObject({ ok: true, reply: { message: 'x is added' } });
    expect(auditOf(signed.driver, 'run.adjusted')?.actor).toMatchObject({ id: 'ana', assurance: 'verified' });
  });

  test('no step is added that nobody could decide about', () => {
    const { verdict } = ask(plan({ x: { approval: { approvers: ['ivo'] } } }), 'verified');
    expect(verdict).toMatchObject({ ok: false, reason: 'nobody could decide about x, since ivo has started the run' });
  });

  test.each([
    ['dora', true],
    ['ivo', false],
  ])('a deployment is added by a decision-maker who has not started the run: %s', (by, isAllowed) => {
    expect(ask(plan({ live: { deploys: true } }), 'verified', by).verdict?.ok).toBe(isAllowed);
  });
});

test('what a person was asked to do stays asked, and is what it was', () => {
  const plan = (role: string): PlanDraft => ({ steps: { w: { role: 'writer' }, b: { after: ['w'], role } } });
  const { driver, verdict } = edit(plan('developer'), plan('tester'), {
    kind: 'edit_step',
    assign: ({ role }) => ({
      kind: 'assigned',
      agent: { id: role, role, skills: [], executor: role === 'writer' ? 'human' : 'simulate', idempotent: true },
    }),
  });
  expect(verdict).toMatchObject({ ok: true, reply: { message: 'b is changed' } });
  expect(driver.engine.waitsFor()).toEqual(['w:task']);
  driver.send({ type: 'reported', atMs: driver.nowMs, report: { step: 'w', by: 'writer', result: { status: 'success' } } });
  expect(driver.launches.map(({ step, launch }) => [step, launch.agent.role])).toEqual([['b', 'tester']]);
  expect(driver.finished?.status).toBe('completed');
});
