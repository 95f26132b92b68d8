import type { Actor } from '../contract/local-activities';
import type { StepNode } from './plan-index';
import { audit, countState, engineActor, weightOf, type Run } from './run';
import { releaseSlot } from './slots';
import { isDone, isSettled, nextStepState, stepAuditAction, type StepCause } from './transitions';

export interface TransitionDetails {
  reason?: string | undefined;
  actor?: Actor | undefined;
  details?: Record<string, unknown> | undefined;
}

/**
 * The only place that changes a step's state: checks the table, keeps the counters, writes the audit. Who got a step stands in the audit
 * from the moment it is recorded: the wave writes that line, not the engine when it hears of it.
 */
export function moveStep(
  run: Run,
  node: StepNode,
  cause: StepCause,
  { reason, actor = engineActor, details }: TransitionDetails = {},
): void {
  const before = node.run.state;
  const after = nextStepState(node.plan.id, before, cause);
  countState(run, node, -1);
  node.run.state = after;
  countState(run, node, 1);
  if (reason === undefined) delete node.run.reason;
  else node.run.reason = reason;
  if (after !== 'blocked') delete node.run.blockedBy;
  if (after === 'blocked') run.blockedSteps.add(node);
  else if (before === 'blocked') run.blockedSteps.delete(node);
  if (after === 'ready') node.run.readyAtMs = run.now;
  if (after !== 'ready' && after !== 'assigned' && after !== 'running') releaseSlot(run, node, after);
  if (isDone(before) !== isDone(after)) run.weight.done += isDone(after) ? weightOf(run, node) : -weightOf(run, node);
  countSettling(run, node, isSettled(before), isSettled(after));
  if (before === 'pending' && node.phase.run.startedAtMs === undefined && after !== 'skipped' && after !== 'cancelled') {
    node.phase.run.startedAtMs = run.now;
    if (node.phase.run.state === 'pending') node.phase.run.state = 'running';
  }
  run.changes.steps.add(node);
  run.changes.run = true;
  if (after === 'blocked' || after === 'failed' || after === 'waiting_approval') run.changes.urgent = true;
  if (cause === 'assign' || cause === 'launch') return;
  audit(run, {
    actor,
    action: stepAuditAction(after, cause),
    object: node.plan.id,
    generation: node.run.generation,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
  });
}

function countSettling(run: Run, node: StepNode, was: boolean, is: boolean): void {
  if (was === is) return;
  const sign = is ? -1 : 1;
  run.unsettledSteps += sign;
  if (!node.plan.async) {
    run.unsettledWithoutAsync += sign;
    node.phase.unsettled += sign;
  }
  if (is) {
    node.run.endedAtMs ??= run.now;
    run.work.settled.push(node);
  } else {
    delete node.run.endedAtMs;
  }
}
