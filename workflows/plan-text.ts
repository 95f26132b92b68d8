import { scheduleLocalActivity } from '@temporalio/workflow';
import type { FrozenPlan, LoadPlanInput } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import { localActivityOptions } from './recorder';
import { readPieces } from './text-pieces';

/** The canonical JSON of a run's plan. `known`: the first piece, where it is there already. */
export async function loadPlanText({ planHash, planPieces, planCompressed }: FrozenPlan, known?: string): Promise<string> {
  const load = <Piece>(input: LoadPlanInput): Promise<Piece> =>
    scheduleLocalActivity<Piece>(localActivityNames.loadPlan, [input], localActivityOptions);
  if (planCompressed === true) return readPieces(planPieces, (piece) => load<Uint8Array>({ planHash, piece, compressed: true }));
  let text = known ?? (await load<string>({ planHash, piece: 0 }));
  for (let piece = 1; piece < planPieces; piece += 1) text += await load<string>({ planHash, piece });
  return text;
}
