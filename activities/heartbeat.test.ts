import { startHeartbeat } from './heartbeat';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('renews at its own pace, never twice at once, and stops with the agent', async () => {
  let beats = 0;
  const renewals: (() => void)[] = [];
  const heartbeat = startHeartbeat({
    beat: () => (beats += 1),
    everyMs: 1_000,
    renew: () => new Promise((resolve) => renewals.push(resolve)),
    renewEveryMs: 20_000,
  });
  await jest.advanceTimersByTimeAsync(19_999);
  expect([beats, renewals.length]).toEqual([19, 0]);
  await jest.advanceTimersByTimeAsync(20_001);
  expect([beats, renewals.length]).toEqual([40, 1]);
  renewals[0]!();
  await jest.advanceTimersByTimeAsync(20_000);
  expect(renewals).toHaveLength(2);
  heartbeat.stop();
  await jest.advanceTimersByTimeAsync(60_000);
  expect([beats, renewals.length]).toEqual([60, 2]);
});
