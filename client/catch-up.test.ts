import { aRun } from '../test/support/run-views';
import { catchUp } from './catch-up';

const startedAt = '2025-11-09T10:00:00.000Z';
const startedAtMs = Date.parse(startedAt);
const phase = { id: 'p', title: 'P', done: 0, total: 1, plannedMs: null };

/** As of its workflow's last task, ten real seconds after the start: 36,000 s of plan time at scale 3600. */
const stale = aRun({
  startedAt,
  timeScale: 3_600,
  phases: [
    { ...phase, id: 'a', state: 'passed', elapsedMs: 7_200_000 },
    { ...phase, id: 'b', state: 'running', elapsedMs: 28_800_000 },
    { ...phase, id: 'c', state: 'pending', elapsedMs: null },
  ],
  timeline: { plannedMs: 50_000_000, elapsedMs: 36_000_000, etaP50: 40_000_000, etaP90: 60_000_000 },
});

test('a view of a moment ago becomes one of now, in plan time', () => {
  const view = catchUp(stale, startedAtMs + 12_000);
  expect(view.timeline).toEqual({ plannedMs: 50_000_000, elapsedMs: 43_200_000, etaP50: 43_200_000, etaP90: 60_000_000 });
  expect(view.phases.map(({ elapsedMs }) => elapsedMs)).toEqual([7_200_000, 36_000_000, null]);
});

test('a clock that is behind takes nothing away', () => {
  expect(catchUp(stale, startedAtMs - 5_000)).toEqual(stale);
  const unknown = aRun({ startedAt, timeline: { plannedMs: null, elapsedMs: 0, etaP50: null, etaP90: null } });
  expect(catchUp(unknown, startedAtMs + 1_000).timeline).toEqual({ plannedMs: null, elapsedMs: 1_000, etaP50: null, etaP90: null });
});

test.each(['completed', 'rolled_back', 'cancelled'] as const)('a run that is %s stays as it is', (status) => {
  const ended = { ...stale, status };
  expect(catchUp(ended, startedAtMs + 60_000)).toEqual(ended);
});

test.each([
  ['of a moment ago is usual', { since: '2025-11-09T10:00:00.000Z', refused: 0 }, 5_000, undefined],
  ['of a moment ago is usual, what was refused is not', { since: '2025-11-09T10:00:00.000Z', refused: 2 }, 5_000, { refused: 2 }],
  ['that goes on and on is shown', { since: '2025-11-09T10:00:00.000Z', refused: 0 }, 60_000, { since: startedAt, refused: 0 }],
])('a recording %s', (_name, recording, afterMs, expected) => {
  expect(catchUp({ ...stale, recording }, startedAtMs + afterMs).recording).toEqual(expected);
});
