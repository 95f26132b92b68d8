import { formatAge, formatDuration, formatPercent } from './duration';

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [320, '320ms'],
    [1_000, '1s'],
    [1_500, '1.5s'],
    [9_960, '10s'],
    [45_000, '45s'],
    [59_700, '1min'],
    [60_000, '1min'],
    [90_000, '1min 30s'],
    [45 * 60_000, '45min'],
    [59 * 60_000 + 59_900, '1h'],
    [5_400_000, '1h 30min'],
    [7_200_000, '2h'],
    [24 * 3_600_000, '1d'],
    [4.5 * 86_400_000, '4d 12h'],
    [-90_000, '-1min 30s'],
  ])('%d ms is %s', (durationMs, expected) => expect(formatDuration(durationMs)).toBe(expected));
});

test.each([
  [0, '0%'],
  [0.004, '0%'],
  [0.455, '46%'],
  [0.999, '99%'],
  [1, '100%'],
])('%d is %s', (fraction, expected) => expect(formatPercent(fraction)).toBe(expected));

test('an age is told by its largest unit', () => {
  const nowMs = Date.parse('2025-11-09T12:00:00Z');
  expect(formatAge('2025-11-09T11:57:30Z', nowMs)).toBe('2min ago');
  expect(formatAge('2025-11-07T11:57:30Z', nowMs)).toBe('2d ago');
  expect(formatAge('2025-11-09T12:00:00Z', nowMs)).toBe('just now');
});
