import type { Actor } from '../contract/local-activities';
import { withdrawGate } from './gates';
import { dependencyIds, findDescendants, type StepNode } from './plan-index';
import { reopenPhase } from './phases';
import { moveStep } from './moves';
import { reasonsOf } from './results';
import { audit, countUnmet, findStep, waitsToStart, type Run } from './run';
import { stopWork } from './setbacks';

const defaultMaxRounds = 2;

/**
 * `changes_requested`: what the reviewer looked at runs again as a new generation, with the comments, and so does everything that
 * rested on it and had started (running work is cancelled, finished work is void), the review last. False when the rounds are used up
 * or there is nothing to send back: then the verdict is judged like any negative one.
 */
export function startRework(run: Run, reviewer: StepNode): boolean {
  const { plan, run: step } = reviewer;
  const rounds = step.reworkRounds ?? 0;
  if (rounds >= (plan.rework?.maxRounds ?? defaultMaxRounds)) return false;
  const ids = new Set(plan.rework?.steps ?? dependencyIds(plan.dependsOn));
  const targets = [...ids]
    .map((id) => findStep(run, id))
    .filter((node) => node !== reviewer && node.run.state === 'passed' && node.plan.monitor === undefined);
  if (targets.length === 0) return false;
  step.reworkRounds = rounds + 1;
  const comment = { from: plan.id, text: textOfComments(reviewer), generation: step.generation };
  const affected = findDescendants(targets);
  affected.add(reviewer);
  const reason = `${plan.id} asked for changes`;
  audit(run, {
    actor: { kind: 'agent', id: step.slots.find((slot) => slot.agent !== undefined)?.agent?.id ?? plan.role },
    action: 'rework.requested',
    object: plan.id,
    generation: step.generation,
    reason: comment.text,
    details: { steps: targets.map((node) => node.plan.id), round: step.reworkRounds },
  });
  for (const node of targets) node.run.comments = [...(node.run.comments ?? []), comment];
  runAgain(run, targets, { affected, cause: 'rework', reason });
  return true;
}

/**
 * `targets` as a new generation, and after them what of `affected` had started: running work is cancelled, finished work is void. The
 * phases of all of them ask their gates again.
 */
export function runAgain(
  run: Run,
  targets: readonly StepNode[],
  { affected, cause, reason, actor }: { affected: ReadonlySet<StepNode>; cause: 'rework' | 'retry'; reason: string; actor?: Actor },
): void {
  const isTarget = new Set(targets);
  const again = [...targets, ...[...affected].filter((node) => !isTarget.has(node))].sort((a, b) => a.index - b.index);
  const runsAgain = new Set(again);
  for (const node of again) {
    if (isTarget.has(node)) renew(run, node, cause, reason, actor);
    else if (node.run.state !== 'pending') renew(run, node, 'invalidate', reason);
    else withdrawEarlyVotes(run, node, reason);
  }
  // No phase waits for an `async` step, nor does its gate speak of one.
  const waitedFor = again.filter((node) => !node.plan.async);
  for (const phase of new Set(waitedFor.map((node) => node.phase))) reopenPhase(run, phase, reason);
  for (const node of run.index.steps) {
    if (!waitsToStart(node)) continue;
    node.unmet = countUnmet(run, node);
    // Its phase has closed before it.
    if (node.unmet > 0 && node.run.state === 'ready') {
      node.run.slots = [];
      moveStep(run, node, 'release', { reason });
    }
    // The reviewer may depend on nothing that runs again: its start then waits for what it sent back.
    if (node.unmet === 0 && (node.run.state === 'reworking' || runsAgain.has(node))) run.work.start.push(node);
  }
}

/** Votes that came before the step started were about what is done anew now. */
export function withdrawEarlyVotes(run: Run, node: StepNode, reason: string): void {
  for (const id of [node.plan.id, `${node.plan.id}:start`]) withdrawGate(run, id, reason);
}

/** A new generation: nothing of the old one counts any more, its votes included. */
export function renew(run: Run, node: StepNode, cause: 'rework' | 'invalidate' | 'release' | 'retry', reason: string, actor?: Actor): void {
  const { run: step } = node;
  stopWork(run, node, reason);
  withdrawEarlyVotes(run, node, reason);
  moveStep(run, node, cause, { reason, actor });
  step.generation += 1;
  step.slots = [];
  delete step.result;
  delete step.verdict;
  delete step.overridden;
  delete step.approved;
  delete step.startGiven;
  delete step.skippedByFailure;
  delete step.skipping;
  delete step.heldNoLonger;
  delete step.monitor;
  delete step.rollout;
  delete step.undoing;
  delete step.readyAtMs;
  delete step.startedAtMs;
  delete step.endedAtMs;
}

function textOfComments(reviewer: StepNode): string {
  const { result } = reviewer.run;
  const reasons = reasonsOf(result);
  return reasons.length > 0 ? reasons.join('\n') : (result?.summary ?? 'changes requested');
}
