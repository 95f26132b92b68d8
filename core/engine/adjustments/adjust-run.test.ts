import type { Adjustment } from '../../contract/adjustments';
import { byStep, EngineDriver } from '../../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../../test/support/plan-builder';
import type { RunChanges } from '../../contract/local-activities';

const fails = { failure: { kind: 'failed' as const } };
const hangs = { never: true };

function auditOf(driver: EngineDriver, action: string): RunChanges['audit'][number] | undefined {
  return driver.audit().findLast((entry) => entry.action === action);
}

describe('retry_step', () => {
  const chain = { a: {}, b: { after: ['a'] }, c: { after: ['b'] } };

  /** b fails once, the run goes on without what depends on it, but for `keep`, which waits for ever. */
  function runWithFailedStep(steps: PlanDraft['steps'] = chain): EngineDriver {
    let failures = 0;
    return new EngineDriver(buildPlan({ onFailure: 'continue', steps: { ...steps, keep: { approval: true } } }), {
      behave: ({ step }) => (step === 'b' && (failures += 1) === 1 ? fails : {}),
    }).run();
  }

  test('what failed runs again as a new generation, and so does what was skipped because of it', () => {
    const driver = runWithFailedStep();
    expect(driver.statesOf()).toMatchObject({ b: 'failed', c: 'skipped' });
    expect(driver.adjust({ kind: 'retry_step', step: 'b' }, { reason: 'the disk was full' })).toEqual({
      ok: true,
      reply: { kind: 'retry_step', message: 'b runs again as generation 2, and after it c', steps: ['b', 'c'] },
    });
    expect(driver.statesOf()).toMatchObject({ b: 'passed', c: 'passed' });
    expect(driver.launches.map(({ id }) => id)).toEqual(['a#1', 'keep#1', 'b#1', 'b#2', 'c#2']);
    expect(driver.state.steps['b']?.comments).toEqual([{ from: 'ana', text: 'the disk was full', generation: 1 }]);
    expect(auditOf(driver, 'step.retried')).toMatchObject({ actor: { id: 'ana' }, object: 'b' });
    expect(auditOf(driver, 'run.adjusted')).toMatchObject({ object: 'b', reason: 'the disk was full', details: { kind: 'retry_step' } });
    driver.vote('keep', 'approve');
    expect(driver.finished?.status).toBe('completed');
  });

  test('by another agent, with other inputs', () => {
    const driver = runWithFailedStep({ a: {}, b: { after: ['a'], inputs: [{ name: 'branch' }] }, c: { after: ['b'] } });
    expect(driver.adjust({ kind: 'retry_step', step: 'b', inputs: { brunch: 'x' } })).toMatchObject({
      code: 'does_not_apply',
      reason: 'b has no input brunch: it has branch',
    });
    driver.adjust({ kind: 'retry_step', step: 'b', agent: 'developer-9', inputs: { branch: 'main' } });
    expect(driver.launches.find(({ id }) => id === 'b#2')?.launch.agent.id).toBe('developer-9');
    expect(driver.state.steps['b']?.inputs).toEqual({ branch: 'main' });
  });

  test('an agent that does not exist blocks the step instead of ending the run', () => {
    let failures = 0;
    const driver = new EngineDriver(buildPlan({ steps: { b: { onFailure: 'block' } } }), {
      behave: () => ((failures += 1) === 1 ? fails : {}),
      assign: ({ agentId }) =>
        agentId === 'nobody'
          ? { kind: 'nobody', reason: 'there is no nobody' }
          : { kind: 'assigned', agent: { id: 'd', role: 'developer', skills: [], executor: 'simulate', idempotent: true } },
    }).run();
    expect(driver.stateOf('b')).toBe('blocked');
    driver.adjust({ kind: 'retry_step', step: 'b', agent: 'nobody' });
    expect(driver.state.steps['b']).toMatchObject({ state: 'blocked', reason: 'there is no nobody', generation: 2 });
    driver.adjust({ kind: 'retry_step', step: 'b' });
    expect(driver.finished?.status).toBe('completed');
    expect(driver.launches.map(({ id }) => id)).toEqual(['b#1', 'b#3']);
  });

  test('an agent that the run does not have is refused, and what waits keeps its result', () => {
    const plan = buildPlan({ steps: { a: { approval: { approvers: ['ana'] } } } });
    const driver = new EngineDriver(plan, { engine: { agentIds: ['developer-1'] } }).run();
    expect(driver.adjust({ kind: 'retry_step', step: 'a', agent: 'nobody' })).toMatchObject({
      code: 'no_such_agent',
      reason: 'nobody is not among the agents of this run: developer-1',
    });
    expect(driver.state.steps['a']).toMatchObject({ state: 'waiting_approval', generation: 1 });
  });

  test.each<[string, PlanDraft, string, string]>([
    ['passed', { steps: { a: {}, w: { approval: true } } }, 'a', 'a is passed: only what failed, was skipped or is held'],
    ['waits for another', { steps: { w: { approval: true }, b: { after: ['w'] } } }, 'b', 'b is pending'],
    [
      'was skipped because of another',
      { onFailure: 'continue', steps: { a: {}, b: { after: ['a'] }, w: { approval: true } } },
      'b',
      'b was skipped because of a: retry that one',
    ],
    ['does not exist', { steps: { w: { approval: true } } }, 'x', 'there is no step x'],
    [
      'was followed by a deployment',
      { onFailure: 'continue', steps: { a: {}, d: { after: [{ step: 'a', when: 'done' }], deploys: true }, w: { approval: true } } },
      'a',
      'd has been started after it, and would be done twice',
    ],
  ])('of a step that %s is refused, and changes nothing', (what, draft, step, reason) => {
    const driver = new EngineDriver(buildPlan(draft), { behave: byStep(what === 'passed' ? {} : { a: fails }) }).run();
    const before = JSON.stringify(driver.state.steps);
    expect(driver.adjust({ kind: 'retry_step', step })).toMatchObject({ ok: false, reason: expect.stringContaining(reason) as string });
    expect(JSON.stringify(driver.state.steps)).toBe(before);
    expect(auditOf(driver, 'adjustment.refused')).toMatchObject({ object: step, actor: { id: 'ana' } });
  });

  test('what waits for approval loses the votes that it had', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: { approval: { quorum: 2 } } } })).run();
    driver.vote('a', 'approve', 'ana');
    driver.adjust({ kind: 'retry_step', step: 'a' }, { by: 'bo' });
    driver.vote('a', 'approve', 'cy');
    expect(driver.stateOf('a')).toBe('waiting_approval');
    driver.vote('a', 'approve', 'ana');
    expect(driver.finished?.status).toBe('completed');
  });

  test('what was deferred runs at once, and its timer is gone', () => {
    let rounds = 0;
    const steps = { r: { canBlockMerge: true, ifBlocked: { kind: 'defer' as const, forMs: 3_600_000 } } };
    const driver = new EngineDriver(buildPlan({ steps }), {
      behave: () => ((rounds += 1) === 1 ? { result: { verdict: 'blocked' } } : {}),
    }).run();
    expect(driver.stateOf('r')).toBe('deferred');
    driver.adjust({ kind: 'retry_step', step: 'r' });
    expect(driver.finished?.status).toBe('completed');
    expect(driver.launches).toHaveLength(2);
  });
});

