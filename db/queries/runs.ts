import type { EffectRef, RunRef } from '../../core/contract/local-activities';
import type { RunStatus } from '../../core/contract/states';
import type { Database } from '../connect';
import { jsonText } from '../json-text';
import { auditBodyOf } from './audit-body';
import { isoOf, Statement } from './statement';

export { findRun, type RunRecord } from './find-run';
export { loadRunStatus } from './run-status';
export { loadTimeline } from './timeline';

export interface NewRun {
  run: RunRef;
  definition: string;
  /** null where the run brought its own source. */
  version: number | null;
  planHash: string;
  agentSet: string;
  initiator: string;
  inputs: Record<string, unknown>;
  timeScale: number;
  seed: string;
  startedAtMs: number;
  /** Who started it has proved it. */
  isSigned?: boolean;
  /** It takes signed requests only. */
  strict?: boolean;
}

/** Makes the run's row and the first line of its audit trail. A second call for the same run (a retry, a reset) only notes its run id. */
export async function insertRun(db: Database, input: NewRun): Promise<void> {
  const { run } = input;
  const statement = new Statement();
  const row = {
    run_id: run.runId,
    workflow_id: run.workflowId,
    definition: input.definition,
    version: input.version,
    plan_hash: input.planHash,
    agent_set: input.agentSet,
    initiator: input.initiator,
    inputs: input.inputs,
    time_scale: input.timeScale,
    seed: input.seed,
    started_at: isoOf(input.startedAtMs),
    strict: input.strict ?? false,
  };
  const body = auditBodyOf({
    atMs: input.startedAtMs,
    actor: { kind: 'person', id: input.initiator, assurance: input.isSigned === true ? 'verified' : 'local' },
    action: 'run.created',
    object: run.workflowId,
    details: {
      runId: run.runId,
      definition: input.definition,
      version: input.version,
      planHash: input.planHash,
      agentSet: input.agentSet,
      timeScale: input.timeScale,
    },
  });
  const root = statement.value(run.rootRunId, 'text');
  statement.with(
    'made',
    `insert into runs (root_run_id, status, run_id, workflow_id, definition, version, plan_hash, agent_set, initiator, inputs, time_scale, seed, started_at, strict)
     select ${root}, 'created', x.* from jsonb_to_record(${statement.value(jsonText(row), 'jsonb')}) as x(run_id text, workflow_id text, definition text,
       version int, plan_hash text, agent_set text, initiator text, inputs jsonb, time_scale float8, seed text, started_at timestamptz, strict boolean)
     on conflict (root_run_id) do update set run_id = excluded.run_id returning xmax = 0 as is_new`,
  );
  await statement.run(db, 'run-insert', `select append_audit(${root}, array[${statement.value(body, 'text')}]) from made where is_new`);
}

export interface RunRowFilter {
  status?: RunStatus | undefined;
  definition?: string | undefined;
  limit?: number | undefined;
}

/** A run as lists show it; times are ISO 8601. */
export interface RunRow {
  id: string;
  runId: string;
  rootRunId: string;
  definition: string;
  status: RunStatus;
  phase: string | null;
  progress: number;
  planHash: string;
  startedAt: string;
  endedAt: string | null;
}

const defaultLimit = 50;

/** Runs, newest first. */
export async function listRunRows(db: Database, filter: RunRowFilter = {}): Promise<RunRow[]> {
  let query = db
    .selectFrom('runs')
    .selectAll()
    .orderBy('ordinal', 'desc')
    .limit(filter.limit ?? defaultLimit);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.definition !== undefined) query = query.where('definition', '=', filter.definition);
  return (await query.execute()).map((row) => ({
    id: row.workflow_id,
    runId: row.run_id,
    rootRunId: row.root_run_id,
    definition: row.definition,
    status: row.status,
    phase: row.phase,
    progress: row.progress,
    planHash: row.plan_hash,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  }));
}

/** The agents of a run are others from now on. */
export async function replaceAgentSet(db: Database, rootRunId: string, agentSet: string): Promise<void> {
  await db.updateTable('runs').set({ agent_set: agentSet }).where('root_run_id', '=', rootRunId).execute();
}

/** From now on nothing of the run begins but what undoes. False where no such run is recorded. */
export async function requestRollback(
  db: Database,
  { workflowId, rootRunId }: { workflowId: string; rootRunId: string },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ rollback_requested_at: new Date() })
    .where('workflow_id', '=', workflowId)
    .where('root_run_id', '=', rootRunId)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Effects of a run that have succeeded: a wave that asks for one again is given its result. */
export async function listSuccesses(db: Database, rootRunId: string): Promise<EffectRef[]> {
  return db
    .selectFrom('executions')
    .select(['path', 'generation', 'slot', 'assignment', 'mode'])
    .where('root_run_id', '=', rootRunId)
    .where('outcome', '=', 'success')
    .execute();
}
