import { agentNamed, byStep, EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';
import type { PlanDependency } from '../plan/types';

const failing = { failure: { kind: 'failed' as const } };
const run = (draft: PlanDraft, options: DriverOptions = {}): EngineDriver => new EngineDriver(buildPlan(draft), options).run();
const steps = (count: number, step: StepDraft = {}): Record<string, StepDraft> =>
  Object.fromEntries(Array.from({ length: count }, (_, k) => [`s${k}`, step]));
const secondsOf = (driver: EngineDriver): Record<string, number> =>
  Object.fromEntries(driver.launches.map(({ id, atMs }) => [id, (atMs - startMs) / 1_000]));

describe('dependencies', () => {
  test.each<[PlanDependency['when'], 'passes' | 'fails' | 'is skipped', 'passed' | 'skipped']>([
    ['holds', 'passes', 'passed'],
    ['holds', 'fails', 'skipped'],
    ['holds', 'is skipped', 'passed'],
    ['passed', 'is skipped', 'skipped'],
    ['passed', 'passes', 'passed'],
    ['failed', 'passes', 'skipped'],
    ['failed', 'fails', 'passed'],
    ['skipped', 'is skipped', 'passed'],
    ['skipped', 'passes', 'skipped'],
    ['done', 'passes', 'passed'],
    ['done', 'fails', 'passed'],
    ['done', 'is skipped', 'passed'],
  ])('%s, and what it depends on %s: %s', (when, outcome, expected) => {
    const never: Condition = { op: 'literal', value: false };
    const first: StepDraft = outcome === 'is skipped' ? { if: never, ifText: 'false' } : {};
    const driver = run(
      { onFailure: 'continue', steps: { first, second: { after: [{ step: 'first', when }] } } },
      { behave: byStep({ first: outcome === 'fails' ? failing : {} }) },
    );
    expect(driver.stateOf('second')).toBe(expected);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('a skip because of a failure passes on, with its reason', () => {
    const driver = run(
      { onFailure: 'continue', steps: { a: {}, b: { after: ['a'] }, c: { after: ['b'] } } },
      { behave: byStep({ a: failing }) },
    );
    expect(driver.statesOf()).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' });
    expect(driver.state.steps['c']?.reason).toBe('b skipped (a failed (by script))');
  });

  test('what fails an optional step only skips it, and its dependents go on', () => {
    const driver = run({ steps: { a: { optional: true }, b: { after: ['a'] } } }, { behave: byStep({ a: failing }) });
    expect(driver.statesOf()).toEqual({ a: 'skipped', b: 'passed' });
  });

  test('nothing waits for an async step, but the run ends after it', () => {
    const driver = run({ steps: { a: { async: true }, b: {} } }, { behave: byStep({ a: { durationMs: 9_000, ...failing } }) });
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.nowMs - startMs).toBe(9_000);
    expect(driver.audit().map((entry) => entry.action)).toContain('run.nearly_completed');
  });
});

describe('order and limits', () => {
  test('priority, then the longest remaining path, then the place in the file', () => {
    const driver = run({
      maxConcurrentSteps: 1,
      steps: {
        low: { priority: 'low', estimateMs: 9_000 },
        short: { estimateMs: 1_000 },
        same: { estimateMs: 1_000 },
        long: { estimateMs: 2_000 },
        critical: { priority: 'critical', estimateMs: 10 },
        chain: { estimateMs: 1_500 },
        afterChain: { after: ['chain'], estimateMs: 1_500 },
      },
    });
    expect(driver.order()).toEqual(['critical', 'chain', 'long', 'afterChain', 'short', 'same', 'low']);
  });

  test('one question for all that need an agent, the longest path first', () => {
    const driver = run({ steps: { a: { estimateMs: 1 }, b: { estimateMs: 3 }, c: { estimateMs: 2 } } });
    expect(driver.assigns.map((requests) => requests.map((request) => request.step))).toEqual([['b', 'c', 'a']]);
  });

  test('the run starts no more steps at once than it may, and as many as it may', () => {
    const driver = run({ maxConcurrentSteps: 3, steps: steps(10) });
    expect(driver.maxRunning).toBe(3);
    expect(driver.nowMs - startMs).toBe(4_000);
  });

  test('so does a phase', () => {
    const driver = run({ phases: [{ id: 'p', maxConcurrentSteps: 2 }, { id: 'q' }], steps: { ...steps(4), other: { phase: 'q' } } });
    expect(Object.values(secondsOf(driver))).toEqual([0, 0, 0, 1, 1]);
  });

  test('a monitor takes no slot', () => {
    const driver = run({ maxConcurrentSteps: 1, steps: { watch: { monitor: { durationMs: 30_000 } }, a: {}, b: {} } });
    expect(secondsOf(driver)).toMatchObject({ 'watch/sample-0#1': 0, 'a#1': 0, 'b#1': 1 });
  });

  test('a serial phase runs its steps one at a time, in file order where dependencies permit', () => {
    const driver = run({ phases: [{ id: 'p', serial: true }], steps: { a: { estimateMs: 1 }, c: { after: ['a'] }, b: { estimateMs: 9 } } });
    expect(driver.order()).toEqual(['a', 'c', 'b']);
    expect(driver.maxRunning).toBe(1);
  });
});

describe('phases', () => {
  const phases = [{ id: 'p' }, { id: 'q', barrier: true }];

  test('a barrier opens when the phase before has passed, async steps aside', () => {
    const driver = run(
      { phases, steps: { a: {}, slow: { async: true }, b: { phase: 'q' } } },
      { behave: byStep({ a: { durationMs: 3_000 }, slow: { durationMs: 9_000 } }) },
    );
    expect(secondsOf(driver)).toEqual({ 'a#1': 0, 'slow#1': 0, 'b#1': 3 });
  });

  test('a phase waits for its condition, and says why it does not hold; overriding it needs a reason', () => {
    const gate: Condition = {
      op: '>',
      left: { op: 'stepMetric', step: 'a', name: 'coverage' },
      right: { op: 'literal', value: 85, unit: 'percent' },
    };
    const driver = run(
      { phases: [{ id: 'p', gate, gateText: 'steps.a.coverage > 85%' }, phases[1]!], steps: { a: {}, b: { phase: 'q' } } },
      { behave: byStep({ a: { result: { metrics: { coverage: { value: 71, unit: '%' } } } } }) },
    );
    expect(driver.state).toMatchObject({
      status: 'blocked',
      phase: 'p',
      gates: { p: { kind: 'phase', state: 'open', reason: expect.stringContaining('71') } },
    });
    driver.vote('p', 'approve');
    expect(driver.stateOf('b')).toBe('pending');
    driver.vote('p', 'approve', 'ana', 'known flake');
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.audit()).toContainEqual(expect.objectContaining({ action: 'gate.overridden', object: 'p', reason: 'known flake' }));
  });

  test('a phase waits for its approval, early votes count, and what depends on the phase waits too', () => {
    const approval = {
      when: 'after' as const,
      approvers: [],
      quorum: 1,
      distinctFrom: [],
      timeoutMs: 1_000_000,
      timeoutIsExplicit: true,
      onTimeout: 'reject' as const,
    };
    const draft: PlanDraft = {
      phases: [{ id: 'p', approval }, { id: 'q' }],
      steps: { a: {}, b: { phase: 'q', after: [{ step: 'a', when: 'holds', phase: 'p' }] } },
    };
    const waiting = run(draft);
    expect(waiting.state.status).toBe('waiting_approval');
    expect(waiting.engine.statusView(waiting.nowMs).steps[1]).toMatchObject({ id: 'b', state: 'pending', waitsFor: ['p'] });
    const early = new EngineDriver(buildPlan(draft)).vote('p', 'approve');
    expect(early.finished).toEqual({ status: 'completed' });
    expect(waiting.vote('p', 'reject').finished).toMatchObject({ status: 'failed', reason: expect.stringContaining('phase p') });
  });
});

describe('agents', () => {
  test('busy: asked again after 1, 2, 4, 8, 15, 15 seconds, and others run meanwhile', () => {
    const driver = run(
      { maxConcurrentSteps: 1, steps: { busy: { role: 'architect' }, free: {} } },
      {
        assign: ({ role }, atMs) =>
          role === 'architect' && atMs < startMs + 60_000
            ? { kind: 'busy', reason: 'all busy' }
            : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
        behave: byStep({ free: { durationMs: 100 } }),
      },
    );
    expect(driver.order()).toEqual(['free', 'busy']);
    const times = driver.decisions.flatMap((decision) =>
      decision.type === 'startTimer' && decision.id === 'agents' ? [decision.atMs - startMs] : [],
    );
    // Once more at 0.1 s, when an agent of this run became free.
    expect(times).toEqual([1_000, 2_100, 6_100, 14_100, 29_100, 44_100, 59_100, 74_100]);
  });

  test('busy: a step that waits for a person meanwhile gets no other agent', () => {
    const driver = run(
      { maxConcurrentSteps: 1, steps: { a: { count: 2 }, b: {} } },
      {
        assign: ({ role, slot }, atMs) =>
          slot === 2 && atMs < startMs + 3_000 ? { kind: 'busy', reason: 'busy' } : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
        behave: byStep({ a: { failure: { kind: 'unknown' } }, b: { durationMs: 20_000 } }),
      },
    );
    expect(driver.launches.map(({ id }) => id)).toEqual(['a#1', 'b#1']);
    driver.vote('a:unknown', 'approve');
    expect(driver.launches.slice(2).map(({ id }) => id)).toEqual(['a#1.1.2', 'a#1.2']);
  });

  test('busy: what has not started waits again behind a phase that opens again', () => {
    const phases = [{ id: 'p' }, { id: 'q', barrier: true }];
    const steps: PlanDraft['steps'] = {
      a: {},
      review: { phase: 'q', after: ['a'] },
      later: { phase: 'q', role: 'tester' },
    };
    const driver = run(
      { phases, steps },
      {
        assign: ({ role }, atMs) =>
          role === 'tester' && atMs < startMs + 3_000
            ? { kind: 'busy', reason: 'busy' }
            : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
        behave: ({ step, effect: { generation } }) => ({
          ...(step === 'a' && { durationMs: 5_000 }),
          result: step === 'review' && generation === 1 ? { verdict: 'changes_requested' } : {},
        }),
      },
    );
    expect(secondsOf(driver)).toMatchObject({ 'a#1': 0, 'review#1': 5, 'later#1': 5 });
    const reopened = run(
      { phases, steps },
      {
        assign: ({ role }, atMs) =>
          role === 'tester' && atMs < startMs + 7_000
            ? { kind: 'busy', reason: 'busy' }
            : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
        behave: ({ step, effect: { generation } }) => ({
          ...(step === 'a' && { durationMs: 5_000 }),
          result: step === 'review' && generation === 1 ? { verdict: 'changes_requested' } : {},
        }),
      },
    );
    expect(secondsOf(reopened)).toMatchObject({ 'a#2': 6, 'review#2': 11, 'later#1': 11 });
    expect(reopened.finished).toEqual({ status: 'completed' });
  });

  test('nobody can do it: nothing else starts, whatever was asked for in the same question', () => {
    const driver = run(
      { steps: { a: { estimateMs: 9_000 }, b: { role: 'tester', estimateMs: 1_000 } } },
      {
        assign: ({ role }) =>
          role === 'tester' ? { kind: 'nobody', reason: 'none' } : { kind: 'assigned', agent: agentNamed('developer-1') },
      },
    );
    expect(driver.launches).toEqual([]);
    expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'a', outcome: 'cancelled' }]);
  });

  test('nobody can do it: the step fails with the reason', () => {
    const driver = run({ steps: { a: {} } }, { assign: () => ({ kind: 'nobody', reason: 'no agent has the role developer' }) });
    expect(driver.finished).toEqual({ status: 'failed', reason: 'step a failed: no agent has the role developer' });
  });

  test('a failure goes to another agent, as often as reassign says', () => {
    const driver = run({ onFailure: 'fail', steps: { a: { reassign: 2 } } }, { behave: byStep({ a: failing }) });
    expect(driver.launches.map(({ id, launch }) => [id, launch.agent.id])).toEqual([
      ['a#1', 'developer-1'],
      ['a#1.1.2', 'developer-2'],
      ['a#1.1.3', 'developer-3'],
    ]);
    expect(driver.finished?.status).toBe('failed');
  });

  test('a step that names its agent has no other', () => {
    const driver = run({ steps: { a: { reassign: 2, agentId: 'bob' } } }, { behave: byStep({ a: failing }) });
    expect(driver.launches.map(({ launch }) => launch.agent.id)).toEqual(['bob']);
  });

  test.each([
    { succeed: 3, needed: 3, passes: true },
    { succeed: 2, needed: 2, passes: true },
    { succeed: 2, needed: 3, passes: false },
    { succeed: 0, needed: 1, passes: false },
  ])('$succeed of 3 succeed, $needed must: $passes', ({ succeed, needed, passes }) => {
    const driver = run(
      { steps: { a: { count: 3, mustPassCount: needed } } },
      { behave: ({ effect }) => ({ durationMs: 1_000 * effect.slot, ...(effect.slot > succeed ? failing : {}) }) },
    );
    expect(driver.finished?.status).toBe(passes ? 'completed' : 'failed');
    expect(driver.launches.map(({ id }) => id)).toEqual(['a#1', 'a#1.2', 'a#1.3']);
    if (passes && needed < 3) expect(driver.cancelled).toEqual(['a#1.3']);
  });

  test('several results are put together', () => {
    const driver = run(
      { steps: { a: { count: 2 } } },
      {
        behave: ({ effect }) => ({
          result: {
            outputs: { [`o${effect.slot}`]: 'x' },
            metrics: { coverage: 70 + 10 * effect.slot, ok: effect.slot === 1 },
            ...(effect.slot === 1 ? { verdict: 'rejected' } : {}),
          },
        }),
      },
    );
    expect(driver.state.steps['a']?.result).toEqual({
      status: 'success',
      verdict: 'rejected',
      outputs: { o1: 'x', o2: 'x' },
      metrics: { coverage: 85, ok: false },
    });
  });

  test('a success of a foreign worker, and a failure nobody recorded, are recorded by the run', () => {
    const driver = run(
      { onFailure: 'continue', steps: { a: {}, b: { role: 'tester' } } },
      {
        assign: ({ role }) => ({ kind: 'assigned', agent: agentNamed(`${role}-1`, role === 'tester' ? { executor: 'worker' } : {}) }),
        behave: byStep({ a: { failure: { kind: 'timeout', recorded: false } } }),
      },
    );
    expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([
      { path: 'a', outcome: 'failure', failure: 'by script' },
      { path: 'b', outcome: 'success' },
    ]);
  });

  test('an agent that comes when nobody wants it any more is given back', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: {} } }));
    driver.cancel();
    expect(driver.finished).toEqual({ status: 'cancelled', reason: 'enough' });
    expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'a', outcome: 'cancelled' }]);
    expect(driver.launches).toEqual([]);
  });
});

