import { EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan } from '../../test/support/plan-builder';

describe('an unknown outcome', () => {
  const unknown: DriverOptions['behave'] = ({ effect }) =>
    effect.assignment === 1 ? { failure: { kind: 'unknown', recorded: false } } : {};
  test('asks: approve tries again, reject fails', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: {} } }), { behave: unknown }).run();
    expect(driver.engine.waitsFor()).toEqual(['a:unknown']);
    expect(driver.state.status).toBe('blocked');
    expect(driver.changes.flatMap((change) => change.ends)).toMatchObject([{ path: 'a', outcome: 'unknown' }]);
    expect(driver.vote('a:unknown', 'approve').launches.map(({ id }) => id)).toEqual(['a#1', 'a#1.1.2']);
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(new EngineDriver(buildPlan({ steps: { a: {} } }), { behave: unknown }).run().vote('a:unknown', 'reject').finished?.status).toBe(
      'failed',
    );
  });

  test.each([{ restoreAlways: false }, { restoreAlways: true }])('tried again, it waits for a slot like any other step', (options) => {
    const driver = new EngineDriver(buildPlan({ maxConcurrentSteps: 1, steps: { a: {}, b: {} } }), {
      behave: (launch, atMs) => (launch.step === 'a' ? unknown(launch, atMs) : { durationMs: 5_000 }),
      ...options,
    });
    driver.pass(2_000);
    driver.vote('a:unknown', 'approve');
    expect(driver.maxRunning).toBe(1);
    expect(driver.launches.map(({ id, atMs }) => [id, atMs - startMs])).toEqual([
      ['a#1', 0],
      ['b#1', 1_000],
      ['a#1.1.2', 6_000],
    ]);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('of several agents: what failed meanwhile is tried again once', () => {
    const driver = new EngineDriver(buildPlan({ steps: { a: { count: 2, reassign: 5 } } }), {
      behave: ({ effect }) => ({
        durationMs: effect.slot * 1_000,
        ...(effect.assignment === 1 && { failure: { kind: effect.slot === 1 ? 'unknown' : 'failed' } }),
      }),
    });
    driver.pass(2_500);
    driver.vote('a:unknown', 'approve');
    expect(driver.launches.map(({ id }) => id)).toEqual(['a#1', 'a#1.2', 'a#1.1.2', 'a#1.2.2']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });
});
