import { createOneAtATime } from './one-at-a-time';
import type { Turn } from './one-at-a-time';

const never = new AbortController().signal;

function turn(signal = never, waits: string[] = []): Turn {
  return {
    signal,
    onWait: () => {
      waits.push('waits');
      return () => waits.push('goes on');
    },
  };
}

function opened(): { open: () => void; wait: () => Promise<void> } {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  return { open, wait: () => gate };
}

test('work of one key waits for the last to end, however it ends; other keys do not', async () => {
  const alone = createOneAtATime();
  const seen: string[] = [];
  const waits: string[] = [];
  const first = opened();
  const failing = alone('a', turn(never, waits), async () => {
    await first.wait();
    seen.push('first ended');
    throw new Error('failed');
  });
  const second = alone('a', turn(never, waits), async () => void seen.push('second'));
  const third = alone('a', turn(), async () => void seen.push('third'));
  await alone('b', turn(), async () => void seen.push('other'));
  expect(seen).toEqual(['other']);
  expect(waits).toEqual(['waits']);
  first.open();
  await expect(failing).rejects.toThrow('failed');
  await Promise.all([second, third]);
  expect(seen).toEqual(['other', 'first ended', 'second', 'third']);
  expect(waits).toEqual(['waits', 'goes on']);
});

test('one that is cancelled while it waits does no work, and the next still waits for the first', async () => {
  const alone = createOneAtATime();
  const first = opened();
  const running = alone('a', turn(), first.wait);
  const cancel = new AbortController();
  const work = jest.fn(async () => undefined);
  const waiting = alone('a', turn(cancel.signal), work);
  cancel.abort(new Error('cancelled'));
  await expect(waiting).rejects.toThrow('cancelled');
  const next = alone('a', turn(), work);
  await new Promise(setImmediate);
  expect(work).not.toHaveBeenCalled();
  first.open();
  await Promise.all([running, next]);
  expect(work).toHaveBeenCalledTimes(1);
});
