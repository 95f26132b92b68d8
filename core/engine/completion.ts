import { stepOfPath } from '../contract/ids';
import { checkGate, checkSubStep } from './conditions';
import { openGate } from './gates';
import { isSuccess, recordEnd, type EffectEnded } from './launching';
import type { StepNode } from './plan-index';
import { escalateNow, findNextDeciders } from './gate-timers';
import { isNegative, mergeResults, reasonsOf, risksOf } from './results';
import { startRework } from './rework';
import { moveStep } from './moves';
import { cancelEffects, engineActor, findStep, type Run } from './run';
import { advanceRollout, currentSubStep, isRollout } from './rollout';
import { blockStep, failStep, finishStepUndo, holdStep, isOverridden, skipStep } from './setbacks';
import { continueStepUndo, endStepUndo } from './step-undo';
import { enqueueReady } from './slots';
import { isSettled } from './transitions';
import type { SlotRunState } from './run-state';
import { approvalGate } from './votes';

/** An agent's work on a slot has ended, well or not. */
export function onSlotEnded(run: Run, node: StepNode, event: EffectEnded): void {
  const { effect, failure, result } = event;
  const slot = node.run.slots.find((one) => one.slot === effect.slot);
  const isPresent = slot?.state === 'running' && slot.assignment === effect.assignment && node.run.generation === effect.generation;
  recordEnd(run, event, slot?.agent);
  completeCompensation(run, event);
  run.changes.steps.add(node);
  if (!isPresent) {
    // Of a generation or a slot that nobody waits for; but the next generation waits until nothing of the old one runs.
    if (run.state.ending !== undefined) settleStopped(run, node);
    else if (node.inFlight === 0 && node.unmet === 0) run.work.start.push(node);
    return;
  }
  slot.startedAtMs = event.startedAtMs ?? slot.startedAtMs ?? event.atMs;
  slot.endedAtMs = event.endedAtMs ?? event.atMs;
  if (isSuccess(event) && result !== undefined) {
    slot.state = 'succeeded';
    slot.result = result;
  } else {
    slot.state = failure?.kind === 'cancelled' ? 'cancelled' : 'failed';
    slot.failure = failure?.message ?? result?.summary ?? 'the agent reported failure';
    slot.failureKind = failure?.kind ?? 'failed';
  }
  if (!run.work.judge.includes(node)) run.work.judge.push(node);
}

/** The compensation of an effect takes its place in the order of completion; while its outcome is unknown it has none: undone first. */
function completeCompensation(run: Run, event: EffectEnded): void {
  const { effect, failure } = event;
  const step = stepOfPath(effect.path);
  const entry = run.state.compensations.findLast(
    (one) =>
      one.effect.generation === effect.generation &&
      (one.isWhole === true
        ? one.step === step
        : one.effect.path === effect.path && one.effect.slot === effect.slot && one.effect.assignment === effect.assignment),
  );
  if (entry === undefined) return;
  const isFirst = entry.hasBegun !== true && (entry.isWhole !== true || (findStep(run, step).run.rollout?.at ?? 0) === 0);
  if (failure?.kind === 'not_runnable' && isFirst && isFirstAttempt(run, event)) {
    entry.state = 'dropped';
    return;
  }
  const answer = event.result ?? failure?.result;
  if (answer !== undefined) entry.result = answer;
  entry.hasBegun = true;
  if (failure?.kind === 'unknown') {
    delete entry.completedAtMs;
    delete entry.sequence;
    return;
  }
  entry.completedAtMs = event.endedAtMs ?? event.atMs;
  entry.sequence = run.state.sequence += 1;
}

/** Nothing can have been done before this attempt. One whose number is not known may have followed others that did something. */
function isFirstAttempt(run: Run, { effect, attempt, failure }: EffectEnded): boolean {
  const number = attempt ?? failure?.attempt;
  return number === undefined ? findStep(run, stepOfPath(effect.path)).plan.retry.attempts === 1 : number === 1;
}

