import type { Verdict } from '../../core/contract/states';
import { askNewcomers } from './reference-escalation';
import { closeGate, forgetVotes, openGate, withdrawGates } from './reference-gates';
import { findDependents } from './reference-rules';
import {
  atWork,
  findHolder,
  holds,
  isOpen,
  isSettled,
  mayStart,
  openGates,
  phaseOf,
  stepOf,
  type Check,
  type Effect,
  type Step,
  type World,
} from './reference-world';
import { beginUndoing, goOnDeploying, isTakenBack } from './reference-rollouts';

/** What the steps of the reference model do. */

const severity: Verdict[] = ['approved', 'changes_requested', 'rejected', 'blocked'];
const isNegative = (verdict: Verdict | undefined): boolean => verdict !== undefined && verdict !== 'approved';

/** True when that changed anything. */
export function tryStart(world: World, step: Step): boolean {
  if (world.ending !== undefined || !mayStart(world, step)) return false;
  const { plan } = step;
  const before = plan.dependsOn.map((dependency) => ({ ...dependency, on: stepOf(world, dependency.step) }));
  const broken = before.find(({ on, when }) => {
    if (when === 'holds') return on.state !== 'passed' && (on.state !== 'skipped' || on.isSkippedByFailure);
    return when !== 'done' && on.state !== when;
  });
  const isOutOfPlan = plan.if !== undefined && !holds(world, plan.if);
  if (broken !== undefined || isOutOfPlan) {
    skip(world, step);
    step.isSkippedByFailure = broken?.when === 'holds';
  } else if (plan.requires !== undefined && !step.overridden.includes('requires') && !holds(world, plan.requires)) {
    block(world, step, 'requires');
  } else if (!plan.automatic && !step.isStarted) {
    step.state = 'waiting_approval';
    openGate(world, { id: `${plan.id}:start`, kind: 'start', step, isOverride: false });
  } else if (findHolder(world, step) !== undefined) {
    step.state = 'pending';
    return false;
  } else if (plan.approval?.when === 'before' && !step.isApproved && !step.overridden.includes('approval')) {
    askApproval(world, step);
  } else {
    step.state = 'ready';
    step.holdsTurn = false;
  }
  return true;
}

function askApproval(world: World, step: Step): void {
  step.state = 'waiting_approval';
  openGate(world, { id: step.plan.id, kind: 'approval', step, approval: step.plan.approval!, isOverride: false });
  // What the result warns of is put before the next level at once.
  const [gate] = openGates(world, step);
  if (gate !== undefined && step.report?.isRisky === true && step.plan.escalationIf.length > 0) askNewcomers(world, gate);
}

/** Of `count` agents, enough have succeeded, or no longer can. */
export function judgeWork(world: World, step: Step): void {
  const { plan, slots } = step;
  step.hasNews = false;
  if (step.state !== 'running' || step.undoing !== undefined) return;
  const isGood = (slot: Step['slots'][number]): boolean =>
    slot.state === 'succeeded' && !(plan.mustPassIsExplicit === true && isNegative(slot.report?.verdict));
  const good = slots.filter(isGood).length;
  if (good < plan.mustPassCount) {
    for (const slot of slots.filter((one) => one.newFailure !== undefined)) {
      const kind = slot.newFailure;
      delete slot.newFailure;
      if (kind === 'unknown') return block(world, step, 'unknown');
      if (slot.assignment <= plan.reassign) wantAgain(slot, slot.agent);
    }
  }
  const open = slots.filter((slot) => ['wanted', 'busy', 'running'].includes(slot.state)).length;
  const succeeded = slots.filter((slot) => slot.state === 'succeeded');
  if (good < plan.mustPassCount && open > 0 && good + open >= plan.mustPassCount) return;
  if (succeeded.length < plan.mustPassCount) return fail(world, step);
  stopWork(world, step);
  const errors = succeeded[0]?.report?.errors;
  if (isTakenBack(step, errors === undefined ? {} : { errors })) return fail(world, step);
  if (goOnDeploying(world, step)) return;
  const verdicts = succeeded.flatMap((slot) => slot.report?.verdict ?? []).sort((a, b) => severity.indexOf(b) - severity.indexOf(a));
  const verdict = plan.mustPassIsExplicit === true && good >= plan.mustPassCount ? 'approved' : verdicts[0];
  const coverage = succeeded.find((slot) => slot.report?.coverage !== undefined)?.report?.coverage;
  const isRisky = succeeded.some((slot) => slot.report?.isRisky);
  step.report = { isRisky, ...(verdict !== undefined && { verdict }), ...(coverage !== undefined && { coverage }) };
  checkEnd(world, step);
}

