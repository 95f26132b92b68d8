import type { RunRef } from '../../core/contract/local-activities';
import type { Database } from '../connect';

/**
 * The steps of a run whose undo was started before this execution began to record: what an earlier execution rolled back. None of a run
 * that is to be undone: it goes on with that.
 */
export async function findUndoneSteps(db: Database, run: RunRef): Promise<string[]> {
  const rows = await db
    .selectFrom('executions')
    .select('step')
    .distinct()
    .where('root_run_id', '=', run.rootRunId)
    .where('mode', '=', 'undo')
    .where('started_at', 'is not', null)
    .where(({ not, or, exists, selectFrom }) =>
      not(
        or([
          exists(selectFrom('recordings').select('run_id').where('root_run_id', '=', run.rootRunId).where('run_id', '=', run.runId)),
          exists(
            selectFrom('runs').select('run_id').where('root_run_id', '=', run.rootRunId).where('rollback_requested_at', 'is not', null),
          ),
        ]),
      ),
    )
    .orderBy('step')
    .execute();
  return rows.map(({ step }) => step);
}
