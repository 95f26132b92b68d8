import { EngineDriver, startMs, type DriverOptions, type Ending } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';

const above = (name: string, value: number): Condition => ({ op: '>', left: { op: 'metric', name }, right: { op: 'literal', value } });
const errors = { condition: above('errors', 1), text: 'errors > 1' };

/** A monitor whose k-th sample ends as `samples[k]` says (the last one repeats). */
function run(
  monitor: StepDraft['monitor'],
  samples: (Ending | Record<string, number | boolean>)[],
  more: { plan?: Partial<PlanDraft>; step?: StepDraft; options?: DriverOptions } = {},
): EngineDriver {
  const plan = buildPlan({ ...more.plan, steps: { ...more.plan?.steps, watch: { role: 'monitor', monitor: monitor!, ...more.step } } });
  const endingOf = (one: Ending | Record<string, number | boolean>): Ending =>
    'failure' in one || 'result' in one || 'durationMs' in one
      ? one
      : { durationMs: 100, result: { metrics: one as Record<string, number> } };
  return new EngineDriver(plan, {
    behave: ({ sample }) => (sample === undefined ? {} : endingOf(samples[Math.min(sample.index, samples.length - 1)]!)),
    ...more.options,
  }).run();
}
const samplesOf = (driver: EngineDriver) =>
  driver.launches
    .filter(({ launch }) => launch.sample !== undefined)
    .map(({ launch, atMs }) => ({ ...launch.sample!, path: launch.effect.path, ms: atMs - startMs }));
const alertsOf = (driver: EngineDriver): string[] =>
  driver.state.alerts.map(({ name, state, atMs }) => `${name} ${state} ${Math.round((atMs - startMs) / 1_000)}`);

test('a sample at once, then one per interval by timer, and its end when the duration is over', () => {
  const driver = run({ durationMs: 60_000, intervalMs: 20_000 }, [{ errors: 0 }]);
  expect(samplesOf(driver)).toEqual([0, 1, 2].map((index) => ({ index, of: 3, path: `watch/sample-${index}`, ms: index * 20_000 })));
  expect(driver.finished).toEqual({ status: 'completed' });
  expect(driver.nowMs - startMs).toBe(60_000);
  expect(driver.assigns.flat()).toHaveLength(1);
  expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'watch', outcome: 'success', atMs: startMs + 60_000 }]);
  expect(driver.engine.timelineView().steps).toMatchObject([{ step: 'watch', outcome: 'success' }]);
});

test('its report: mean and maximum of each metric, and how many alerts', () => {
  const driver = run({ durationMs: 30_000, alerts: [errors] }, [{ errors: 0 }, { errors: 4 }, { errors: 2 }]);
  expect(driver.state.steps['watch']?.result).toEqual({
    status: 'success',
    summary: '3 samples, 1 alert',
    metrics: { alerts: 1, samples: 3, failed_samples: 0, errors: 2, errors_max: 4 },
  });
});

test.each([
  { name: 'a default interval is never shorter than 100 ms', explicit: false, expected: { of: 10, intervalMs: 100 } },
  { name: 'an explicit one is as it says', explicit: true, expected: { of: 60, intervalMs: 1_000 / 60 } },
])('under a time scale $name', ({ explicit, expected }) => {
  const driver = run({ durationMs: 3_600_000, intervalMs: 60_000, intervalIsExplicit: explicit }, [{ durationMs: 1 }], {
    options: { engine: { timeScale: 3_600 } },
  });
  expect(driver.state.steps['watch']?.monitor).toMatchObject(expected);
  expect(samplesOf(driver)).toHaveLength(expected.of);
  expect(driver.nowMs - startMs).toBe(1_000);
});

test('a sample that takes longer than the interval makes it skip points, not last longer', () => {
  const driver = run({ durationMs: 60_000, intervalMs: 10_000 }, [{ durationMs: 25_000 }]);
  expect(samplesOf(driver).map(({ index }) => index)).toEqual([0, 3]);
  expect(driver.nowMs - startMs).toBe(60_000);
});