export function wantAgain(slot: Step['slots'][number], failed?: string): void {
  slot.state = 'wanted';
  slot.assignment += 1;
  if (failed !== undefined) slot.excluded = [...slot.excluded, failed];
  delete slot.agent;
  delete slot.newFailure;
}

/** Between its work and its passing: verdict, gate, security, approval. */
export function checkEnd(world: World, step: Step): void {
  const { plan, overridden } = step;
  const verdict = step.report?.verdict;
  // Somebody let its failure pass: it goes on as if it had passed; security has its say nevertheless.
  const isWaived = overridden.includes('failure');
  if (isNegative(verdict) && !isWaived && !overridden.includes('verdict')) {
    if (verdict === 'changes_requested' && startRework(world, step)) return;
    if (plan.canBlockMerge || plan.canBlockDeployment || plan.mustPassIsExplicit === true) return block(world, step, 'verdict');
  }
  if (plan.gate !== undefined && !isWaived && !overridden.includes('gate') && !holds(world, plan.gate)) return block(world, step, 'gate');
  if (!overridden.includes('security')) {
    const reviews = findReviews(world, step);
    if (!reviews.every(isSettled)) {
      step.state = 'blocked';
      step.blockedBy = 'security';
      return;
    }
    const hasApproved = (review: Step): boolean =>
      review.state === 'passed' && (!isNegative(review.report?.verdict) || review.overridden.includes('verdict'));
    if (!reviews.every(hasApproved)) return block(world, step, 'security');
  }
  if (plan.approval?.when === 'after' && !step.isApproved && !isWaived && !overridden.includes('approval')) return askApproval(world, step);
  step.state = 'passed';
}

export function findReviews(world: World, step: Step): Step[] {
  return step.plan.securityReviewers.map((id) => stepOf(world, id));
}

/** It waits for reviews, not for people. */
export function isHeldBySecurity(world: World, step: Step): boolean {
  return step.state === 'blocked' && step.blockedBy === 'security' && openGates(world, step).length === 0;
}

/** What the reviewer looked at runs again, and so does all that rests on it and has begun. */
function startRework(world: World, reviewer: Step): boolean {
  const { rework, dependsOn } = reviewer.plan;
  const ids = rework?.steps ?? dependsOn.map((dependency) => dependency.step);
  const targets = world.steps.filter(
    (step) => ids.includes(step.plan.id) && step !== reviewer && step.state === 'passed' && step.plan.monitor === undefined,
  );
  if (targets.length === 0 || reviewer.reworkRounds >= (rework?.maxRounds ?? 2)) return false;
  reviewer.reworkRounds += 1;
  const after = findDependents(
    world.script.plan,
    targets.map((step) => step.plan.id),
  );
  const affected = world.steps.filter((step) => targets.includes(step) || step === reviewer || after.has(step.plan.id));
  for (const step of affected) {
    if (step.state === 'pending') forgetVotes(world, step);
    else renew(world, step);
    if (targets.includes(step)) step.state = 'reworking';
  }
  for (const phase of world.phases.filter((one) => affected.some((step) => phaseOf(world, step) === one && !step.plan.async))) {
    withdrawGates(world, phase);
    forgetVotes(world, phase);
    Object.assign(phase, { state: 'unfinished', isOverridden: false, isApproved: false });
  }
  // What has not started behind a barrier waits again.
  for (const step of world.steps) {
    const hasBegun = step.slots.some((slot) => slot.assignment > 1 || slot.agent !== undefined);
    if (step.state === 'ready' && !hasBegun && !isOpen(world, phaseOf(world, step))) Object.assign(step, { state: 'pending', slots: [] });
  }
  return true;
}

/** A new generation: nothing of the old one counts. */
export function renew(world: World, step: Step): void {
  stopWork(world, step);
  forgetVotes(world, step);
  delete step.report;
  delete step.deferredUntilMs;
  delete step.undoing;
  delete step.lastAgent;
  Object.assign(step, { state: 'pending', slots: [], part: 0, hasNews: false, overridden: [] });
  Object.assign(step, { isApproved: false, isStarted: false, isSkippedByFailure: false, isHeldNoLonger: false });
  step.generation += 1;
}

