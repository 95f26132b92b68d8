/** What Postgres and Temporal know of a run, for tests that compute from the records instead of believing a view. */
import { Client as PostgresClient } from 'pg';
import { getAudit } from '../../client/audit';
import type { AuditRecord } from '../../client/audit';
import type { Outcome } from '../../core/contract/states';
import type { TestVapora } from './vapora';

export interface ExecutionRow {
  path: string;
  step: string;
  generation: number;
  slot: number;
  assignment: number;
  mode: 'do' | 'undo';
  agent_id: string;
  state: string;
  outcome: Outcome | null;
  attempts: number;
  assigned_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  /** States of its attempts, in order. */
  attempt_states: string[];
}

/** Rows as the database's owner sees them. */
export async function queryDatabase<Row>(vapora: Pick<TestVapora, 'adminUrl'>, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new PostgresClient({ connectionString: vapora.adminUrl });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Everything that was done for a run, in order of assignment. */
export function listExecutions(vapora: Pick<TestVapora, 'adminUrl'>, id: string): Promise<ExecutionRow[]> {
  return queryDatabase<ExecutionRow>(
    vapora,
    `select e.*, array(select a.state from execution_attempts a where a.execution_id = e.id order by a.attempt) as attempt_states
     from executions e join runs r using (root_run_id) where r.workflow_id = $1 order by e.id`,
    [id],
  );
}

/** The signals of a run that changed nothing: `[name, reason]`, in order. */
export async function listIgnoredSignals(vapora: TestVapora, id: string): Promise<[name: string, reason: string][]> {
  const lines = await listAuditOf(vapora, id, 'signal.ignored');
  return lines.map(({ event }) => [event.object, event.reason ?? '']);
}

export async function listAuditOf(vapora: TestVapora, id: string, action: string): Promise<AuditRecord[]> {
  return (await getAudit(vapora.client, id)).filter(({ event }) => event.action === action);
}

/** The id of a run's first execution. */
export async function firstRunId(vapora: Pick<TestVapora, 'adminUrl'>, id: string): Promise<string> {
  const [row] = await queryDatabase<{ root_run_id: string }>(vapora, 'select root_run_id from runs where workflow_id = $1', [id]);
  if (row === undefined) throw new Error(`Postgres knows no run ${id}`);
  return row.root_run_id;
}

/** Events of the newest (or the given) execution's history by type, e.g. to see that no workflow task failed. */
export async function countHistoryEvents(vapora: TestVapora, id: string, runId?: string): Promise<Record<string, number>> {
  const { workflow } = await vapora.client.temporal();
  const counts: Record<string, number> = {};
  for (const event of (await workflow.getHandle(id, runId).fetchHistory()).events ?? []) {
    const [type = 'unknown'] = Object.keys(event).filter((key) => key.endsWith('EventAttributes'));
    const name = type.replace('EventAttributes', '');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
