import { parseDuration, parseMoney, parsePercent } from './values';

test.each([
  ['45min', 2_700_000],
  ['4days', 345_600_000],
  ['1hour', 3_600_000],
  ['24hours', 86_400_000],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['PT1H30M', 5_400_000],
  ['P1DT12H', 129_600_000],
  ['P2W', 1_209_600_000],
  ['1.5h', 5_400_000],
  [' 2 weeks ', 1_209_600_000],
  ['1 h 30 m', 5_400_000],
  ['0s', 0],
  ['30', undefined],
  ['', undefined],
  ['-5min', undefined],
  ['5 parsecs', undefined],
  ['30m1h', undefined],
  ['1h1h', undefined],
  ['P', undefined],
  ['PT', undefined],
  ['1h30', undefined],
  ['99999999999999days', undefined],
])('%j is %s ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test('percents and money', () => {
  expect([parsePercent('85%'), parsePercent('12.5 %'), parsePercent('85'), parsePercent('%')]).toEqual([85, 12.5, undefined, undefined]);
  expect([parseMoney('$2.50'), parseMoney('2.50'), parseMoney('$')]).toEqual([2.5, undefined, undefined]);
});