describe('skip', () => {
  test('an optional step, whatever it is doing; what depends on it goes on', () => {
    const steps = { o: { optional: true }, b: { after: ['o'] }, later: { after: ['b'], optional: true } };
    const driver = new EngineDriver(buildPlan({ steps }), { behave: byStep({ o: hangs }) }).run();
    expect(driver.adjust({ kind: 'skip_optional_steps', steps: ['o', 'later'] })).toMatchObject({
      ok: true,
      reply: { message: 'o, later are skipped; o as soon as what runs of it has stopped', steps: ['o', 'later'] },
    });
    expect(driver.statesOf()).toEqual({ o: 'skipped', b: 'passed', later: 'skipped' });
    expect(driver.finished?.status).toBe('completed');
    expect(driver.cancelled).toEqual(['o#1']);
    expect(auditOf(driver, 'step.skipped')).toMatchObject({ actor: { id: 'ana' } });
  });

  test('nothing that depends on a step starts while it still runs', () => {
    const driver = new EngineDriver(buildPlan({ steps: { o: { optional: true }, b: { after: ['o'] } } }), {
      behave: byStep({ o: { ...hangs, cancelled: { afterMs: 5_000 } } }),
    }).run();
    driver.adjust({ kind: 'skip_step', step: 'o' });
    const [launch] = driver.launches.filter(({ step }) => step === 'b');
    const [end] = driver.ends.filter(({ step }) => step === 'o');
    expect(launch?.atMs).toBeGreaterThanOrEqual(end?.atMs ?? Infinity);
  });

  test('work that succeeds before it can be stopped has passed', () => {
    const driver = new EngineDriver(buildPlan({ steps: { o: { optional: true } } }), {
      behave: byStep({ o: { ...hangs, cancelled: { afterMs: 10, succeeds: true } } }),
    }).run();
    driver.adjust({ kind: 'skip_step', step: 'o' });
    expect(driver.statesOf()).toEqual({ o: 'passed' });
  });

  test('all or none: one that is not optional takes force, and a reason', () => {
    const driver = new EngineDriver(buildPlan({ steps: { o: { optional: true }, a: {}, z: { after: ['a', 'o'] } } }), {
      behave: byStep({ o: hangs, a: hangs }),
    }).run();
    expect(driver.adjust({ kind: 'skip_optional_steps', steps: ['o', 'a'] })).toMatchObject({ ok: false, code: 'not_optional' });
    expect(driver.statesOf()).toEqual({ o: 'running', a: 'running', z: 'pending' });
    expect(driver.adjust({ kind: 'skip_step', step: 'a', force: true })).toMatchObject({ ok: false, code: 'reason_needed' });
    expect(driver.adjust({ kind: 'skip_optional_steps', steps: ['o', 'a'], force: true }, { reason: 'no time' })).toMatchObject({
      ok: true,
    });
    expect(driver.statesOf()).toEqual({ o: 'skipped', a: 'skipped', z: 'passed' });
  });

  test.each<[string, PlanDraft['steps'][string], string, string]>([
    ['only by who may approve it', { approval: { approvers: ['bo'] } }, 'ana', 'not_approver'],
    ['not by who may not', { approval: { distinctFrom: ['initiator'] } }, 'ivo', 'barred'],
    ['never by one person where it takes two', { approval: { approvers: ['bo', 'cy'], quorum: 2 } }, 'bo', 'quorum_needed'],
  ])('what is approved can be skipped %s', (_, step, by, code) => {
    const driver = new EngineDriver(buildPlan({ steps: { a: step } })).run();
    expect(driver.adjust({ kind: 'skip_step', step: 'a', force: true }, { by, reason: 'hurry' })).toMatchObject({ ok: false, code });
    expect(driver.stateOf('a')).toBe('waiting_approval');
  });

  test('by who may approve it', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: { approval: { approvers: ['bo'] } } } })).run();
    expect(driver.adjust({ kind: 'skip_step', step: 'a', force: true }, { by: 'bo', reason: 'hurry' })).toMatchObject({ ok: true });
    expect(driver.finished?.status).toBe('completed');
  });

  test('a monitor is skipped at once', () => {
    const driver = new EngineDriver(buildPlan({ steps: { m: { monitor: { durationMs: 3_600_000 }, optional: true } } })).pass(30_000);
    driver.adjust({ kind: 'skip_step', step: 'm' });
    expect(driver.finished?.status).toBe('completed');
    expect(driver.statesOf()).toEqual({ m: 'skipped' });
  });
});