/** The failed attempts of a slot are used up: another agent, while the step may ask for one (one that names its agent may not). */
function tryAnotherAgent(run: Run, node: StepNode, slot: SlotRunState): boolean {
  const { plan } = node;
  if (plan.agentId !== undefined || node.run.agentId !== undefined || slot.assignment > plan.reassign) return false;
  if (slot.agent !== undefined) slot.excluded.push(slot.agent.id);
  wantAgain(slot);
  run.wanting.add(node);
  return true;
}

function wantAgain(slot: SlotRunState): void {
  slot.assignment += 1;
  slot.state = 'wanted';
  delete slot.agent;
  delete slot.failureKind;
}

/**
 * The same effect once more, as a new assignment, by whoever is free: somebody decided so. Blocked, it gave its slot back: it waits for
 * another one like any step that is ready.
 */
export function tryAgain(run: Run, node: StepNode): void {
  for (const slot of node.run.slots) if (slot.state === 'failed') wantAgain(slot);
  moveStep(run, node, 'resume', { reason: 'its outcome was unknown: tried again' });
  enqueueReady(run, node);
}

/**
 * Of `count` agents `must_pass` have to succeed; where the file wrote that number, only those without a negative verdict count. As
 * soon as enough have, or no longer can, the others are cancelled.
 */
