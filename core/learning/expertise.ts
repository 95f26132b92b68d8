import type { Outcome } from '../contract/states';

/** One execution as learning sees it. */
export interface ExecutionData {
  agentId: string;
  taskType: string;
  outcome: Outcome;
  /** Epoch ms. */
  finishedAtMs: number;
  durationMs?: number | null;
  costUsd?: number | null;
}

/**
 * What the history says about one agent and one task type, over its newest 100 terminal executions. Ages count from the `nowMs`
 * it was computed with.
 */
export interface TaskTypeExpertise {
  taskType: string;
  /** Terminal executions considered (success or failure), at most 100. */
  n: number;
  successes: number;
  /** successes / n; 0 where n is 0. */
  successRate: number;
  /** The same, each execution weighted by its age: see recencyWeight. */
  recentSuccessRate: number;
  /** min(1, n / 20): how far to trust the rate. */
  confidence: number;
  averageDurationMs: number | null;
  averageCostUsd: number | null;
  /** Σ weight / 3: how many executions of today the history is worth. */
  effectiveN: number;
  /** Successes and failures decayed by 2^(-age / 14 days): what `explore` counts. */
  decayedSuccesses: number;
  decayedFailures: number;
  /** Some execution ended after `nowMs`: somebody's clock is wrong. It counts with age 0. */
  clockSkew: boolean;
  lastFinishedAtMs: number | null;
}

export const newestExecutions = 100;
/** Older executions are not read from Postgres. */
export const historyDays = 90;
export const confidentAfter = 20;
export const recentDays = 7;
export const recentFactor = 3;
export const recencyHalfLifeDays = 7;
export const exploreHalfLifeDays = 14;
export const dayMs = 86_400_000;

/** Age in days, never negative. */
export function ageInDays(finishedAtMs: number, nowMs: number): number {
  return Math.max(0, nowMs - finishedAtMs) / dayMs;
}

/** w(a) = (a ≤ 7 ? 3 : 1) · 2^(−a/7), a in days. */
export function recencyWeight(ageDays: number): number {
  return (ageDays <= recentDays ? recentFactor : 1) * 2 ** (-ageDays / recencyHalfLifeDays);
}

/** min(1, n / 20). */
export function confidenceOf(n: number): number {
  return Math.min(1, n / confidentAfter);
}

/** The newest 100 terminal executions, newest first; the order of the argument does not matter. */
export function newestTerminal(executions: readonly ExecutionData[]): ExecutionData[] {
  return executions
    .filter(({ outcome }) => outcome === 'success' || outcome === 'failure')
    .sort(
      (a, b) =>
        b.finishedAtMs - a.finishedAtMs ||
        a.outcome.localeCompare(b.outcome) ||
        (a.durationMs ?? -1) - (b.durationMs ?? -1) ||
        (a.costUsd ?? -1) - (b.costUsd ?? -1),
    )
    .slice(0, newestExecutions);
}

/** Expertise from rows of one agent and one task type (others must be filtered out before). */
export function computeExpertise(taskType: string, executions: readonly ExecutionData[], nowMs: number): TaskTypeExpertise {
  const rows = newestTerminal(executions);
  const n = rows.length;
  const newestAge = Math.min(...rows.map((row) => ageInDays(row.finishedAtMs, nowMs)));
  let successes = 0;
  let weights = 0;
  let successWeights = 0;
  let effective = 0;
  let decayedSuccesses = 0;
  let decayedFailures = 0;
  for (const row of rows) {
    const age = ageInDays(row.finishedAtMs, nowMs);
    // Relative to the newest row: a history of years ago would otherwise underflow to 0 / 0.
    const weight = (age <= recentDays ? recentFactor : 1) * 2 ** (-(age - newestAge) / recencyHalfLifeDays);
    const decay = 2 ** (-age / exploreHalfLifeDays);
    const succeeded = row.outcome === 'success';
    weights += weight;
    effective += recencyWeight(age);
    if (succeeded) {
      successes += 1;
      successWeights += weight;
      decayedSuccesses += decay;
    } else {
      decayedFailures += decay;
    }
  }
  return {
    taskType,
    n,
    successes,
    successRate: n === 0 ? 0 : successes / n,
    recentSuccessRate: n === 0 ? 0 : Math.min(1, successWeights / weights),
    confidence: confidenceOf(n),
    averageDurationMs: average(rows.map((row) => row.durationMs)),
    averageCostUsd: average(rows.map((row) => row.costUsd)),
    effectiveN: effective / recentFactor,
    decayedSuccesses,
    decayedFailures,
    clockSkew: rows.some((row) => row.finishedAtMs > nowMs),
    lastFinishedAtMs: rows[0]?.finishedAtMs ?? null,
  };
}

function average(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => value != null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
