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
  if (run.state.ending !== undefined || !undoesItself(run, node)) return false;
  const entries = entriesOf(run, node).filter(({ state }) => state === 'registered');
  if (entries.length === 0) return false;
  node.run.undoing = node.holdsSlot ? undo : { ...undo, withoutSlot: { keepsTurn: node.phase.inTurn.has(node) } };
  for (const entry of entries) entry.isDue = true;
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
  if (!hasDueUndo(run, node)) return true;
  run.undoing.add(node);
  return false;
}

/**
 * The run ends meanwhile: the step ends as it was to end, and what is left of it is undone with the rest of the run. False where it does
 * not undo itself.
 */
export function endStepUndo(run: Run, node: StepNode): boolean {
  const { undoing } = node.run;
  if (undoing === undefined) return false;
  delete node.run.undoing;
  moveStep(run, node, undoing.becomes === 'skipped' ? 'skip' : 'fail', { reason: undoing.reason, actor: undoing.by });
  return true;
}

/** The next compensation of each step that undoes itself. */
export function nextStepUndoRequests(run: Run): AssignmentRequest[] {
  const requests: AssignmentRequest[] = [];
  for (const node of [...run.undoing].sort((a, b) => a.index - b.index)) {
    run.undoing.delete(node);
    const entry = dueEntries(run, node).at(-1);
    if (node.inFlight > 0 || entry?.state !== 'registered' || entry.isBusy === true) continue;
    requests.push(undoRequest(run, entry));
  }
  return requests;
}

/**
 * What it has begun to undo by itself is not undone yet. That may be of an older generation: what runs again because of rework finishes
 * going back first.
 */
export function hasDueUndo(run: Run, node: StepNode): boolean {
  return undoesItself(run, node) && dueEntries(run, node).length > 0;
}

/** Finds the steps that undo themselves and are to ask for an agent: all but those whose agent is known to be busy. */
export function resumeStepUndos(run: Run): void {
  for (const { isDue, isBusy, state, step } of run.state.compensations) {
    const node = isDue === true && isBusy !== true && state === 'registered' ? run.index.byId.get(step) : undefined;
    if (node?.inFlight === 0) run.undoing.add(node);
  }
}

/** Registered in the order in which the sub-steps began. */
function dueEntries(run: Run, node: StepNode): CompensationEntry[] {
  const isOpen = ({ state }: CompensationEntry): boolean => state === 'registered' || state === 'requested' || state === 'running';
  return run.state.compensations.filter((entry) => entry.isDue === true && entry.step === node.plan.id && isOpen(entry));
}

/** Of this generation. */
export function entriesOf(run: Run, node: StepNode): CompensationEntry[] {
  return run.state.compensations.filter(({ step, effect }) => step === node.plan.id && effect.generation === node.run.generation);
}
