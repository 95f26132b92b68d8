import type { RunRef } from '../../core/contract/local-activities';

/** Temporal's reset makes a new execution of the run: the first one has the run's own id. */
export function isReset({ rootRunId, runId }: RunRef): boolean {
  return runId !== rootRunId;
}

/**
 * Condition: the effect in `row` (of `executions`; `owner` or `run_id` names its execution of the run) ended without success before
 * the reset that made the execution `runId`. Whoever resets wants it done again; a success stays.
 */
export function reopensSql({ row, root, runId, owner = 'owner' }: { row: string; root: string; runId: string; owner?: string }): string {
  return `(${runId} <> ${root} and coalesce(${row}.outcome <> 'success' and coalesce(${row}.${owner}, ${root}) <> ${runId}, false))`;
}
