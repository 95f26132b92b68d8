import { byLongestPath, listScheduleMs } from './list-schedule';
import type { TimedStep } from './list-schedule';

const step = (id: string, durationMs: number, needs: string[] = []): TimedStep => ({ id, durationMs, needs });

/** Paths: a 5, b 4, c 6, d 3, e 4. */
const dag = [step('a', 2), step('b', 4), step('c', 2), step('d', 3, ['a']), step('e', 4, ['c'])];

test('the longest remaining path comes first, then the place in the list', () => {
  expect(byLongestPath(dag).map(({ id }) => id)).toEqual(['c', 'a', 'b', 'e', 'd']);
});

test.each<[string, TimedStep[], number, number]>([
  // c 0–2, a 2–4, b 4–8, e 8–12, d 12–15
  ['one slot: the sum', dag, 1, 15],
  // c 0–2 and a 0–2; b 2–6 and e 2–6; d 6–9
  ['two slots', dag, 2, 9],
  // c, a and b at 0; e 2–6 and d 2–5
  ['three slots: the longest path', dag, 3, 6],
  // a 0–1, d 0–2, b 1–2, c 2–3
  ['equal paths, in the order of the list', [step('a', 1), step('b', 1), step('c', 1, ['a']), step('d', 2)], 2, 3],
  ['nothing to do', [], 2, 0],
])('%s', (_, steps, slots, expectedMs) => {
  expect(listScheduleMs({ steps, slots })).toBe(expectedMs);
});

test('what can never start is an error, not an endless loop', () => {
  expect(() => listScheduleMs({ steps: [step('a', 1, ['later'])], slots: 1 })).toThrow(RangeError);
  expect(() => listScheduleMs({ steps: [step('a', 1)], slots: 0 })).toThrow(RangeError);
});