export function judgeSlots(run: Run, node: StepNode): void {
  const { plan, run: step } = node;
  if (run.state.ending !== undefined) return settleStopped(run, node);
  if (step.undoing !== undefined) {
    if (continueStepUndo(run, node)) finishStepUndo(run, node);
    return;
  }
  // It may have been sent back, or blocked, by what happened at the same moment.
  if (step.state !== 'running') return;
  if (step.skipping !== undefined && step.slots.some(({ state }) => state !== 'succeeded')) return skipWhenStopped(run, node);
  const needed = plan.mustPassCount;
  if (countSlots(node).good < needed && judgeFailures(run, node) === 'unknown') return;
  const { good, negative, open } = countSlots(node);
  if (good < needed && open > 0 && good + open >= needed) return;
  if (good + negative < needed) {
    const failed = step.slots.find((slot) => slot.state === 'failed' || slot.state === 'cancelled');
    const why = failed?.failure ?? 'no agent succeeded';
    return failStep(run, node, plan.count > 1 ? `${good + negative} of ${needed} needed agents succeeded: ${why}` : why);
  }
  if (open > 0) {
    cancelEffects(run, node, `enough agents have answered for ${plan.id}`);
    for (const slot of step.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
    run.wanting.delete(node);
  }
  const succeeded = step.slots.filter((slot) => slot.state === 'succeeded');
  let result = mergeResults(succeeded.flatMap((slot) => (slot.result === undefined ? [] : [slot.result])));
  if (isRollout(run, node)) {
    const advanced = advanceRollout(run, node, result);
    if (advanced.kind === 'next') return;
    if (advanced.kind === 'abort') return failStep(run, node, advanced.reason);
    result = advanced.result;
  } else if (plan.rollbackOn !== undefined && run.version >= 2) {
    const { value, explanation } = checkSubStep(run, node, plan.rollbackOn.condition, result);
    if (value === true) return failStep(run, node, `${plan.rollbackOn.text}: ${explanation.join('; ')}`);
  }
  // With enough in favour, the others' verdicts are advice.
  const verdict = plan.mustPassIsExplicit === true && good >= needed ? 'approved' : result.verdict;
  step.result = verdict === undefined ? result : { ...result, verdict };
  if (verdict !== undefined) step.verdict = verdict;
  for (const slot of succeeded) delete slot.result;
  // A deployment began with its first sub-step.
  if (!isRollout(run, node)) step.startedAtMs = Math.min(...succeeded.map((slot) => slot.startedAtMs ?? run.now));
  run.work.end.push(node);
}

/** What somebody has skipped while it ran is skipped as soon as nothing of it runs; had all of it succeeded by then, it has passed. */
function skipWhenStopped(run: Run, node: StepNode): void {
  const { skipping } = node.run;
  if (node.inFlight > 0 || skipping === undefined) return;
  skipStep(run, node, skipping.reason, { actor: skipping.by });
}

function countSlots({ plan, run: step }: StepNode): { good: number; negative: number; open: number } {
  const counts = { good: 0, negative: 0, open: 0 };
  for (const slot of step.slots) {
    if (slot.state === 'succeeded') counts[plan.mustPassIsExplicit === true && isNegative(slot.result?.verdict) ? 'negative' : 'good'] += 1;
    else if (slot.state !== 'failed' && slot.state !== 'cancelled') counts.open += 1;
  }
  return counts;
}

/** New failures: an unknown outcome is for a person to decide, any other for another agent, if there may be one. */
function judgeFailures(run: Run, node: StepNode): 'unknown' | 'known' {
  for (const slot of node.run.slots) {
    const { failureKind } = slot;
    if (failureKind === undefined) continue;
    delete slot.failureKind;
    if (failureKind === 'unknown') {
      blockStep(run, node, 'unknown', `nobody knows whether ${slot.agent?.id ?? 'its agent'} has done the work: ${slot.failure ?? ''}`);
      return 'unknown';
    }
    tryAnotherAgent(run, node, slot);
  }
  return 'known';
}

/**
 * Everything between a step's work and its passing, in this order: its verdict, `must_pass: all`, its gate, the security steps that
 * must agree, its approval (where it comes after). Called again whenever one of them may have changed.
 */
export function checkEnd(run: Run, node: StepNode): void {
  const { plan, run: step } = node;
  if (run.state.ending !== undefined || isSettled(step.state) || step.result === undefined) return;
  // A failure that somebody has overridden: as if it had passed, whatever it reported or was denied.
  const isWaived = isOverridden(node, 'failure');
  if (isNegative(step.verdict) && !isWaived && !isOverridden(node, 'verdict')) {
    if (step.verdict === 'changes_requested' && startRework(run, node)) return;
    if (isGated(node)) return blockStep(run, node, 'verdict', reasonOfVerdict(node));
  }
  if (!isWaived && !isOverridden(node, 'gate')) {
    const problem = findBrokenGate(run, node);
    if (problem !== undefined) return blockStep(run, node, 'gate', problem);
  }
  if (!isOverridden(node, 'security') && plan.securityReviewers.length > 0) {
    const waiting = plan.securityReviewers.filter((id) => !isSettled(findStep(run, id).run.state));
    if (waiting.length > 0) return waitForSecurity(run, node, waiting);
    const against = plan.securityReviewers.filter((id) => !hasApproved(findStep(run, id)));
    if (against.length > 0)
      return blockStep(
        run,
        node,
        'security',
        `security has not approved: ${against.map((id) => describeReview(findStep(run, id))).join(', ')}`,
      );
  }
  if (plan.approval?.when === 'after' && step.approved !== true && !isWaived && !isOverridden(node, 'approval')) {
    if (step.state !== 'waiting_approval') moveStep(run, node, 'ask', { reason: `waits for the decision about ${plan.id}` });
    if (!run.openGates.has(plan.id)) {
      openGate(run, approvalGate(plan.id, step.generation, plan.approval));
      escalateByPhrase(run, node);
    }
    return;
  }
  passStep(run, node);
}

/** `escalation_if`: what the result warns of is put before the next level at once. */
function escalateByPhrase(run: Run, node: StepNode): void {
  const gate = run.state.gates[node.plan.id];
  if (run.version < 2 || gate?.state !== 'open' || findNextDeciders(run, gate).length === 0) return;
  const { result } = node.run;
  const said = [...reasonsOf(result), ...risksOf(result)].map((text) => text.toLowerCase());
  const phrase = node.plan.escalationIf.find((one) => said.some((text) => text.includes(one.toLowerCase())));
  if (phrase !== undefined) escalateNow(run, gate, { actor: engineActor, reason: `escalation_if: its result says "${phrase}"` });
}

function passStep(run: Run, node: StepNode): void {
  const succeeded = node.run.slots.filter((slot) => slot.state === 'succeeded');
  const agent = succeeded.at(-1)?.agent;
  // Where nothing came between, the step ended when its work did, not when we heard of it.
  if (node.run.state === 'running') node.run.endedAtMs = Math.max(...succeeded.map((slot) => slot.endedAtMs ?? run.now));
  moveStep(run, node, 'pass', {
    ...(agent === undefined ? {} : { actor: { kind: 'agent', id: agent.id } }),
    reason: node.run.overridden === undefined ? undefined : `overridden: ${node.run.overridden.join(', ')}`,
    ...(node.run.verdict === undefined ? {} : { details: { verdict: node.run.verdict } }),
  });
}

function isGated(node: StepNode): boolean {
  const { plan } = node;
  return plan.canBlockMerge || plan.canBlockDeployment || plan.mustPassIsExplicit === true || plan.mustPassAll;
}

function reasonOfVerdict(node: StepNode): string {
  const { result, verdict } = node.run;
  const reasons = reasonsOf(result);
  const why = reasons.length > 0 ? reasons.join('; ') : result?.summary;
  return why === undefined ? `verdict ${verdict ?? ''}` : `verdict ${verdict ?? ''}: ${why}`;
}

function findBrokenGate(run: Run, node: StepNode): string | undefined {
  const { plan, run: step } = node;
  if (plan.mustPassAll) {
    const broken = Object.entries(step.result?.metrics ?? {}).filter(([, value]) => value === false);
    if (broken.length > 0) return `must_pass all: ${broken.map(([name]) => `${name} is false`).join('; ')}`;
  }
  if (plan.gate === undefined) return undefined;
  const check = checkGate(run, node, plan.gate);
  return check.value === true ? undefined : `${plan.gateText ?? 'gate'}: ${check.explanation.join('; ')}`;
}

function hasApproved(node: StepNode): boolean {
  return node.run.state === 'passed' && (!isNegative(node.run.verdict) || isOverridden(node, 'verdict'));
}

function describeReview(node: StepNode): string {
  const { state, verdict } = node.run;
  return `${node.plan.id} ${state === 'passed' && verdict !== undefined ? verdict : state}`;
}

function waitForSecurity(run: Run, node: StepNode, reviewers: readonly string[]): void {
  for (const id of reviewers) {
    const waiting = run.waitingForStep.get(id);
    if (waiting === undefined) run.waitingForStep.set(id, [node]);
    else if (!waiting.includes(node)) waiting.push(node);
  }
  holdStep(run, node, 'security', `awaiting ${reviewers.join(', ')}`);
}

/** The run is ending: what was running has come to its end, whatever it was. */
export function settleStopped(run: Run, node: StepNode): void {
  const { slots } = node.run;
  if (node.inFlight > 0 || isSettled(node.run.state)) return;
  const failed = slots.find((slot) => slot.state === 'failed');
  const reason = run.state.ending?.reason ?? 'the run ends';
  if (endStepUndo(run, node)) return;
  const sub = currentSubStep(run, node);
  const isLast = sub === undefined || sub.at + 1 === sub.of;
  const isDone =
    isLast && slots.every((slot) => slot.state === 'succeeded') && node.plan.approval?.when !== 'after' && node.plan.gate === undefined;
  if (isDone && node.run.state === 'running') {
    node.run.result = mergeResults(slots.flatMap((slot) => (slot.result === undefined ? [] : [slot.result])));
    moveStep(run, node, 'pass', { reason: 'it had finished when the run was stopped' });
  } else if (failed === undefined) {
    moveStep(run, node, 'stop', { reason: `the run ends: ${reason}` });
  } else {
    moveStep(run, node, 'fail', { reason: failed.failure });
  }
}
