import { EngineDriver } from '../test/support/engine-driver';
import { buildPlan } from '../test/support/plan-builder';
import type { EngineEvent } from '../core/engine/types';
import { createNoticeSender } from './notices';
import type { ScopePool } from './scopes';

const [notify] = new EngineDriver(buildPlan({ notify: [{ channel: 'log', on: ['waiting'] }], steps: { a: { approval: true } } })).run()
  .notices;

/** Operations end when the test says: activities and the one timer, in the order of their start. */
function createSending() {
  const started: { done: (value?: unknown) => void; fail: (error: unknown) => void; cancelled: boolean }[] = [];
  const scopes: ScopePool = {
    start(_operation, onDone, onFailed) {
      const one = { done: (value?: unknown) => onDone(value as never), fail: onFailed, cancelled: false };
      started.push(one);
      return { cancel: () => void (one.cancelled = true) };
    },
  };
  const events: Extract<EngineEvent, { type: 'noticeEnded' }>[] = [];
  const sender = createNoticeSender(scopes, (event) => void (event.type === 'noticeEnded' && events.push(event)));
  const send = (id: string): void => sender.send({ ...notify!, id });
  return { started, events, sender, send };
}

test('each ends with one event', () => {
  const { started, events, sender, send } = createSending();
  send('1');
  send('2');
  expect(sender.settle()).toBe(false);
  started[0]!.done({ address: 'here', attempt: 2 });
  started[1]!.fail(new Error('down'));
  expect(events).toMatchObject([
    { id: '1', address: 'here', attempt: 2 },
    { id: '2', failure: 'down' },
  ]);
  expect(sender.settle()).toBe(true);
});

test.each([undefined, null, 'text', { address: 3 }])('an answer like %p harms nothing', (output) => {
  const { started, events, send } = createSending();
  send('1');
  started[0]!.done(output);
  expect(events).toMatchObject([{ id: '1' }]);
  expect(events[0]).not.toHaveProperty('address');
});

test('a run that has ended gives up after a minute what is not delivered; what comes then changes nothing', () => {
  const { started, events, sender, send } = createSending();
  expect(sender.settle()).toBe(true);
  send('1');
  send('2');
  expect([sender.settle(), sender.settle()]).toEqual([false, false]);
  const [first, second, timer, ...more] = started;
  expect(more).toEqual([]);
  first!.done({ address: 'here', attempt: 1 });
  timer!.done();
  expect(events.map(({ id, failure }) => [id, failure])).toEqual([
    ['1', undefined],
    ['2', expect.stringContaining('given up 60 s after the end of the run')],
  ]);
  expect([first!.cancelled, second!.cancelled]).toEqual([false, true]);
  second!.fail(new Error('cancelled'));
  expect(events).toHaveLength(2);
  expect(sender.settle()).toBe(true);
});