describe('parallelize', () => {
  function startsOf(driver: EngineDriver): Record<string, number> {
    const [first] = driver.launches;
    return Object.fromEntries(driver.launches.map(({ step, atMs }) => [step, (atMs - (first?.atMs ?? 0)) / 1_000]));
  }

  test('steps that only waited for each other start together, none before what they all waited for', () => {
    const steps = { p: {}, a: { after: ['p'] }, b: { after: ['a'] }, c: { after: ['b'] }, d: { after: ['c'] } };
    const driver = new EngineDriver(buildPlan({ steps })).pass(500);
    expect(driver.adjust({ kind: 'parallelize', steps: ['a', 'b', 'c'] })).toMatchObject({ reply: { steps: ['b', 'c'] } });
    expect(startsOf(driver)).toEqual({ p: 0, a: 1, b: 1, c: 1, d: 2 });
  });

  test('a serial phase lets them take their turn together', () => {
    const steps = { a: {}, b: {}, c: {}, d: {} };
    const driver = new EngineDriver(buildPlan({ phases: [{ id: 'all', serial: true }], steps })).pass(500);
    driver.adjust({ kind: 'parallelize', steps: ['b', 'c'] });
    expect(startsOf(driver)).toEqual({ a: 0, b: 1, c: 1, d: 2 });
  });

  test('what carries something stays', () => {
    const steps = {
      a: { outputs: ['code'] },
      b: { after: ['a'], inputs: [{ name: 'code', from: 'a' }] },
      c: { after: ['b'] },
    };
    const driver = new EngineDriver(buildPlan({ steps })).pass(500);
    expect(driver.adjust({ kind: 'parallelize', steps: ['a', 'b'] })).toMatchObject({
      code: 'does_not_apply',
      reason: 'b still waits for a: it reads what a gives',
    });
  });

  test.each<[string, PlanDraft['steps'], string[], string]>([
    ['one alone', { a: {}, b: { after: ['a'] } }, ['b'], 'it takes two steps'],
    ['a deployment', { a: {}, b: { after: ['a'], deploys: true } }, ['a', 'b'], 'b deploys: it keeps its place'],
    ['what can block', { a: { canBlockMerge: true }, b: { after: ['a'] } }, ['a', 'b'], 'a can block it'],
    ['what is approved', { a: { approval: true }, b: { after: ['a'] } }, ['a', 'b'], 'a is approved first'],
    ['a branch', { a: {}, b: { after: [{ step: 'a', when: 'failed' }] } }, ['a', 'b'], 'it starts only if a failed'],
    ['what has no order', { a: {}, b: {} }, ['a', 'b'], 'nothing but their start keeps a, b in order'],
  ])('of %s is refused', (_, steps, ids, reason) => {
    const driver = new EngineDriver(buildPlan({ steps }), { behave: byStep({ a: hangs }) }).run();
    expect(driver.adjust({ kind: 'parallelize', steps: ids })).toMatchObject({
      ok: false,
      reason: expect.stringContaining(reason) as string,
    });
  });

  test('the change outlives a restart of the engine', () => {
    const steps = { p: {}, a: { after: ['p'] }, b: { after: ['a'] }, c: { after: ['b'] } };
    const driver = new EngineDriver(buildPlan({ steps }), { restoreAlways: true }).pass(500);
    driver.askFor({ kind: 'parallelize', steps: ['a', 'b', 'c'] });
    driver.run();
    expect(startsOf(driver)).toEqual({ p: 0, a: 1, b: 1, c: 1 });
  });
});

