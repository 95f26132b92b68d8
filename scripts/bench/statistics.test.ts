import { meanInterval, quantile, spreadOfRatios } from './statistics';

test.each([
  [[3], 0.5, 3],
  [[1, 2], 0.5, 1.5],
  [[9, 1, 5], 0.5, 5],
  [[4, 1, 3, 2, 5], 0.25, 2],
  [[4, 1, 3, 2, 5], 1, 5],
])('quantile of %j at %d is %d', (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected);
});

test('ratios are taken pair by pair, so that a slow moment of the machine does not count', () => {
  expect(spreadOfRatios([10, 20, 1000], [10, 20, 500]).median).toBe(1);
  expect(() => spreadOfRatios([1], [1, 2])).toThrow(RangeError);
});

test.each([
  // t(0.975) = 2.776 of 4, 2.262 of 9 and 2.023 of 39 degrees of freedom.
  [[1, 2, 3, 4, 5], 3, 2.776 * Math.sqrt(2.5 / 5), 2],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.5, 2.262 * Math.sqrt(55 / 6 / 10), 2],
  [Array.from({ length: 40 }, (_, n) => n % 2), 0.5, 2.023 * Math.sqrt(10 / 39 / 40), 4],
])('the mean of %j', (values, mean, margin, digits) => {
  expect(meanInterval(values).mean).toBe(mean);
  expect(meanInterval(values).margin).toBeCloseTo(margin, digits);
});

test('one value says nothing of how far it can be trusted', () => {
  expect(meanInterval([3])).toEqual({ mean: 3, margin: Infinity, n: 1 });
});
