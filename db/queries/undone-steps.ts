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
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('runs')
            .select('root_run_id')
            .where('runs.root_run_id', '=', run.rootRunId)
            .where('runs.rollback_requested_at', 'is not', null),
        ),
      ),
    )
    .where('mode', '=', 'undo')
    .where('started_at', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('recordings')
            .select('run_id')
            .where('recordings.root_run_id', '=', run.rootRunId)
            .where('recordings.run_id', '=', run.runId),
        ),
      ),
    )
    .orderBy('step')
    .execute();
  return rows.map(({ step }) => step);
}