describe('escalate_blocker', () => {
  const blocked = { result: { verdict: 'blocked' as const, reasons: ['a hole'] } };
  const humans = [
    { id: 'rita', role: 'security' },
    { id: 'max', role: 'decision-maker' },
  ];
  const steps = { s: { role: 'security', canBlockMerge: true, approval: { approvers: ['rita'] } } };

  test('asks the next level now', () => {
    const driver = new EngineDriver(buildPlan({ steps, escalation: [{ afterMs: 1_000_000, to: ['eve'] }] }), {
      behave: () => blocked,
      engine: { humans },
    }).run();
    expect(driver.state.gates['s:blocked']).toMatchObject({ state: 'open', approvers: ['rita'] });
    expect(driver.adjust({ kind: 'escalate_blocker', step: 's' })).toMatchObject({
      reply: { message: 'eve may decide s:blocked too', steps: ['s'] },
    });
    expect(driver.state.gates['s:blocked']).toMatchObject({ approvers: ['rita', 'eve'], level: 1 });
    expect(driver.adjust({ kind: 'escalate_blocker', step: 's' })).toMatchObject({
      code: 'does_not_apply',
      reason: 's:blocked cannot be escalated: rita, eve may decide it, and nobody else is named',
    });
    driver.vote('s:blocked', 'approve', 'eve', 'known');
    expect(driver.stateOf('s')).toBe('waiting_approval');
  });

  test('the decision-makers, where the plan names no level', () => {
    const driver = new EngineDriver(buildPlan({ steps }), { behave: () => blocked, engine: { humans } }).run();
    expect(driver.adjust({ kind: 'escalate_blocker', step: 's' })).toMatchObject({ reply: { message: 'max may decide s:blocked too' } });
  });

  test('an approval that nobody gives, and its deadline begins anew', () => {
    const plan = buildPlan({
      steps: { a: { approval: { approvers: ['bo'], timeoutIsExplicit: true } } },
      escalation: [{ afterMs: 60_000, to: ['eve'] }],
    });
    const driver = new EngineDriver(plan).run();
    driver.adjust({ kind: 'escalate_blocker', step: 'a' });
    expect(driver.state.gates['a']).toMatchObject({ approvers: ['bo', 'eve'], deadlineMs: driver.nowMs + 60_000 });
    driver.pass(60_001);
    expect(driver.finished?.reason).toContain('not approved in time');
  });

  test('of what nobody is asked about is refused', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: {} } }), { behave: () => hangs }).run();
    expect(driver.adjust({ kind: 'escalate_blocker', step: 'a' })).toMatchObject({ reason: 'a is running: nobody is asked about it' });
  });
});

