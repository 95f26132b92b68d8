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
