/** Numbers in [0, 1) by seed: mulberry32. Fast, which a replay of a million draws needs, and the same on every machine. */
export function createSeeded(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new array in random order (Fisher and Yates). */
export function shuffled<T>(values: readonly T[], draw: () => number): T[] {
  const result = [...values];
  for (let end = result.length - 1; end > 0; end -= 1) {
    const pick = Math.floor(draw() * (end + 1));
    [result[end], result[pick]] = [result[pick] as T, result[end] as T];
  }
  return result;
}