describe('override_gate', () => {
  const steps = { r: { canBlockMerge: true, approval: { approvers: ['bo'] } } };
  const behave = byStep({ r: { result: { verdict: 'rejected' } } });

  test('is the vote of who may decide, with a reason', () => {
    const driver = new EngineDriver(buildPlan({ steps }), { behave }).run();
    expect(driver.adjust({ kind: 'override_gate', gate: 'r' })).toMatchObject({ code: 'not_approver' });
    expect(driver.adjust({ kind: 'override_gate', gate: 'r' }, { by: 'bo' })).toMatchObject({ code: 'reason_needed' });
    expect(driver.adjust({ kind: 'override_gate', gate: 'r' }, { by: 'bo', reason: 'a false alarm' })).toMatchObject({
      reply: { message: 'r:blocked is overridden' },
    });
    expect(driver.stateOf('r')).toBe('waiting_approval');
    expect(driver.adjust({ kind: 'override_gate', gate: 'r' }, { by: 'bo', reason: 'me again' })).toMatchObject({
      code: 'does_not_apply',
      reason: expect.stringContaining('it asks for a decision, approve or reject it') as string,
    });
  });

  test('of what holds nothing, or does not exist, is refused', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: {} } }), { behave: () => hangs }).run();
    expect(driver.adjust({ kind: 'override_gate', gate: 'a' }, { reason: 'x' })).toMatchObject({ reason: 'nothing holds a back' });
    expect(driver.adjust({ kind: 'override_gate', gate: 'q' }, { reason: 'x' })).toMatchObject({ code: 'no_such_gate' });
  });
});

describe('add_agent', () => {
  test('who waits for a busy agent gets one of the new ones at once', () => {
    let isEnlarged = false;
    const driver = new EngineDriver(buildPlan({ steps: { a: {}, b: {} } }), {
      assign: ({ step, role }) =>
        step === 'a' || isEnlarged
          ? { kind: 'assigned', agent: { id: isEnlarged ? 'new' : 'old', role, skills: [], executor: 'simulate', idempotent: true } }
          : { kind: 'busy', reason: 'all are busy' },
      behave: byStep({ a: hangs }),
      addAgents: ({ role, count }) => {
        isEnlarged = true;
        return Array.from({ length: count }, (_, n) => `${role}.${n + 2}`);
      },
    }).pass(10);
    let verdict: unknown;
    driver.askFor({ kind: 'add_agent', role: 'developer', count: 2 }, { answer: (said) => (verdict = said) });
    driver.pass(1);
    expect(verdict).toEqual({
      ok: true,
      reply: { kind: 'add_agent', message: 'developer.2, developer.3 work on it too', steps: [], agents: ['developer.2', 'developer.3'] },
    });
    expect(driver.launches.map(({ step, launch }) => [step, launch.agent.id])).toEqual([
      ['a', 'old'],
      ['b', 'new'],
    ]);
    expect(driver.state).toMatchObject({ agentSet: 'larger', adjustments: [{ kind: 'add_agent', by: 'ana' }] });
  });

  test('nobody who could be added is a refusal', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: { approval: true } } }), { addAgents: () => [] }).run();
    expect(driver.adjust({ kind: 'add_agent', role: 'developer', count: 1 })).toMatchObject({ ok: false, code: 'no_such_agent' });
    expect(driver.adjust({ kind: 'add_agent', role: 'poet', count: 1 })).toMatchObject({
      ok: false,
      reason: 'no step of role poet is left: there are developer',
    });
    driver.vote('a', 'approve');
    expect(driver.finished?.status).toBe('completed');
  });
});