test('paused: nothing new starts, what runs finishes, and on resume it goes on', () => {
  const by = { kind: 'person' as const, id: 'ana' };
  const driver = new EngineDriver(buildPlan({ steps: { a: {}, b: { after: ['a'] } } }));
  driver.pass(500);
  driver.send({ type: 'pauseRequested', atMs: driver.nowMs, by, reason: 'look' });
  expect(driver.statesOf()).toEqual({ a: 'passed', b: 'ready' });
  expect(driver.state.status).toBe('paused');
  driver.send({ type: 'pauseRequested', atMs: driver.nowMs, by, reason: 'again' });
  expect(driver.audit().at(-1)).toMatchObject({ action: 'signal.ignored', reason: 'the run is paused already' });
  driver.send({ type: 'resumeRequested', atMs: driver.nowMs, by });
  expect(driver.finished).toEqual({ status: 'completed' });
});

test('ids may be names of the prototype', () => {
  const drafts: [string, StepDraft][] = [
    ['toString', {}],
    ['constructor', { after: ['toString'], approval: true }],
    ['valueOf', { after: ['constructor'] }],
  ];
  const driver = run({ steps: Object.fromEntries(drafts) });
  driver.vote('constructor', 'approve');
  expect(driver.finished).toEqual({ status: 'completed' });
});
