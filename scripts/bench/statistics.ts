export interface Spread {
  median: number;
  /** First and third quartile. */
  low: number;
  high: number;
  n: number;
}

/** Linear interpolation between the closest ranks. `values` must not be empty. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('a quantile of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75), n: values.length };
}

/** The ratio of each pair that was measured side by side, then their spread: drift of the machine cancels out. */
export function spreadOfRatios(numerators: readonly number[], denominators: readonly number[]): Spread {
  if (numerators.length !== denominators.length) throw new RangeError('ratios need pairs');
  return spreadOf(numerators.map((value, index) => value / (denominators[index] ?? Number.NaN)));
}

export interface MeanInterval {
  mean: number;
  /** Half the width of the 95 % interval (Student's t); infinite for fewer than two values. */
  margin: number;
  n: number;
}

/** Of differences taken pair by pair it is the paired interval. `values` must not be empty. */
export function meanInterval(values: readonly number[]): MeanInterval {
  if (values.length === 0) throw new RangeError('a mean of nothing');
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, margin: Infinity, n };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, margin: studentT(n - 1) * Math.sqrt(variance / n), n };
}

/**
 * The 97.5 % point of Student's t, from the normal one by Fisher's expansion (Abramowitz and Stegun 26.7.5): to 0.01 from 4 degrees of
 * freedom on, too small below.
 */
function studentT(degrees: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}
