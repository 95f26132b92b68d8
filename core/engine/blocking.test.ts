import { byStep, EngineDriver, startMs, type DriverOptions, type Ending } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';

const run = (
  steps: PlanDraft['steps'],
  endings: Record<string, Ending> = {},
  plan: Partial<PlanDraft> = {},
  options: DriverOptions = {},
): EngineDriver => new EngineDriver(buildPlan({ ...plan, steps }), { behave: byStep(endings), ...options }).run();
const verdict = (value: 'approved' | 'rejected' | 'blocked' | 'changes_requested', reasons: string[] = []): Ending => ({
  result: { verdict: value, reasons },
});
const metric = (name: string): Condition => ({ op: 'metric', name });

describe('verdicts', () => {
  test('are advice where nothing says otherwise', () => {
    expect(run({ a: {}, b: { after: ['a'] } }, { a: verdict('rejected') }).finished).toEqual({ status: 'completed' });
  });

  test.each([
    ['can_block_merge', { canBlockMerge: true }],
    ['can_block_deployment', { canBlockDeployment: true }],
    ['must_pass: 1', { mustPassIsExplicit: true }],
    ['must_pass: all', { mustPassAll: true }],
  ])('block a step with %s', (_, draft) => {
    const driver = run({ a: draft, b: { after: ['a'] }, c: {} }, { a: verdict('rejected', ['SQL injection']) });
    expect(driver.statesOf()).toEqual({ a: 'blocked', b: 'pending', c: 'passed' });
    expect(driver.state.steps['a']?.reason).toContain('SQL injection');
    expect(driver.state.status).toBe('blocked');
    driver.vote('a:blocked', 'approve', 'ana', 'accepted risk');
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.audit()).toContainEqual(
      expect.objectContaining({ action: 'gate.overridden', object: 'a:blocked', reason: 'accepted risk' }),
    );
  });

  test('of several agents, enough in favour are enough', () => {
    const driver = new EngineDriver(
      buildPlan({ steps: { a: { count: 3, mustPassCount: 2, mustPassIsExplicit: true, canBlockMerge: true } } }),
      {
        behave: ({ effect }) => verdict(effect.slot === 2 ? 'rejected' : 'approved'),
      },
    ).run();
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.state.steps['a']?.verdict).toBe('approved');
  });
});

