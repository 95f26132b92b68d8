import { sql } from 'kysely';
import type { EffectRef, TaskProjection } from '../../core/contract/local-activities';
import { activityIdOf } from '../../core/contract/ids';
import type { TaskView } from '../../core/contract/views';
import type { Database } from '../connect';
import { jsonText } from '../json-text';
import { leaseSeconds } from './lease-time';
import type { Statement } from './statement';

/**
 * Adds the parts that write what people are asked to do. Nobody renews the lease of a person while they work: it lasts until the deadline
 * of the task (while deadlines stand still, for as long as that takes), so that a run that is terminated gives them back then at the latest.
 */
export function addTasks(statement: Statement, root: string, tasks: readonly TaskProjection[]): void {
  const rows = tasks.map(({ effect, isOpen, view }) => ({
    ...refOf(effect),
    task: activityIdOf(effect),
    step: view.step,
    agent_id: view.agent,
    is_open: isOpen,
    view,
    opened_at: view.since,
    deadline: view.deadline,
  }));
  statement.with(
    'task_rows',
    `select t.* from fresh, jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as t(path text, generation int, slot int, assignment int, mode text,
       task text, step text, agent_id text, is_open boolean, view jsonb, opened_at timestamptz, deadline timestamptz)`,
  );
  statement.with(
    'changed_tasks',
    `insert into tasks (root_run_id, task, step, agent_id, is_open, view, opened_at, deadline)
     select ${root}, task, step, agent_id, is_open, view, opened_at, deadline from task_rows
     on conflict (root_run_id, task) do update set step = excluded.step, agent_id = excluded.agent_id, is_open = excluded.is_open,
       view = excluded.view, opened_at = excluded.opened_at, deadline = excluded.deadline`,
  );
  statement.with(
    'kept_leases',
    `update agent_leases l set expires_at = coalesce(t.deadline + interval '${leaseSeconds} s', 'infinity')
     from task_rows t join executions e on e.root_run_id = ${root} and e.path = t.path and e.generation = t.generation and e.slot = t.slot
       and e.assignment = t.assignment and e.mode = t.mode
     where t.is_open and l.execution_id = e.id`,
  );
}

function refOf({ path, generation, slot, assignment, mode }: EffectRef): EffectRef {
  return { path, generation, slot, assignment, mode };
}

/** What people are asked to do in one run, the longest open first. */
export async function loadTasks(db: Database, rootRunId: string): Promise<TaskView[]> {
  const rows = await db
    .selectFrom('tasks')
    .select('view')
    .where('root_run_id', '=', rootRunId)
    .where('is_open', '=', sql.lit(true))
    .orderBy('opened_at')
    .orderBy('task')
    .execute();
  return rows.map(({ view }) => view);
}

export interface OpenTask {
  /** Workflow id. */
  run: string;
  rootRunId: string;
  task: TaskView;
}

/** What people are asked to do, over all runs that have not ended, the longest open first. */
export async function listOpenTasks(db: Database): Promise<OpenTask[]> {
  const rows = await db
    .selectFrom('tasks')
    .innerJoin('runs', 'runs.root_run_id', 'tasks.root_run_id')
    .select(['tasks.root_run_id', 'tasks.view', 'runs.workflow_id'])
    // In plain: the plan is made without the values, and the index holds open tasks only.
    .where('tasks.is_open', '=', sql.lit(true))
    .where('runs.ended_at', 'is', null)
    .orderBy('tasks.opened_at')
    .orderBy('tasks.task')
    .execute();
  return rows.map((row) => ({ run: row.workflow_id, rootRunId: row.root_run_id, task: row.view }));
}