describe('alerts', () => {
  test('raised when the condition holds, cleared when it no longer does', () => {
    const driver = run({ alerts: [errors] }, [{ errors: 0 }, { errors: 5 }, { errors: 5 }, { errors: 0 }, { errors: 5 }, { errors: 0 }]);
    expect(alertsOf(driver)).toEqual(['errors > 1 raised 10', 'errors > 1 cleared 30', 'errors > 1 raised 40', 'errors > 1 cleared 50']);
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.changes.flatMap((change) => change.alerts)).toEqual(driver.state.alerts);
  });

  test('for N samples in a row', () => {
    expect(
      alertsOf(run({ alerts: [errors], forSamples: 2 }, [{ errors: 5 }, { errors: 0 }, { errors: 5 }, { errors: 5 }, { errors: 0 }])),
    ).toEqual(['errors > 1 raised 30', 'errors > 1 cleared 40']);
  });

  test('metrics that stay away for three samples are an alert of their own', () => {
    expect(alertsOf(run({ alerts: [errors] }, [{ x: 1 }, { x: 1 }, { x: 1 }, { x: 1 }, { errors: 0 }]))).toEqual([
      'no data: errors > 1 raised 20',
      'no data: errors > 1 cleared 40',
    ]);
  });

  test('on_alert fail fails the step', () => {
    const driver = run({ alerts: [errors], onAlert: 'fail' }, [{ errors: 0 }, { errors: 5 }]);
    expect(driver.finished).toMatchObject({ status: 'failed', reason: expect.stringContaining('errors > 1') });
    expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'watch', outcome: 'failure' }]);
  });
});

describe('rollback', () => {
  const deploy: PlanDraft['steps'] = {
    build: { compensate: { action: 'undo' } },
    deploy: { after: ['build'], deploys: true, environments: ['production'] },
    later: { after: ['deploy'], compensate: { action: 'undo' } },
  };

  test.each([
    ['on_alert', { alerts: [errors], onAlert: 'rollback' as const }, { errors: 5 }],
    [
      'auto_rollback_if',
      { autoRollbackIf: { op: 'quantifier', name: 'critical_error' } as Condition, autoRollbackText: 'critical_error' },
      { critical_error: true },
    ],
  ])('%s undoes the deployments it watches, even after later steps ran, and only those', (_, monitor, bad) => {
    const driver = run(monitor, [{ errors: 0 }, bad], { plan: { steps: deploy }, step: { after: ['deploy'] } });
    expect(driver.finished).toMatchObject({ status: 'rolled_back', reason: expect.stringContaining('monitor watch') });
    expect(driver.order().filter((one) => one.startsWith('undo'))).toEqual(['undo deploy']);
    expect(driver.statesOf()).toEqual({ build: 'passed', deploy: 'compensated', later: 'passed', watch: 'failed' });
  });
});

test('a failed sample is a failed sample; all of them are a failed step', () => {
  const failing: Ending = { durationMs: 100, failure: { kind: 'timeout' } };
  const some = run({ durationMs: 30_000 }, [failing, { errors: 0 }]);
  expect(some.state.steps['watch']?.result).toMatchObject({
    summary: '3 samples, 1 failed, 0 alerts',
    metrics: { failed_samples: 1, errors: 0 },
  });
  expect(run({ durationMs: 30_000 }, [failing]).finished).toMatchObject({
    status: 'failed',
    reason: 'step watch failed: all 3 samples failed',
  });
});

test('a cancel stops it, its sample and its timer', () => {
  const driver = new EngineDriver(buildPlan({ steps: { watch: { monitor: {} } } })).pass(15_000);
  driver.cancel();
  expect(driver.finished?.status).toBe('cancelled');
  expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'watch', outcome: 'cancelled' }]);
});

test.each([
  ['a cancel', 15_000, (driver: EngineDriver) => driver.cancel()],
  ['a failure elsewhere', 0, (driver: EngineDriver) => driver],
])('%s while a sample is being taken leaves no step running, and the sample raises nothing', (_, afterMs, stop) => {
  const plan = buildPlan({
    steps: {
      watch: { monitor: { alerts: [{ condition: above('errors', -1), text: 'any' }], onAlert: 'rollback' } },
      other: { role: 'tester' },
    },
  });
  const driver = new EngineDriver(plan, {
    behave: ({ sample }) =>
      sample === undefined
        ? { durationMs: 5_000, failure: { kind: 'failed' } }
        : { durationMs: 60_000, cancelled: { succeeds: true }, result: { metrics: { errors: 5 } } },
  });
  stop(driver.pass(afterMs)).run();
  expect(driver.finished).toBeDefined();
  expect(driver.stateOf('watch')).toBe('cancelled');
  expect(alertsOf(driver)).toEqual([]);
  expect(driver.changes.flatMap((change) => change.ends).filter(({ path }) => path === 'watch')).toMatchObject([{ outcome: 'cancelled' }]);
});
