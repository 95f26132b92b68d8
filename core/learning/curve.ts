import { dayMs, type ExecutionData, newestTerminal } from './expertise';

/** One UTC day of a learning curve. */
export interface LearningDay {
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  n: number;
  successes: number;
  /** null on a day without executions. */
  rate: number | null;
  meanDurationMs: number | null;
  /** Success rate from the first day up to the end of this one. */
  cumulativeRate: number;
}

export interface LearningCurve {
  days: LearningDay[];
  /** Change of the daily rate per day, each day weighted by its n; null under 3 days with executions or 10 executions. */
  trendPerDay: number | null;
}

const trendDays = 3;
const trendExecutions = 10;

/**
 * Daily windows of the newest 100 terminal executions. Days between the first and the last without executions are listed with
 * n = 0, at most `maxDays` of the newest ones.
 */
export function computeLearningCurve(executions: readonly ExecutionData[], maxDays = 90): LearningCurve {
  const rows = newestTerminal(executions);
  const buckets = new Map<number, ExecutionData[]>();
  for (const row of rows) {
    const day = Math.floor(row.finishedAtMs / dayMs);
    const bucket = buckets.get(day);
    if (bucket === undefined) buckets.set(day, [row]);
    else bucket.push(row);
  }
  const numbers = [...buckets.keys()];
  const last = Math.max(...numbers);
  const first = Math.max(Math.min(...numbers), last - maxDays + 1);
  const days: LearningDay[] = [];
  let seen = 0;
  let succeeded = 0;
  for (const [day, bucket] of buckets) {
    if (day >= first) continue;
    seen += bucket.length;
    succeeded += countSuccesses(bucket);
  }
  for (let day = first; day <= last; day += 1) {
    const bucket = buckets.get(day) ?? [];
    const successes = countSuccesses(bucket);
    seen += bucket.length;
    succeeded += successes;
    const durations = bucket.map((row) => row.durationMs).filter((duration) => duration != null);
    days.push({
      day: new Date(day * dayMs).toISOString().slice(0, 10),
      n: bucket.length,
      successes,
      rate: bucket.length === 0 ? null : successes / bucket.length,
      meanDurationMs: durations.length === 0 ? null : durations.reduce((sum, duration) => sum + duration, 0) / durations.length,
      cumulativeRate: succeeded / seen,
    });
  }
  return { days, trendPerDay: trendOf(days) };
}

/** Slope of the weighted least-squares line through (day, rate). */
function trendOf(days: readonly LearningDay[]): number | null {
  const points = days.flatMap(({ rate, n }, x) => (rate === null ? [] : [{ x, y: rate, weight: n }]));
  const total = points.reduce((sum, point) => sum + point.weight, 0);
  if (points.length < trendDays || total < trendExecutions) return null;
  const meanX = points.reduce((sum, point) => sum + point.weight * point.x, 0) / total;
  const meanY = points.reduce((sum, point) => sum + point.weight * point.y, 0) / total;
  const covariance = points.reduce((sum, point) => sum + point.weight * (point.x - meanX) * (point.y - meanY), 0);
  const variance = points.reduce((sum, point) => sum + point.weight * (point.x - meanX) ** 2, 0);
  return covariance / variance;
}

function countSuccesses(rows: readonly ExecutionData[]): number {
  return rows.filter(({ outcome }) => outcome === 'success').length;
}