describe('pause', () => {
  const steps = { a: { approval: { approvers: ['bo'], timeoutMs: 3_600_000, timeoutIsExplicit: true } } };

  test('with freeze the deadlines of gates stand still', () => {
    const driver = new EngineDriver(buildPlan({ steps })).run();
    const openedAtMs = driver.nowMs;
    driver.pass(1_000_000);
    driver.adjust({ kind: 'pause', freeze: true }, { reason: 'a holiday' });
    expect(driver.engine.gateViews(driver.nowMs)[0]).toMatchObject({ deadline: null });
    driver.pass(10_000_000);
    expect(driver.finished).toBeUndefined();
    driver.adjust({ kind: 'resume' });
    expect(driver.state.gates['a']?.deadlineMs).toBe(openedAtMs + 3_600_000 + 10_000_000);
    driver.pass(2_599_999);
    expect(driver.finished).toBeUndefined();
    driver.pass(2);
    expect(driver.finished?.reason).toContain('not approved in time');
  });

  test('a gate that opens meanwhile has all of its time left', () => {
    const driver = new EngineDriver(buildPlan({ steps }), { behave: () => ({ durationMs: 5_000 }) }).pass(1_000);
    driver.adjust({ kind: 'pause', freeze: true }, { reason: 'a holiday' });
    expect(driver.stateOf('a')).toBe('waiting_approval');
    driver.pass(50_000_000);
    driver.adjust({ kind: 'resume' });
    expect(driver.state.gates['a']?.deadlineMs).toBe(driver.nowMs + 3_600_000);
  });

  test('without it they run on', () => {
    const driver = new EngineDriver(buildPlan({ steps })).run();
    driver.adjust({ kind: 'pause' }, { reason: 'lunch' });
    driver.pass(3_600_001);
    expect(driver.finished?.reason).toContain('not approved in time');
  });

  test('twice, or going on without it, is refused', () => {
    const driver = new EngineDriver(buildPlan({ steps })).run();
    expect(driver.adjust({ kind: 'resume' })).toMatchObject({ code: 'does_not_apply' });
    driver.adjust({ kind: 'pause' }, { reason: 'lunch' });
    expect(driver.adjust({ kind: 'pause' }, { reason: 'lunch' })).toMatchObject({ code: 'does_not_apply' });
  });
});

test('set_output replaces what nobody has read or decided about', () => {
  const steps = {
    a: { outputs: ['notes'] },
    hold: { after: ['a'], automatic: false },
    b: { after: ['hold', 'a'], inputs: [{ name: 'notes', from: 'a' }] },
  };
  const behave = byStep({ a: { result: { outputs: { notes: 'old' } } } });
  const driver = new EngineDriver(buildPlan({ steps }), { behave }).run();
  const set = (output: string): Adjustment => ({ kind: 'set_output', step: 'a', output, value: 'new' });
  expect(driver.adjust(set('notes'))).toMatchObject({ code: 'reason_needed' });
  expect(driver.adjust(set('nodes'), { reason: 'r' })).toMatchObject({ reason: 'a has no output nodes: it has notes' });
  expect(driver.adjust(set('notes'), { reason: 'r' })).toMatchObject({ ok: true });
  expect(driver.state.steps['a']?.result?.outputs).toEqual({ notes: 'new' });
  driver.vote('hold:start', 'approve');
  expect(driver.finished?.status).toBe('completed');
});

