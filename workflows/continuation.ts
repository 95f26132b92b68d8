import { continueAsNew, scheduleLocalActivity, workflowInfo } from '@temporalio/workflow';
import type { Continuation, ContinuationInput, SavedRun } from '../core/contract/continuation';
import type { LoadPlanInput, LoadRunInput, RunRef, SaveRunInput } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import { localActivityOptions } from './recorder';

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
  let text = '';
  for (let piece = 0; piece < pieces; piece += 1) {
    const input: LoadRunInput = { run, saved, piece, atMs: Date.now() };
    text += await scheduleLocalActivity<string>(localActivityNames.loadRun, [input], localActivityOptions);
  }
  return JSON.parse(text) as SavedRun;
}

/** The pieces of a plan from `from` on. */
export async function loadPlanText(planHash: string, { from, pieces }: { from: number; pieces: number }): Promise<string> {
  let text = '';
  for (let piece = from; piece < pieces; piece += 1) {
    const input: LoadPlanInput = { planHash, piece };
    text += await scheduleLocalActivity<string>(localActivityNames.loadPlan, [input], localActivityOptions);
  }
  return text;
}

/** Ends this execution: the next one begins with what was saved. */
export function goOn(continued: Continuation): Promise<never> {
  const input: ContinuationInput = { continued };
  return continueAsNew(input);
}
