import type { RunRef } from '../../core/contract/local-activities';
import type { Database } from '../connect';
import { auditBodyOf, identityOf } from './audit-body';
import { addAudit, auditedColumn } from './record';
import { Statement } from './statement';

/**
 * A new execution of a run goes on where the one before has ended: said in the audit, once, and in `recordings`, so that it is told from
 * a reset, which goes back.
 */
export async function noteContinuation(db: Database, run: RunRef, atMs: number): Promise<void> {
  const statement = new Statement();
  const root = statement.value(run.rootRunId, 'text');
  const runId = statement.value(run.runId, 'text');
  const entry = {
    atMs,
    actor: { kind: 'engine' as const, id: 'vapora' },
    action: 'run.continued',
    object: run.workflowId,
    details: { runId: run.runId },
  };
  statement.with(
    'recorded',
    `insert into recordings (root_run_id, run_id, history_length) values (${root}, ${runId}, 0) on conflict (root_run_id, run_id) do nothing`,
  );
  statement.with('known', `update runs set run_id = ${runId} where root_run_id = ${root}`);
  const body = statement.value(auditBodyOf(entry), 'text');
  addAudit(statement, run, [
    `select 1 as part, 1::bigint as n, ${body} as body, ${statement.value(identityOf(run, entry), 'uuid')} as key`,
  ]);
  await statement.run(db, 'run-continue', `select ${auditedColumn}`);
}
