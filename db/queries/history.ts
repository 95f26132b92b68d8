import { sql } from 'kysely';
import type { AgentSpec } from '../../core/contract/agents';
import { findEligible } from '../../core/learning/eligibility';
import { type ExecutionData, historyDays, newestExecutions } from '../../core/learning/expertise';
import { addTaskTypeExpertise, createLearningProfile, type LearningProfile, updateProfileWithLearning } from '../../core/learning/profile';
import type { PlanStep } from '../../core/plan/types';
import type { Database } from '../connect';
import { expertiseOfRow, type ExpertiseRow, expertiseSql, overallSql } from './expertise';
import { isoOf, Statement, unprepared } from './statement';

/** The newest terminal executions of an agent for a task type, newest first. */
export async function getExecutionsForTaskType(
  db: Database,
  agentId: string,
  taskType: string,
  limit = newestExecutions,
): Promise<ExecutionData[]> {
  return (await terminalRows(db, agentId, limit).where('task_type', '=', taskType).execute()).map(executionOfRow);
}

/** The newest terminal executions of an agent, whatever the task type, newest first. */
export async function getAgentExecutions(db: Database, agentId: string, limit = newestExecutions): Promise<ExecutionData[]> {
  return (await terminalRows(db, agentId, limit).execute()).map(executionOfRow);
}