test('an adjustment of a run that ends, or has ended, is refused and audited', () => {
  const driver = new EngineDriver(buildPlan({ steps: { a: {} } })).run();
  expect(driver.adjust({ kind: 'cancel' }, { reason: 'x' })).toMatchObject({ ok: false, code: 'run_ended' });
  expect(auditOf(driver, 'adjustment.refused')).toMatchObject({ details: { code: 'run_ended', kind: 'cancel' } });
  const ending = new EngineDriver(buildPlan({ steps: { a: {} } }), { behave: () => ({ never: true, cancelled: { afterMs: 1_000 } }) }).pass(
    10,
  );
  ending.askFor({ kind: 'cancel' }, { reason: 'enough' });
  expect(ending.engine.judgeAdjustment({ adjustment: { kind: 'pause' }, by: { kind: 'person', id: 'x' }, via: 'update' })).toMatchObject({
    code: 'run_ending',
  });
});

test('what was changed stands in the status', () => {
  const driver = new EngineDriver(buildPlan({ steps: { o: { optional: true }, w: { approval: true } } }), {
    behave: byStep({ o: hangs }),
  }).run();
  driver.adjust({ kind: 'skip_step', step: 'o' }, { reason: 'no time' });
  expect(driver.engine.statusView(driver.nowMs).adjustments).toEqual([
    { at: new Date(driver.nowMs).toISOString(), kind: 'skip_step', by: 'ana', reason: 'no time', message: expect.any(String) as string },
  ]);
});

describe('who had a part in it', () => {
  test('may not decide about it, where authors are kept out: who replaced an output', () => {
    const approval = { approvers: ['ana', 'bo'], distinctFrom: ['author' as const] };
    const driver = new EngineDriver(buildPlan({ steps: { a: { outputs: ['text'], approval } } }), {
      behave: () => ({ result: { outputs: { text: 'good' } } }),
    }).run();
    expect(driver.adjust({ kind: 'set_output', step: 'a', output: 'text', value: 'mine' }, { by: 'ana', reason: 'r' }).ok).toBe(true);
    driver.vote('a', 'approve', 'ana');
    expect(driver.stateOf('a')).toBe('waiting_approval');
    driver.vote('a', 'approve', 'bo');
    expect(driver.finished?.status).toBe('completed');
  });

  test('may not decide about it: who reported for somebody else', () => {
    const approval = { approvers: ['max', 'bo'], distinctFrom: ['author' as const] };
    const driver = new EngineDriver(buildPlan({ steps: { a: { approval } } }), {
      engine: { humans: [{ id: 'max', role: 'decision-maker' }] },
      assign: () => ({
        kind: 'assigned',
        agent: { id: 'ana', role: 'writer', skills: [], executor: 'human', idempotent: false },
      }),
    }).run();
    driver.send({ type: 'reported', atMs: driver.nowMs, report: { step: 'a', by: 'max', result: { status: 'success' } } });
    driver.vote('a', 'approve', 'max');
    expect(driver.stateOf('a')).toBe('waiting_approval');
    driver.vote('a', 'approve', 'bo');
    expect(driver.finished?.status).toBe('completed');
  });
});

describe('what holds others back is not got round', () => {
  const humans = [{ id: 'max', role: 'decision-maker' }];

  test('by skipping an optional step that stands between', () => {
    const steps = { b: { approval: { approvers: ['bo'] } }, nop: { after: ['b'], optional: true }, d: { after: ['nop'] } };
    const driver = new EngineDriver(buildPlan({ steps }), { engine: { humans } }).run();
    expect(driver.adjust({ kind: 'skip_step', step: 'nop' })).toMatchObject({ ok: false, code: 'not_approver' });
    expect(driver.adjust({ kind: 'skip_step', step: 'nop' }, { by: 'bo' }).ok).toBe(true);
  });

  test('while one that nothing waits for is skipped by anybody', () => {
    const steps = { b: { approval: { approvers: ['bo'] } }, docs: { after: ['b'], optional: true } };
    const driver = new EngineDriver(buildPlan({ steps }), { engine: { humans } }).run();
    expect(driver.adjust({ kind: 'skip_step', step: 'docs' }).ok).toBe(true);
  });

  test('by parallelizing what waits for a condition', () => {
    const steps = {
      a: {},
      t: { after: ['a'], gate: { op: 'metric' as const, name: 'coverage' } },
      p: { after: ['t'] },
    };
    const driver = new EngineDriver(buildPlan({ steps }), { behave: byStep({ a: hangs }) }).pass(1);
    expect(driver.adjust({ kind: 'parallelize', steps: ['t', 'p'] })).toMatchObject({ ok: false });
  });
});
