import { quantile, spreadOfRatios } from './statistics';

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