function terminalRows(db: Database, agentId: string, limit: number) {
  return db
    .selectFrom('executions')
    .select(['agent_id', 'task_type', 'outcome', 'finished_at', 'duration_ms', 'cost_usd'])
    .where('agent_id', '=', agentId)
    .where('outcome', 'in', ['success', 'failure'])
    .where('mode', '=', 'do')
    .orderBy('finished_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
}

type TerminalRow = Awaited<ReturnType<ReturnType<typeof terminalRows>['execute']>>[number];

function executionOfRow(row: TerminalRow): ExecutionData {
  return {
    agentId: row.agent_id,
    taskType: row.task_type,
    outcome: row.outcome ?? 'unknown',
    finishedAtMs: row.finished_at?.getTime() ?? 0,
    durationMs: row.duration_ms,
    costUsd: row.cost_usd,
  };
}

export interface ProfileOptions {
  /** As it was known at the time: what ended later is left out. Otherwise such a row is of a clock that is wrong, and counts. */
  asOf?: boolean | undefined;
}

/**
 * The whole profile of one agent with its learning curves, from rows: the newest 100 of each task type in the last 90 days.
 */
export async function loadLearningProfile(
  db: Database,
  agentId: string,
  atMs: number,
  { asOf = false }: ProfileOptions = {},
): Promise<LearningProfile> {
  // Task types are few and rows many: step from one type to the next in the index instead of reading all of the agent's rows.
  const { rows } = await sql<TerminalRow>`
    with recursive types as (
      (select task_type from executions where outcome in ('success', 'failure') and mode = 'do' order by task_type limit 1)
      union all
      select (select e.task_type from executions e where e.task_type > t.task_type and e.outcome in ('success', 'failure') and e.mode = 'do'
        order by e.task_type limit 1) from types t where t.task_type is not null
    )
    select newest.* from types cross join lateral (
      select agent_id, task_type, outcome, finished_at, duration_ms, cost_usd from executions
      where agent_id = ${agentId} and task_type = types.task_type and outcome in ('success', 'failure') and mode = 'do'
        and finished_at > ${isoOf(atMs)}::timestamptz - make_interval(days => ${historyDays})
        and (not ${asOf}::boolean or finished_at <= ${isoOf(atMs)}::timestamptz)
      order by finished_at desc limit ${newestExecutions}
    ) newest`.execute(db);
  return updateProfileWithLearning(createLearningProfile(agentId), rows.map(executionOfRow), atMs);
}

/** Profiles of many agents for some task types (no curves), in one query, by agent id. */
export async function loadAllLearningProfiles(
  db: Database,
  agentIds: readonly string[],
  taskTypes: readonly string[],
  atMs: number,
  { asOf = false }: ProfileOptions = {},
): Promise<Map<string, LearningProfile>> {
  const statement = new Statement();
  const ids = statement.value([...new Set(agentIds)], 'text[]');
  const types = statement.value([...new Set(taskTypes)], 'text[]');
  const at = statement.value(isoOf(atMs), 'timestamptz');
  interface Row {
    id: string;
    n: number;
    successes: number;
    expertise: ExpertiseRow[] | null;
  }
  const rows = await statement.run<Row>(
    db,
    unprepared,
    `select c.id, o.n, o.successes,
       (select jsonb_agg(x) from unnest(${types}) as t(task_type)
        cross join lateral (${expertiseSql('c.id', 't.task_type', at, asOf)}) x where x.n > 0) as expertise
     from unnest(${ids}) as c(id) cross join lateral (${overallSql('c.id', at, asOf)}) o`,
  );
  return new Map(
    rows.map(({ id, n, successes, expertise }) => {
      const empty: LearningProfile = { ...createLearningProfile(id), overall: { n, successes } };
      return [id, (expertise ?? []).reduce((profile, row) => addTaskTypeExpertise(profile, expertiseOfRow(row)), empty)];
    }),
  );
}

/** An estimate is asked for by role and task type, or for one agent. */
export interface EstimateQuestion {
  role: string;
  taskType: string;
  agentId?: string | undefined;
}

const estimateFrom = 5;

/**
 * Median duration in ms of the newest 100 successes, for each question; null where there are fewer than 5. Answers stand in the
 * order of the questions.
 */
export async function loadEstimates(
  db: Database,
  questions: readonly EstimateQuestion[],
  atMs: number,
  agentIds?: readonly string[],
): Promise<(number | null)[]> {
  if (questions.length === 0) return [];
  // A thousand steps ask the same few questions: each reads up to 100 rows, and far more where the planner knows the table as it was
  // when it was small.
  const keyOf = ({ role, taskType, agentId }: EstimateQuestion): string =>
    JSON.stringify(agentId === undefined ? [role, taskType] : [taskType, agentId, null]);
  const distinct = new Map(questions.map((question) => [keyOf(question), question]));
  const statement = new Statement();
  const column = (of: (question: EstimateQuestion) => string | null): string => statement.value([...distinct.values()].map(of), 'text[]');
  const roles = column(({ role }) => role);
  const types = column(({ taskType }) => taskType);
  const agents = column(({ agentId }) => agentId ?? null);
  // Others with the same role may be of another kind altogether: simulated ones take no time, people take days.
  const among = statement.value(agentIds === undefined ? null : [...agentIds], 'text[]');
  const since = `${statement.value(isoOf(atMs), 'timestamptz')} - interval '${historyDays} days'`;
  const newest = (filter: string) =>
    `select duration_ms from executions where ${filter} and outcome = 'success' and mode = 'do' and path = step and finished_at > ${since} order by finished_at desc limit ${newestExecutions}`;
  const rows = await statement.run<{ p50: number | null }>(
    db,
    unprepared,
    `select case when e.n >= ${estimateFrom} then e.p50 end as p50
     from unnest(${roles}, ${types}, ${agents}) with ordinality as q(role, task_type, agent_id, place)
     cross join lateral (
       select count(duration_ms) as n, percentile_cont(0.5) within group (order by duration_ms) as p50 from (
         (${newest('agent_id = q.agent_id and task_type = q.task_type')})
         union all
         (${newest(`q.agent_id is null and role = q.role and task_type = q.task_type and (${among} is null or agent_id = any(${among}))`)})
       ) durations
     ) e order by q.place`,
  );
  const answers = new Map([...distinct.keys()].map((key, place) => [key, rows[place]?.p50 ?? null]));
  return questions.map((question) => answers.get(keyOf(question)) ?? null);
}

/**
 * Estimates by step id, where history knows: of the step's agent when only one may do it, else of its role. Steps without an
 * answer are left out.
 */
export async function estimateDurations(
  db: Database,
  steps: readonly PlanStep[],
  agents: readonly AgentSpec[],
  atMs = Date.now(),
): Promise<Record<string, number>> {
  const questions = steps.map((step): EstimateQuestion => {
    const { eligible } = findEligible(agents, {
      role: step.role,
      skills: step.skills,
      exclude: [],
      ...(step.agentId !== undefined && { agentId: step.agentId }),
    });
    return { role: step.role, taskType: step.taskType, agentId: eligible.length === 1 ? eligible[0]?.id : undefined };
  });
  const answers = await loadEstimates(
    db,
    questions,
    atMs,
    agents.map(({ id }) => id),
  );
  const known = steps.flatMap((step, place) => {
    const estimateMs = answers[place];
    return estimateMs == null ? [] : [[step.id, Math.round(estimateMs)] as const];
  });
  return Object.fromEntries(known);
}
