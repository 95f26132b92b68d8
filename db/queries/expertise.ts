import {
  confidenceOf,
  exploreHalfLifeDays,
  historyDays,
  newestExecutions,
  recencyHalfLifeDays,
  recentDays,
  recentFactor,
  type TaskTypeExpertise,
} from '../../core/learning/expertise';

/**
 * The formulas of core/learning in SQL: sums over the newest 100 terminal rows come over the wire instead of the rows. A test
 * holds the two against each other.
 */

/** What `expertiseSql` selects. */
export interface ExpertiseRow {
  agent_id: string;
  task_type: string;
  n: number;
  successes: number;
  weights: number;
  success_weights: number;
  decayed_successes: number;
  decayed_failures: number;
  average_duration_ms: number | null;
  average_cost_usd: number | null;
  clock_skew: boolean;
  last_finished_ms: number | null;
}

const terminal = `outcome in ('success', 'failure') and mode = 'do'`;

/** Of the rows, given as an SQL condition: `asOf` leaves out what ended after `at`, which counts as of just now otherwise. */
function withinHistory(at: string, asOf: boolean): string {
  return `finished_at > ${at} - interval '${historyDays} days'${asOf ? ` and finished_at <= ${at}` : ''}`;
}

/** Sums for one agent and task type; the arguments are SQL expressions. Read by the index executions_learning alone. */
export function expertiseSql(agentId: string, taskType: string, at: string, asOf = false): string {
  return `select ${agentId} as agent_id, ${taskType} as task_type, count(*)::int as n, (count(*) filter (where succeeded))::int as successes,
      coalesce(sum(weight), 0) as weights, coalesce(sum(weight) filter (where succeeded), 0) as success_weights,
      coalesce(sum(decay) filter (where succeeded), 0) as decayed_successes, coalesce(sum(decay) filter (where not succeeded), 0) as decayed_failures,
      avg(duration_ms) as average_duration_ms, avg(cost_usd)::float8 as average_cost_usd, coalesce(bool_or(finished_at > ${at}), false) as clock_skew,
      (extract(epoch from max(finished_at)) * 1000)::float8 as last_finished_ms
    from (
      select outcome = 'success' as succeeded, duration_ms, cost_usd, finished_at,
        case when age <= ${recentDays} then ${recentFactor}.0 else 1.0 end * power(2::float8, -age / ${recencyHalfLifeDays}) as weight,
        power(2::float8, -age / ${exploreHalfLifeDays}) as decay
      from (
        select outcome, duration_ms, cost_usd, finished_at, greatest(0, extract(epoch from ${at} - finished_at)::float8) / 86400 as age
        from executions where task_type = ${taskType} and agent_id = ${agentId} and ${terminal}
          and ${withinHistory(at, asOf)}
        order by finished_at desc limit ${newestExecutions}
      ) newest
    ) weighted`;
}

/** n and successes of an agent over its newest rows of any task type. Read by the index executions_of_agent alone. */
export function overallSql(agentId: string, at: string, asOf = false): string {
  return `select count(*)::int as n, (count(*) filter (where outcome = 'success'))::int as successes from (
      select outcome from executions where agent_id = ${agentId} and ${terminal} and ${withinHistory(at, asOf)}
      order by finished_at desc limit ${newestExecutions}
    ) newest`;
}

export function expertiseOfRow(row: ExpertiseRow): TaskTypeExpertise {
  const { n, successes, weights } = row;
  return {
    taskType: row.task_type,
    n,
    successes,
    successRate: n === 0 ? 0 : successes / n,
    recentSuccessRate: weights === 0 ? 0 : Math.min(1, row.success_weights / weights),
    confidence: confidenceOf(n),
    averageDurationMs: row.average_duration_ms,
    averageCostUsd: row.average_cost_usd,
    effectiveN: weights / recentFactor,
    decayedSuccesses: row.decayed_successes,
    decayedFailures: row.decayed_failures,
    clockSkew: row.clock_skew,
    lastFinishedAtMs: row.last_finished_ms,
  };
}
