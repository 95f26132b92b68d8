import { beginEnding } from './ending';
import { openGate, withdrawGate } from './gates';
import { recordMonitorStop } from './monitor-end';
import type { StepNode } from './plan-index';
import { moveStep, type TransitionDetails } from './moves';
import { audit, cancelEffects, cancelTimer, engineActor, realMs, startTimer, type Run } from './run';
import { cancelWait } from './rollout';
import { beginStepUndo, entriesOf } from './step-undo';
import { isSettled } from './transitions';
import type { StepCheck } from './run-state';
import { nextMonday } from './zoned-time';

/** The step fails for good: `optional` and `async` steps hurt nobody, else `on_failure` says what the run does. */
export function failStep(
  run: Run,
  node: StepNode,
  reason: string,
  by: { actor?: TransitionDetails['actor']; isFinal?: boolean } = {},
): void {
  if (isSettled(node.run.state)) return;
  stopWork(run, node, `step ${node.plan.id} failed`);
  if (beginStepUndo(run, node, { becomes: 'failed', reason, by: by.actor, ...(by.isFinal === true && { isFinal: true }) })) return;
  settleFailed(run, node, reason, by);
}

/** It has undone itself, as far as that could be done: now it ends as it was to end. */
export function finishStepUndo(run: Run, node: StepNode): void {
  const { undoing } = node.run;
  if (undoing === undefined) return;
  delete node.run.undoing;
  const left = entriesOf(run, node).filter(({ state }) => state === 'failed');
  const what = left.length === 0 ? 'undone' : `not undone: ${left.map(({ effect }) => effect.path).join(', ')}`;
  const reason = `${undoing.reason}; ${what}`;
  if (undoing.becomes === 'skipped') settleSkipped(run, node, reason, { actor: undoing.by });
  else settleFailed(run, node, reason, { actor: undoing.by, isFinal: undoing.isFinal });
}

function settleFailed(
  run: Run,
  node: StepNode,
  reason: string,
  by: { actor?: TransitionDetails['actor']; isFinal?: boolean | undefined },
): void {
  const { plan } = node;
  if (plan.optional) {
    moveStep(run, node, 'skip', { reason: `failed, which an optional step may: ${reason}`, actor: by.actor });
    return;
  }
  if (plan.async || run.state.ending !== undefined) {
    moveStep(run, node, 'fail', { reason, actor: by.actor });
    return;
  }
  const policy = plan.onFailure ?? run.plan.onFailure;
  if (policy === 'block' && by.isFinal !== true) {
    blockStep(run, node, 'failure', `failed: ${reason}`);
    return;
  }
  moveStep(run, node, 'fail', { reason, actor: by.actor });
  if (policy === 'continue') return;
  // `block` keeps everything; somebody who then gives up keeps it too, except what touched production.
  beginEnding(run, { kind: 'fail', reason: `step ${plan.id} failed: ${reason}`, rollback: policy === 'rollback' ? 'all' : 'production' });
}

export function skipStep(
  run: Run,
  node: StepNode,
  reason: string,
  { byFailure = false, actor }: { byFailure?: boolean; actor?: TransitionDetails['actor'] } = {},
): void {
  if (isSettled(node.run.state)) return;
  stopWork(run, node, `step ${node.plan.id} is skipped`);
  if (beginStepUndo(run, node, { becomes: 'skipped', reason, by: actor })) return;
  settleSkipped(run, node, reason, { byFailure, actor });
}

function settleSkipped(
  run: Run,
  node: StepNode,
  reason: string,
  { byFailure = false, actor }: { byFailure?: boolean; actor?: TransitionDetails['actor'] },
): void {
  if (byFailure) node.run.skippedByFailure = true;
  moveStep(run, node, 'skip', { reason, actor });
}

/**
 * A check does not hold: the step waits, only what depends on it waits with it. What happens next is `if_blocked`, else a decision:
 * gate `<step>:blocked`, where approving overrides the check and rejecting fails the step.
 */
