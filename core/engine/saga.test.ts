import { agentNamed, byStep, EngineDriver, type DriverOptions, type Ending } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';

const failing: Ending = { failure: { kind: 'failed' } };
const undo = { compensate: { action: 'undo' } };
const run = (draft: PlanDraft, endings: Record<string, Ending> = {}, options: DriverOptions = {}): EngineDriver =>
  new EngineDriver(buildPlan(draft), { behave: byStep(endings), ...options }).run();
const undone = (driver: EngineDriver): string[] =>
  driver.launches.filter(({ launch }) => launch.effect.mode === 'undo').map(({ id }) => id);

test('what was done is undone in reverse order of completion, by who did it, the failed step first', () => {
  const driver = run(
    { steps: { a: undo, b: undo, c: { after: ['a', 'b'] }, d: { after: ['c'], ...undo } } },
    { a: { durationMs: 3_000 }, b: { durationMs: 1_000 }, d: failing },
  );
  expect(driver.finished).toEqual({ status: 'rolled_back', reason: 'step d failed: by script' });
  expect(undone(driver)).toEqual(['d#1!undo', 'a#1!undo', 'b#1!undo']);
  expect(driver.statesOf()).toEqual({ a: 'compensated', b: 'compensated', c: 'passed', d: 'failed' });
  const launch = driver.launches.find(({ id }) => id === 'a#1!undo')!.launch;
  expect(launch).toMatchObject({ action: 'undo', agent: { id: 'developer-1' }, effect: { path: 'a', mode: 'undo' } });
  expect(driver.assigns.at(-1)).toMatchObject([{ step: 'b', agentId: 'developer-1', mode: 'undo' }]);
});

test.each<[string, PlanDraft['steps'][string], Partial<Parameters<typeof agentNamed>[1]>, string | undefined]>([
  ['the step', { compensate: { action: 'revert' } }, { compensate: 'other' }, 'revert'],
  ['the agent', {}, { compensate: 'other' }, 'other'],
  [
    'a deployment with rollback_on',
    { deploys: true, rollbackOn: { condition: { op: 'quantifier', name: 'any_error' }, text: 'any_error' } },
    {},
    'rollback',
  ],
  ['a deployment to production', { deploys: true, environments: ['production'] }, {}, 'rollback'],
  ['nothing for another deployment', { deploys: true, environments: ['staging'] }, {}, undefined],
  ['nothing at all', {}, {}, undefined],
])('how it is undone comes from %s', (_, step, agent, action) => {
  const driver = run(
    { steps: { a: step, b: { after: ['a'] } } },
    { b: failing },
    { assign: ({ role }) => ({ kind: 'assigned', agent: agentNamed(`${role}-1`, agent) }) },
  );
  const launch = driver.launches.find(({ launch: one }) => one.effect.mode === 'undo' && one.effect.path === 'a');
  expect(launch?.launch.action).toBe(action);
  expect(driver.finished?.status).toBe(action === undefined ? 'failed' : 'rolled_back');
});

test('what runs is cancelled and waited for, and undone whatever came of it', () => {
  const driver = run(
    { steps: { slow: undo, stubborn: undo, bad: {}, later: { after: ['slow'] } } },
    {
      slow: { durationMs: 90_000, cancelled: { afterMs: 2_000 } },
      stubborn: { durationMs: 90_000, cancelled: { afterMs: 5_000, succeeds: true } },
      bad: failing,
    },
  );
  expect(driver.cancelled).toEqual(['slow#1', 'stubborn#1']);
  expect(undone(driver)).toEqual(['stubborn#1!undo', 'slow#1!undo']);
  expect(driver.statesOf()).toEqual({ slow: 'cancelled', stubborn: 'compensated', bad: 'failed', later: 'cancelled' });
  expect(driver.launches.find(({ id }) => id === 'stubborn#1!undo')!.atMs).toBe(driver.ends.find(({ id }) => id === 'stubborn#1')!.atMs);
});

