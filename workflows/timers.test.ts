import type { ScopePool } from './scopes';
import { createTimers } from './timers';

/** Timers that fire when told to, even after their cancel: as the server does when both happen in one workflow task. */
function createFiring() {
  const fire: (() => void)[] = [];
  const scopes: ScopePool = {
    start(_operation, onDone) {
      fire.push(() => onDone(undefined as never));
      return { cancel: () => undefined };
    },
  };
  const fired: string[] = [];
  return { fire, fired, timers: createTimers(scopes, (id) => fired.push(id)) };
}

test('a timer fires once, under its id', () => {
  const { fire, fired, timers } = createFiring();
  timers.start('a', 1, '');
  timers.start('b', 1, '');
  fire[1]!();
  expect(fired).toEqual(['b']);
});

test.each([
  ['cancelled', (timers: ReturnType<typeof createTimers>) => timers.cancel('a')],
  ['cancelled with all others', (timers: ReturnType<typeof createTimers>) => timers.cancelAll()],
])('one that was %s does not fire, though its time came in the same workflow task', (_, cancel) => {
  const { fire, fired, timers } = createFiring();
  timers.start('a', 1, '');
  cancel(timers);
  fire[0]!();
  expect(fired).toEqual([]);
});

test('one that was started again fires at its new time only', () => {
  const { fire, fired, timers } = createFiring();
  timers.start('a', 1, '');
  timers.start('a', 2, '');
  fire[0]!();
  expect(fired).toEqual([]);
  fire[1]!();
  expect(fired).toEqual(['a']);
});