describe('conditions', () => {
  test.each([
    ['false', { ok: false }],
    ['unknown', {}],
  ])('a gate that is %s blocks the step, and says why', (_, metrics) => {
    const driver = run({ a: { gate: metric('ok'), gateText: 'ok' }, b: { after: ['a'] } }, { a: { result: { metrics } } });
    expect(driver.stateOf('a')).toBe('blocked');
    expect(driver.state.steps['a']?.reason).toMatch(/^ok: .*ok/);
    driver.vote('a:blocked', 'approve');
    expect(driver.audit().at(-1)).toMatchObject({ action: 'vote.ignored', reason: expect.stringContaining('needs a reason') });
    expect(driver.vote('a:blocked', 'reject', 'ana').finished).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('step a failed: ok: '),
    });
  });

  test('requires blocks before the step starts; overriding starts it', () => {
    const driver = run(
      { a: {}, b: { after: ['a'], requires: { op: 'quantifier', name: 'all_approved' }, requiresText: 'all_approved' } },
      { a: verdict('rejected') },
    );
    expect(driver.order()).toEqual(['a']);
    expect(driver.state.steps['b']?.reason).toMatch(/^requires all_approved: /);
    expect(driver.vote('b:blocked', 'approve', 'ana', 'fine').order()).toEqual(['a', 'b']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('must_pass: all takes no false metric', () => {
    const driver = run({ a: { mustPassAll: true } }, { a: { result: { metrics: { smoke: false, n: 0 } } } });
    expect(driver.state.steps['a']?.reason).toBe('must_pass all: smoke is false');
  });

  test('if: false or unknown skips, and dependents go on', () => {
    const driver = run({ a: { if: metric('x'), ifText: 'x' }, b: { after: ['a'] } });
    expect(driver.statesOf()).toEqual({ a: 'skipped', b: 'passed' });
  });
});

describe('security_required', () => {
  const steps = { a: { securityReviewers: ['s'] }, s: { role: 'security' }, b: { after: ['a'] } };

  test('waits for the security step, and passes when it has approved', () => {
    const driver = new EngineDriver(buildPlan({ steps }), { behave: byStep({ s: { durationMs: 5_000 } }) });
    driver.pass(2_000);
    expect(driver.state.steps['a']).toMatchObject({ state: 'blocked', reason: 'awaiting s' });
    expect(driver.engine.explain('a')).toMatchObject({ state: 'blocked', waitsFor: ['s'] });
    expect(driver.run().finished).toEqual({ status: 'completed' });
  });

  test.each<[string, Ending, string]>([
    ['rejected', verdict('rejected'), 'security has not approved: s rejected'],
    ['failed', { failure: { kind: 'failed' } }, 'security has not approved: s failed'],
  ])('is blocked when it has %s', (_, ending, reason) => {
    const driver = run(steps, { s: ending }, { onFailure: 'continue' });
    expect(driver.state.steps['a']).toMatchObject({ state: 'blocked', reason });
    expect(driver.vote('a:blocked', 'approve', 'ana', 'seen').finished).toEqual({ status: 'completed' });
  });
});

describe('steps that can block a merge or a deployment', () => {
  const secondsOf = (driver: EngineDriver, step: string): number =>
    (driver.launches.find((one) => one.step === step)!.atMs - startMs) / 1_000;

  test('a merge waits for every unsettled one, though no dependency says so', () => {
    const driver = run(
      { audit: { canBlockMerge: true }, other: { canBlockDeployment: true }, merge: { merges: true } },
      { audit: { durationMs: 5_000 }, other: { durationMs: 9_000 } },
    );
    expect(secondsOf(driver, 'merge')).toBe(5);
  });

  test('a deployment likewise', () => {
    const driver = run({ audit: { canBlockDeployment: true }, deploy: { deploys: true } }, { audit: { durationMs: 5_000 } });
    expect(secondsOf(driver, 'deploy')).toBe(5);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('not for one that depends on it, or stands behind a phase that opens later', () => {
    const driver = run(
      { merge: { merges: true }, audit: { canBlockMerge: true, after: ['merge'] }, late: { canBlockMerge: true, phase: 'q' } },
      {},
      {
        phases: [{ id: 'p' }, { id: 'q', barrier: true }],
      },
    );
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(secondsOf(driver, 'merge')).toBe(0);
  });

  test('a negative verdict holds it back until somebody decides', () => {
    const driver = run({ audit: { canBlockDeployment: true }, deploy: { deploys: true }, other: {} }, { audit: verdict('blocked') });
    expect(driver.statesOf()).toEqual({ audit: 'blocked', deploy: 'pending', other: 'passed' });
    expect(driver.engine.statusView(driver.nowMs).steps.find((step) => step.id === 'deploy')).toMatchObject({
      waitsFor: ['audit'],
      reason: 'waits for audit, which can block it',
    });
    expect(driver.vote('audit:blocked', 'approve', 'ana', 'ok').stateOf('deploy')).toBe('passed');
  });

  test('those that wait for each other do not wait for ever', () => {
    const both = { merges: true, canBlockMerge: true };
    expect(run({ a: both, b: both, c: both }).order()).toEqual(['a', 'b', 'c']);
    // m1 waits for r2, which comes after m2, which waits for r1, which comes after m1.
    const ring = run({
      m1: { merges: true },
      m2: { deploys: true },
      r1: { canBlockDeployment: true, after: ['m1'] },
      r2: { canBlockMerge: true, after: ['m2'] },
    });
    expect(ring.order()).toEqual(['m1', 'r1', 'm2', 'r2']);
    expect(ring.audit()).toContainEqual(expect.objectContaining({ action: 'step.hold_released', object: 'm1' }));
  });
});

describe('if_blocked', () => {
  const gate = { gate: metric('ok'), gateText: 'ok' };
  test.each([
    ['skip', { kind: 'skip' as const }, 'completed', 'skipped'],
    ['fail', { kind: 'fail' as const }, 'failed', 'failed'],
    ['escalate', { kind: 'escalate' as const }, undefined, 'blocked'],
  ])('%s', (_, ifBlocked, status, state) => {
    const driver = run({ a: { ...gate, ifBlocked } });
    expect(driver.finished?.status).toBe(status);
    expect(driver.stateOf('a')).toBe(state);
  });

  test('defer: it runs again after that time, as a new generation', () => {
    const behave: DriverOptions['behave'] = ({ effect }) => ({ result: { metrics: { ok: effect.generation === 2 } } });
    const driver = run(
      { a: { ...gate, ifBlocked: { kind: 'defer', forMs: 7_200_000 } } },
      {},
      {},
      { behave, engine: { timeScale: 3_600 } },
    );
    expect(driver.state.status).toBe('deferred');
    driver.pass(10_000);
    expect(driver.launches.map(({ id, atMs }) => [id, atMs - startMs])).toEqual([
      ['a#1', 0],
      ['a#2', 3_000],
    ]);
    expect(driver.finished).toEqual({ status: 'completed' });
  });
});

describe('on_failure', () => {
  const failing = { a: { failure: { kind: 'failed' as const } } };
  test('block: everything is kept; approving goes on, rejecting ends the run', () => {
    const driver = run({ a: {}, b: { after: ['a'] } }, failing, { onFailure: 'block' });
    expect(driver.state.status).toBe('blocked');
    expect(driver.vote('a:blocked', 'approve', 'ana', 'done by hand').statesOf()).toEqual({ a: 'passed', b: 'passed' });
    const ended = run({ a: {}, b: { after: ['a'] } }, failing, { onFailure: 'block' }).vote('a:blocked', 'reject');
    expect(ended.finished?.status).toBe('failed');
  });

  test("a step's own policy wins over the run's", () => {
    expect(run({ a: { onFailure: 'continue' }, b: {} }, failing).finished).toEqual({ status: 'completed' });
  });
});

test.each<[string, PlanDraft['steps'][string]]>([
  ['its start', { automatic: false }],
  ['its approval before the work', { approval: { when: 'before' } }],
  ['its approval after the work', { approval: { when: 'after' } }],
])('on_failure: block: a step that was refused %s goes on as if it had passed, when somebody overrides that', (_, draft) => {
  const driver = run({ a: draft, b: { after: ['a'] } }, {}, { onFailure: 'block' });
  driver.vote(driver.engine.waitsFor()[0]!, 'reject');
  expect(driver.engine.waitsFor()).toEqual(['a:blocked']);
  driver.vote('a:blocked', 'approve', 'ana', 'done by hand');
  expect(driver.statesOf()).toEqual({ a: 'passed', b: 'passed' });
});

test('on_failure: block: security has its say about a failure that was overridden', () => {
  const steps: PlanDraft['steps'] = { s: { onFailure: 'continue' }, a: { after: [{ step: 's', when: 'done' }], automatic: false } };
  const draft = { ...steps, a: { ...steps['a'], securityReviewers: ['s'] } };
  const driver = run(draft, { s: { failure: { kind: 'failed' } } }, { onFailure: 'block' });
  driver.vote('a:start', 'reject').vote('a:blocked', 'approve', 'ana', 'done by hand');
  expect(driver.state.steps['a']).toMatchObject({ state: 'blocked', blockedBy: 'security' });
  expect(driver.vote('a:blocked', 'approve', 'ana', 'seen').finished).toEqual({ status: 'completed' });
});

test('on_failure: block: where security has not answered yet, it is waited for', () => {
  const steps: PlanDraft['steps'] = { s: {}, a: { automatic: false, securityReviewers: ['s'] } };
  const driver = new EngineDriver(buildPlan({ steps, onFailure: 'block' }), { behave: byStep({ s: { durationMs: 9_000 } }) });
  driver.schedule(startMs + 1_000, () => driver.voteEvent('a:start', 'reject'));
  driver.schedule(startMs + 2_000, () => driver.voteEvent('a:blocked', 'approve', 'ana', 'done by hand'));
  expect(driver.run().finished).toEqual({ status: 'completed' });
  expect(driver.order()).toEqual(['s']);
});

describe('rework', () => {
  const changes = verdict('changes_requested', ['rename it']);
  const reworked = (rounds: number, steps: PlanDraft['steps'], options: DriverOptions = {}): EngineDriver =>
    run(steps, {}, {}, { behave: ({ step, effect }) => (step === 'review' && effect.generation <= rounds ? changes : {}), ...options });

  test('what was reviewed runs again with the comments, then the review', () => {
    const driver = reworked(1, { dev: {}, review: { after: ['dev'], canBlockMerge: true }, merge: { after: ['review'], merges: true } });
    expect(driver.launches.map(({ id }) => id)).toEqual(['dev#1', 'review#1', 'dev#2', 'review#2', 'merge#1']);
    expect(driver.state.steps['dev']?.comments).toEqual([{ from: 'review', text: 'rename it', generation: 1 }]);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('at most max_rounds, then it is blocked', () => {
    const driver = reworked(9, { dev: {}, review: { after: ['dev'], canBlockMerge: true } });
    expect(driver.launches.map(({ id }) => id)).toEqual(['dev#1', 'review#1', 'dev#2', 'review#2', 'dev#3', 'review#3']);
    expect(driver.state.steps['review']).toMatchObject({ state: 'blocked', reason: expect.stringContaining('rename it') });
  });

  test('everything that rested on it is void: finished work runs again, running work is cancelled, approvals are asked again', () => {
    const steps: PlanDraft['steps'] = {
      dev: {},
      docs: { after: ['dev'] },
      slow: { after: ['docs'] },
      signed: { after: ['dev'], approval: { when: 'before' } },
      review: { after: ['dev'] },
    };
    const driver = new EngineDriver(buildPlan({ steps }), {
      behave: ({ step, effect }) => ({
        ...(step === 'review' ? { durationMs: 3_000 } : step === 'slow' ? { durationMs: 9_000 } : {}),
        ...(step === 'review' && effect.generation === 1 ? changes : {}),
      }),
    });
    driver.pass(1_500);
    driver.vote('signed', 'approve');
    expect(driver.cancelled).toEqual(['slow#1']);
    expect(driver.state.status).toBe('waiting_approval');
    expect(driver.stateOf('signed')).toBe('waiting_approval');
    driver.vote('signed', 'approve');
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(Object.fromEntries(Object.entries(driver.state.steps).map(([id, step]) => [id, step.generation]))).toEqual({
      dev: 2,
      docs: 2,
      slow: 2,
      signed: 2,
      review: 2,
    });
  });
});
