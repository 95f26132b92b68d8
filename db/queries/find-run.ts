import type { Selectable } from 'kysely';
import type { RunStatus } from '../../core/contract/states';
import type { Database } from '../connect';
import { storableText } from '../json-text';
import type { RunsTable } from '../schema';

export interface RunRecord {
  rootRunId: string;
  runId: string;
  workflowId: string;
  definition: string;
  version: number | null;
  planHash: string;
  agentSet: string;
  initiator: string;
  inputs: Record<string, unknown>;
  timeScale: number;
  seed: string;
  status: RunStatus;
  phase: string | null;
  /** 0..1. */
  progress: number;
  waitsFor: string[];
  reason: string | null;
  startedAt: Date;
  endedAt: Date | null;
  /** It takes signed requests only. */
  strict: boolean;
}

/** The newest run of a workflow id, or the run with this root run id. */
export async function findRun(db: Database, id: string): Promise<RunRecord | null> {
  // Ids of people may hold what Postgres text cannot: then there is no such run.
  if (storableText(id) !== id) return null;
  const byWorkflow = await db
    .selectFrom('runs')
    .selectAll()
    .where('workflow_id', '=', id)
    .orderBy('ordinal', 'desc')
    .limit(1)
    .executeTakeFirst();
  const row =
    byWorkflow ??
    (await db
      .selectFrom('runs')
      .selectAll()
      .where((where) => where.or([where('root_run_id', '=', id), where('run_id', '=', id)]))
      .orderBy('ordinal', 'desc')
      .limit(1)
      .executeTakeFirst());
  return row === undefined ? null : runOfRow(row);
}

function runOfRow(row: Selectable<RunsTable>): RunRecord {
  return {
    rootRunId: row.root_run_id,
    runId: row.run_id,
    workflowId: row.workflow_id,
    definition: row.definition,
    version: row.version,
    planHash: row.plan_hash,
    agentSet: row.agent_set,
    initiator: row.initiator,
    inputs: row.inputs,
    timeScale: row.time_scale,
    seed: row.seed,
    status: row.status,
    phase: row.phase,
    progress: row.progress,
    waitsFor: row.waits_for,
    reason: row.reason,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    strict: row.strict,
  };
}
