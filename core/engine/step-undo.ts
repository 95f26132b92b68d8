import type { AssignmentRequest } from '../contract/local-activities';
import type { StepNode } from './plan-index';
import { isRollout } from './rollout';
import type { Run } from './run';
import { moveStep } from './moves';
import { undoRequest } from './undo-request';
import type { CompensationEntry, StepUndo } from './run-state';

/**
 * A deployment that fails, or is given up, undoes itself before the step ends: what was started of this generation, the last first, one
 * after the other. Nothing else of the run is touched; what becomes of that is for `on_failure`. False where there is nothing to undo, or
 * where the run ends anyway, which undoes it too.
 */
export function beginStepUndo(run: Run, node: StepNode, undo: StepUndo): boolean {
  if (node.run.undoing !== undefined) return true;
  if (run.state.ending !== undefined || !undoesItself(run, node) || openEntries(run, node).length === 0) return false;
  node.run.undoing = undo;
  for (const entry of openEntries(run, node)) entry.isDue = true;
  moveStep(run, node, 'rollback', { reason: `is undone: ${undo.reason}`, actor: undo.by });
  continueStepUndo(run, node);
  return true;
}

function undoesItself(run: Run, node: StepNode): boolean {
  return run.version >= 2 && (isRollout(run, node) || node.plan.rollbackOn !== undefined);
}

/** True when all of it is undone, or could not be. */
export function continueStepUndo(run: Run, node: StepNode): boolean {
  if (node.inFlight > 0) return false;
  if (openEntries(run, node).length === 0) return true;
  run.undoing.add(node);
  return false;
}

/** The next compensation of each step that undoes itself. */
export function nextStepUndoRequests(run: Run): AssignmentRequest[] {
  const requests: AssignmentRequest[] = [];
  for (const node of [...run.undoing].sort((a, b) => a.index - b.index)) {
    run.undoing.delete(node);
    const entry = openEntries(run, node).at(-1);
    if (node.inFlight > 0 || entry?.state !== 'registered') continue;
    requests.push(undoRequest(run, entry));
  }
  return requests;
}

/** Registered in the order in which the sub-steps began. */
function openEntries(run: Run, node: StepNode): CompensationEntry[] {
  return entriesOf(run, node).filter(({ state }) => state === 'registered' || state === 'requested' || state === 'running');
}

/** Of this generation. */
export function entriesOf(run: Run, node: StepNode): CompensationEntry[] {
  return run.state.compensations.filter(({ step, effect }) => step === node.plan.id && effect.generation === node.run.generation);
}