/** Whatever of it runs or is asked is no longer wanted. */
function stopWork(world: World, step: Step): void {
  atWork(world, step).forEach((effect) => stop(world, effect));
  for (const slot of step.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
  delete step.nextSampleMs;
  delete step.nextPartMs;
  withdrawGates(world, step);
}

function stop(world: World, effect: Effect): void {
  // What ends at this very moment need not be stopped.
  if (effect.isStopping || effect.mode === 'undo' || effect.endsAtMs <= world.nowMs) return;
  const { stopMs, succeedsWhenStopped } = world.script.work[effect.step]!;
  Object.assign(effect, {
    isStopping: true,
    endsAtMs: world.nowMs + stopMs,
    end: succeedsWhenStopped ? 'success' : 'cancelled',
    report: {},
  });
}

function skip(world: World, step: Step): void {
  stopWork(world, step);
  if (!beginUndoing(world, step, { becomes: 'skipped', isFinal: false })) step.state = 'skipped';
}

export function fail(world: World, step: Step, isFinal = false): void {
  stopWork(world, step);
  if (!beginUndoing(world, step, { becomes: 'failed', isFinal })) settleFailed(world, step, isFinal);
}

/** It has undone itself: now it ends as it was to end. */
export function finishUndoing(world: World, step: Step): void {
  const { becomes, isFinal } = step.undoing!;
  delete step.undoing;
  if (becomes === 'skipped') step.state = 'skipped';
  else settleFailed(world, step, isFinal);
}

function settleFailed(world: World, step: Step, isFinal: boolean): void {
  const { optional, async, onFailure = world.script.plan.onFailure } = step.plan;
  if (optional) {
    step.state = 'skipped';
    return;
  }
  if (onFailure === 'block' && !isFinal && !async) return block(world, step, 'failure');
  step.state = 'failed';
  if (onFailure !== 'continue' && !async) beginEnding(world, { kind: 'fail', rollback: onFailure === 'rollback' ? 'all' : 'production' });
}

/** It waits, as `if_blocked` says; by default for a person's override. */
export function block(world: World, step: Step, check: Check): void {
  const { id, ifBlocked, approval } = step.plan;
  const kind = check === 'failure' || check === 'unknown' ? undefined : ifBlocked?.kind;
  if (kind === 'fail') return fail(world, step, true);
  if (kind === 'skip') return skip(world, step);
  if (ifBlocked?.kind === 'defer' && kind === 'defer') {
    step.state = 'deferred';
    step.deferredUntilMs = 'forMs' in ifBlocked ? world.nowMs + ifBlocked.forMs : nextMondayMs(world.nowMs);
    return;
  }
  step.state = 'blocked';
  step.blockedBy = check;
  if (check === 'unknown') openGate(world, { id: `${id}:unknown`, kind: 'unknown', step, isOverride: true });
  else openGate(world, { id: `${id}:blocked`, kind: 'blocked', step, isOverride: true, ...(approval && { approval }) });
}

/** Monday at 9, UTC: runs start on a Monday at 12. */
function nextMondayMs(nowMs: number): number {
  const hour = 3_600_000;
  const week = 7 * 24 * hour;
  return (Math.floor((nowMs + 3 * hour) / week) + 1) * week - 3 * hour;
}

/** Nothing new starts, what runs is stopped and waited for, nobody is asked any more. */
export function beginEnding(world: World, ending: NonNullable<World['ending']>): void {
  if (world.ending !== undefined) return;
  world.ending = ending;
  world.isPaused = false;
  delete world.frozenSinceMs;
  delete world.askAgainMs;
  world.busyRoles.clear();
  world.busyDelayMs = 1_000;
  for (const gate of openGates(world)) closeGate(world, gate, 'withdrawn');
  for (const step of world.steps.filter((one) => !isSettled(one))) {
    delete step.nextSampleMs;
    delete step.nextPartMs;
    if (atWork(world, step).length === 0) step.state = step.undoing?.becomes ?? 'cancelled';
    for (const slot of step.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
    atWork(world, step).forEach((effect) => stop(world, effect));
  }
}