export function blockStep(run: Run, node: StepNode, check: StepCheck, reason: string): void {
  const { id, ifBlocked } = node.plan;
  if (run.state.ending !== undefined) return;
  const action = check === 'failure' || check === 'unknown' ? undefined : ifBlocked;
  if (action?.kind === 'fail') return failStep(run, node, reason, { isFinal: true });
  if (action?.kind === 'skip') return skipStep(run, node, `blocked, and if_blocked says skip: ${reason}`);
  if (action?.kind === 'defer') return deferStep(run, node, reason, 'forMs' in action ? action.forMs : undefined);
  if (node.run.state === 'blocked' && node.run.blockedBy === check && node.run.reason === reason) return;
  if (node.run.state === 'blocked') withdrawGate(run, gateOfBlock(id, node.run.blockedBy), 'it is blocked by something else now');
  moveStep(run, node, 'block', { reason });
  node.run.blockedBy = check;
  openGate(run, {
    id: gateOfBlock(id, check),
    kind: check === 'unknown' ? 'unknown' : 'blocked',
    step: id,
    generation: node.run.generation,
    isOverride: true,
    // Whoever may not approve the step may not let it pass this way either.
    ...(check === 'unknown' ? {} : { approval: node.plan.approval }),
    prompt: promptOf(id, check),
    reason,
  });
}

/** It waits for another step to settle; nobody is asked. */
export function holdStep(run: Run, node: StepNode, check: StepCheck, reason: string): void {
  if (node.run.state === 'blocked' && node.run.blockedBy === check) return;
  moveStep(run, node, 'block', { reason });
  node.run.blockedBy = check;
}

function deferStep(run: Run, node: StepNode, reason: string, forMs: number | undefined): void {
  const { startedAtMs, timeScale } = run.options;
  const planNowMs = startedAtMs + (run.now - startedAtMs) * timeScale;
  const waitMs = forMs ?? nextMonday(planNowMs, run.plan.timezone) - planNowMs;
  moveStep(run, node, 'defer', { reason: `deferred: ${reason}` });
  startTimer(run, deferTimerId(node), {
    atMs: run.now + realMs(run, waitMs),
    kind: 'deferred',
    target: node.plan.id,
    summary: `${node.plan.id} runs again`,
  });
}

/** Whatever of it still runs or is asked for is no longer wanted. */
export function stopWork(run: Run, node: StepNode, reason: string): void {
  cancelEffects(run, node, reason);
  recordMonitorStop(run, node);
  for (const slot of node.run.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
  run.wanting.delete(node);
  cancelTimer(run, deferTimerId(node));
  cancelWait(run, node);
  if (node.run.monitor !== undefined) cancelTimer(run, sampleTimerId(node));
  for (const gate of [node.plan.id, `${node.plan.id}:start`, `${node.plan.id}:blocked`, `${node.plan.id}:unknown`]) {
    if (run.openGates.has(gate)) withdrawGate(run, gate, reason);
  }
}

export function sampleTimerId(node: StepNode): string {
  return `${node.plan.id}/sample-${node.run.monitor?.next ?? 0}`;
}

export function deferTimerId(node: StepNode): string {
  return `${node.plan.id}/deferred`;
}

function gateOfBlock(step: string, check: StepCheck | undefined): string {
  return check === 'unknown' ? `${step}:unknown` : `${step}:blocked`;
}

function promptOf(step: string, check: StepCheck): string {
  if (check === 'unknown') return `Nobody knows whether ${step} has done its work. Approve to try it again, reject to fail it.`;
  if (check === 'failure') return `${step} failed. Approve (with a reason) to go on as if it had passed, reject to end the run.`;
  return `${step} is held back. Approve (with a reason) to override, reject to fail it.`;
}

/** Lets a check of this generation pass, because somebody said so. */
export function overrideCheck(run: Run, node: StepNode, check: StepCheck): void {
  node.run.overridden = [...(node.run.overridden ?? []), check];
  audit(run, {
    actor: engineActor,
    action: 'step.check_overridden',
    object: node.plan.id,
    generation: node.run.generation,
    details: { check },
  });
}

export function isOverridden(node: StepNode, check: StepCheck): boolean {
  return node.run.overridden?.includes(check) === true;
}