test('an unknown outcome counts as the last to have ended', () => {
  const driver = run(
    { steps: { a: { ...undo, onFailure: 'continue' }, b: undo } },
    { a: { failure: { kind: 'unknown' } }, b: { durationMs: 9_000 } },
  );
  driver.cancel();
  expect(undone(driver)).toEqual(['a#1!undo', 'b#1!undo']);
  expect(driver.finished?.status).toBe('cancelled');
});

test('what never started is not undone', () => {
  const driver = run({ steps: { a: { ...undo } } }, { a: { failure: { kind: 'not_runnable' } } });
  expect(undone(driver)).toEqual([]);
  expect(driver.finished?.status).toBe('failed');
});

test('every agent that tried is undone', () => {
  const driver = run(
    { steps: { a: { ...undo, reassign: 1 }, b: { after: ['a'] } } },
    { b: failing },
    {
      behave: ({ step, effect }) => (effect.mode === 'do' && (step === 'b' || effect.assignment === 1) ? failing : {}),
    },
  );
  expect(undone(driver)).toEqual(['a#1.1.2!undo', 'a#1!undo']);
});

test('a compensation that fails is recorded, the rest continue, and the run says what was not undone', () => {
  const driver = run({ steps: { a: undo, b: { after: ['a'], ...undo }, c: { after: ['b'] } } }, { c: failing, 'undo b': failing });
  expect(undone(driver)).toEqual(['b#1!undo', 'a#1!undo']);
  expect(driver.finished).toEqual({ status: 'rollback_failed', reason: 'step c failed: by script; not undone: b' });
  expect(driver.statesOf()).toEqual({ a: 'compensated', b: 'compensation_failed', c: 'failed' });
});

test('an agent that is busy is waited for, one that is gone is not', () => {
  const draft: PlanDraft = { steps: { a: undo, b: { after: ['a'] } } };
  let asked = 0;
  const busy = run(
    draft,
    { b: failing },
    {
      assign: ({ mode, role }) =>
        mode === 'undo' && (asked += 1) < 3 ? { kind: 'busy', reason: 'busy' } : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
    },
  );
  expect(busy.finished?.status).toBe('rolled_back');
  const gone = run(
    draft,
    { b: failing },
    {
      assign: ({ mode, role }) =>
        mode === 'undo' ? { kind: 'nobody', reason: 'retired' } : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
    },
  );
  expect(gone.finished).toMatchObject({ status: 'rollback_failed' });
  expect(gone.stateOf('a')).toBe('compensation_failed');
});

test.each([
  ['rollback', ['prod#1!undo', 'a#1!undo'], 'rolled_back'],
  ['fail', ['prod#1!undo'], 'rolled_back'],
] as const)('on_failure %s: production is undone in any case', (onFailure, expected, status) => {
  const driver = run(
    { onFailure, steps: { a: undo, prod: { after: ['a'], deploys: true, environments: ['production'] }, b: { after: ['prod'] } } },
    { b: failing },
  );
  expect(undone(driver)).toEqual(expected);
  expect(driver.finished?.status).toBe(status);
});

test.each([
  [false, ['a#1!undo']],
  [true, []],
])('cancel (no rollback: %s)', (noRollback, expected) => {
  const driver = new EngineDriver(buildPlan({ steps: { a: undo, b: { after: ['a'], approval: true }, c: {} } }), {
    behave: byStep({ c: { durationMs: 60_000 } }),
  });
  driver.pass(5_000);
  driver.cancel(noRollback);
  expect(driver.finished).toEqual({ status: 'cancelled', reason: 'enough' });
  expect(undone(driver)).toEqual(expected);
  expect(driver.state.gates['b']).toMatchObject({ state: 'decided', decision: 'withdrawn' });
  expect(driver.cancelled).toEqual(['c#1']);
});

test('a cancel does not stop a rollback', () => {
  const driver = new EngineDriver(buildPlan({ steps: { a: undo, b: { after: ['a'] } } }), { behave: byStep({ b: failing }) });
  driver.pass(2_500);
  expect(driver.state.status).toBe('rolling_back');
  expect(driver.cancel().finished?.status).toBe('rolled_back');
});
