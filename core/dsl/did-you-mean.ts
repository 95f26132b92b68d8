import { limits } from './limits';

/** Shorter beginnings say too little: `time` may be `timeout` or `timezone`. */
const prefixLength = 6;

/**
 * The candidate closest to a name, when it is close: edit distance (with swapped neighbours as one edit) at most 2 or a third of
 * the name's length, whichever is more, and less than all of it. Ties go to the first candidate.
 * Two edits and more give way to a candidate that begins with the whole name: `timeline` is `timeline_hours`, not `timezone`.
 */
export function findClosest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > limits.idLength) return undefined;
  const wanted = name.toLowerCase();
  const limit = Math.min(Math.max(2, Math.floor(name.length / 3)), name.length - 1);
  let best: string | undefined;
  let bestDistance = limit + 1;
  let longer: string | undefined;
  let compared = 0;
  for (const candidate of candidates) {
    compared += 1;
    if (compared > limits.suggestionCandidates) break;
    if (name.length >= prefixLength && candidate.toLowerCase().startsWith(wanted)) longer ??= candidate;
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance - 1);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return longer !== undefined && bestDistance > 1 ? longer : best;
}

/** Optimal string alignment distance, given up (as limit + 1) once it must exceed the limit. */
export function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
