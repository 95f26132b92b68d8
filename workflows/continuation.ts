import { continueAsNew, scheduleLocalActivity, workflowInfo } from '@temporalio/workflow';
import type { Continuation, ContinuationInput, SavedRun } from '../core/contract/continuation';
import type { LoadRunInput, RunRef, SaveRunInput } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import { localActivityOptions } from './recorder';
import { readPieces } from './text-pieces';

/** What an execution that goes on was started with; undefined for one that begins, whatever it was given. */
export function continuationOf(args: readonly unknown[]): Continuation | undefined {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return undefined;
  const [input] = args;
  const { continued } = (typeof input === 'object' && input !== null ? input : {}) as Partial<ContinuationInput>;
  return continued;
}

export function saveRun(run: RunRef, saved: SavedRun): Promise<Continuation> {
  const input: SaveRunInput = { run, text: JSON.stringify(saved) };
  return scheduleLocalActivity<Continuation>(localActivityNames.saveRun, [input], { ...localActivityOptions, summary: 'continue as new' });
}

export async function loadSavedRun(run: RunRef, { saved, pieces }: Continuation): Promise<SavedRun> {
  const text = await readPieces(pieces, (piece) => {
    const input: LoadRunInput = { run, saved, piece, atMs: Date.now() };
    return scheduleLocalActivity<Uint8Array>(localActivityNames.loadRun, [input], localActivityOptions);
  });
  return JSON.parse(text) as SavedRun;
}

/** Ends this execution: the next one begins with what was saved. */
export function goOn(continued: Continuation): Promise<never> {
  const input: ContinuationInput = { continued };
  return continueAsNew(input);
}
