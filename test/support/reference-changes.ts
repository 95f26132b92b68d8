import { openGate } from './reference-gates';
import { findDue } from './reference-rollouts';
import {
  beginEnding,
  block,
  checkEnd,
  fail,
  findReviews,
  finishUndoing,
  isHeldBySecurity,
  judgeWork,
  tryStart,
  wantAgain,
} from './reference-steps';
import {
  atWork,
  holds,
  isOpen,
  isSettled,
  mayStart,
  openGates,
  stepsOfPhase,
  type Gate,
  type Phase,
  type Step,
  type World,
} from './reference-world';

/** What follows from what has happened, in the reference model: one change at a time, each found anew. */

/** One thing that follows from what has happened; false when nothing is left to follow. */
export function changeOne(world: World): boolean {
  if (world.ending !== undefined) return false;
  const decided = world.gates.find((gate) => !gate.isCarriedOut && gate.decision !== undefined);
  if (decided !== undefined) {
    carryOut(world, decided);
    return true;
  }
  const monitored = world.steps.find((step) => step.hasNews && step.plan.monitor !== undefined);
  if (monitored !== undefined) {
    judgeWork(world, monitored);
    return true;
  }
  const reviewed = world.steps.find((step) => isHeldBySecurity(world, step) && findReviews(world, step).every(isSettled));
  if (reviewed !== undefined) {
    checkEnd(world, reviewed);
    return true;
  }
  // All that may start at this point, in plan order; what they set going comes in the next round.
  const started = world.steps.filter((step) => mayStart(world, step)).map((step) => tryStart(world, step));
  if (started.includes(true)) return true;
  // Success before failure: a failure may end the run.
  const isUndone = (step: Step): boolean =>
    step.undoing !== undefined && findDue(world, step).length === 0 && atWork(world, step).length === 0;
  const news = world.steps.filter((step) => step.hasNews || isUndone(step));
  const isSuccess = (step: Step): boolean => !isUndone(step) && step.slots.every((slot) => slot.newFailure === undefined);
  const judged = news.find(isSuccess) ?? news[0];
  if (judged !== undefined) {
    if (isUndone(judged)) finishUndoing(world, judged);
    else judgeWork(world, judged);
    return true;
  }
  return world.phases.some((phase) => tryPhase(world, phase));
}

function carryOut(world: World, gate: Gate): void {
  gate.isCarriedOut = true;
  const { step, phase, kind } = gate;
  const isApproved = gate.decision === 'approved';
  if (phase !== undefined) return carryOutPhase(world, phase, { isApproved, isOverride: gate.isOverride });
  if (step === undefined || isSettled(step)) return;
  if (!isApproved) {
    const isLate = gate.decision === 'timed_out' && step.plan.approval?.onTimeout === 'block';
    if (kind === 'approval' && (step.plan.ifBlocked !== undefined || isLate)) return block(world, step, 'approval');
    return fail(world, step, kind === 'blocked' || kind === 'unknown');
  }
  if (kind === 'unknown') {
    for (const slot of step.slots) if (slot.state === 'failed') wantAgain(slot);
    step.state = 'ready';
    step.holdsTurn = false;
    return;
  }
  if (kind === 'start') step.isStarted = true;
  if (kind === 'approval') step.isApproved = true;
  if (kind === 'blocked') step.overridden.push(step.blockedBy!);
  if (step.slots.length === 0 && !step.overridden.includes('failure')) {
    step.state = 'pending';
  } else {
    step.report ??= {};
    checkEnd(world, step);
  }
}

function carryOutPhase(world: World, phase: Phase, { isApproved, isOverride }: { isApproved: boolean; isOverride: boolean }): void {
  const { onFailure } = world.script.plan;
  if (isApproved && isOverride) phase.isOverridden = true;
  else if (isApproved) phase.isApproved = true;
  else if (onFailure === 'continue' || phase.plan.optional) phase.state = 'passed';
  else {
    phase.state = 'failed';
    beginEnding(world, { kind: 'fail', rollback: onFailure === 'rollback' ? 'all' : 'production' });
  }
}

/** All its steps have settled, but for `async` ones: its condition, then its approval, then it has passed. */
function tryPhase(world: World, phase: Phase): boolean {
  const { id, gate, approval, optional } = phase.plan;
  const steps = stepsOfPhase(world, phase).filter((step) => !step.plan.async);
  if (phase.state !== 'unfinished' || !steps.every(isSettled) || !isOpen(world, phase) || openGates(world, phase).length > 0) return false;
  if (gate !== undefined && !phase.isOverridden && !optional && !holds(world, gate, steps)) {
    openGate(world, { id, kind: 'phase', phase, isOverride: true });
  } else if (approval !== undefined && !phase.isApproved) {
    openGate(world, { id, kind: 'phase', phase, approval, isOverride: false });
  } else {
    phase.state = 'passed';
  }
  return true;
}
