import type { PlanDependency } from '../plan/types';
import { checkIf, checkRequires } from './conditions';
import { openGate } from './gates';
import { findDescendants, type StepNode } from './plan-index';
import { moveStep } from './moves';
import { audit, engineActor, findStep, type Run } from './run';
import { enqueueReady } from './slots';
import { blockStep, isOverridden, skipStep } from './setbacks';
import { hasDueUndo } from './step-undo';
import { isSettled } from './transitions';
import { approvalGate } from './votes';

/** A step has settled: whatever waited for it is looked at again. */
export function notifySettled(run: Run, node: StepNode): void {
  if (run.state.ending !== undefined || !isSettled(node.run.state)) return;
  for (const dependent of node.dependents) meetOne(run, dependent);
  if (node.phase.unsettled === 0) run.work.phases.add(node.phase);
  const waiting = run.waitingForStep.get(node.plan.id);
  if (waiting === undefined) return;
  run.waitingForStep.delete(node.plan.id);
  for (const other of waiting.sort((a, b) => a.index - b.index)) (waitsAtItsEnd(other) ? run.work.end : run.work.start).push(other);
}

/** Its work is done, or was waived when somebody overrode its failure. */
function waitsAtItsEnd(node: StepNode): boolean {
  return node.run.slots.length > 0 || isOverridden(node, 'failure');
}

/** One thing less to wait for. A step that is past its start (0) waits for nothing, whatever settles again before it. */
export function meetOne(run: Run, node: StepNode): void {
  if (node.unmet === 0) return;
  node.unmet -= 1;
  if (node.unmet === 0) run.work.start.push(node);
}

/** What is deferred is no longer that when its time comes. */
const beforeWork = new Set(['pending', 'blocked', 'waiting_approval', 'reworking']);

/**
 * Everything that comes before a step's work, in this order: its dependencies, `if`, `requires`, its manual start, the steps that can
 * block a merge or a deployment (or that it has sent back), its approval (where it comes before). Called again whenever one of them may have changed.
 */
export function checkStart(run: Run, node: StepNode): void {
  const { plan, run: step } = node;
  if (run.state.ending !== undefined || node.unmet > 0 || node.inFlight > 0 || !beforeWork.has(step.state) || waitsAtItsEnd(node)) return;
  if (hasDueUndo(run, node)) return;
  // Somebody is asked about it: only the answer changes that.
  if (['', ':start', ':blocked'].some((question) => run.openGates.has(`${plan.id}${question}`))) return;
  const broken = plan.dependsOn.find((dependency) => !dependencyHolds(run, dependency));
  if (broken !== undefined) return skipStep(run, node, reasonOfSkip(run, broken), { byFailure: broken.when === 'holds' });
  if (plan.if !== undefined) {
    const check = checkIf(run, node, plan.if);
    if (check.value !== true) return skipStep(run, node, `if ${plan.ifText ?? ''}: ${check.explanation.join('; ')}`);
  }
  if (plan.requires !== undefined && !isOverridden(node, 'requires')) {
    const check = checkRequires(run, node, plan.requires);
    if (check.value !== true)
      return blockStep(run, node, 'requires', `requires ${plan.requiresText ?? ''}: ${check.explanation.join('; ')}`);
  }
  if (!plan.automatic && step.startGiven !== true) {
    return askPeople(run, node, {
      id: `${plan.id}:start`,
      kind: 'start',
      step: plan.id,
      generation: step.generation,
      prompt: `Start ${plan.id}?`,
    });
  }
  const blocker = step.heldNoLonger === true ? undefined : findUnsettledBlocker(run, node);
  if (blocker !== undefined) return waitForStep(run, node, blocker);
  if (plan.approval?.when === 'before' && step.approved !== true && !isOverridden(node, 'approval')) {
    return askPeople(run, node, approvalGate(plan.id, step.generation, plan.approval));
  }
  moveStep(run, node, 'start');
  enqueueReady(run, node);
}

function askPeople(run: Run, node: StepNode, gate: Parameters<typeof openGate>[1]): void {
  if (node.run.state !== 'waiting_approval') moveStep(run, node, 'ask', { reason: `waits for the decision about ${gate.id}` });
  openGate(run, gate);
}

export function dependencyHolds(run: Run, dependency: PlanDependency): boolean {
  const { state, skippedByFailure } = findStep(run, dependency.step).run;
  switch (dependency.when) {
    case 'holds':
      return state === 'passed' || (state === 'skipped' && skippedByFailure !== true);
    case 'done':
      return true;
    case 'passed':
    case 'failed':
    case 'skipped':
      return state === dependency.when;
  }
}

function reasonOfSkip(run: Run, dependency: PlanDependency): string {
  const { state, reason } = findStep(run, dependency.step).run;
  const why = reason === undefined ? '' : ` (${reason})`;
  return dependency.when === 'holds' ? `${dependency.step} ${state}${why}` : `${dependency.step} ${state}, not ${dependency.when}`;
}

/**
 * A merge waits for every step that can block merges and is not settled, a deployment likewise, wherever they stand in the plan; but
 * not for one that itself waits for this step: by dependency, behind a phase that opens after it, or because it is a later merge or
 * deployment itself.
 */
function findUnsettledBlocker(run: Run, node: StepNode): StepNode | undefined {
  const { index } = run;
  let after: Set<StepNode> | undefined;
  const isHeldBy = (blocker: StepNode): boolean => {
    if (blocker === node || isSettled(blocker.run.state)) return false;
    if ((blocker.plan.merges || blocker.plan.deploys) && blocker.index > node.index) return false;
    if (
      blocker.phase.index > node.phase.index &&
      index.phases.slice(node.phase.index + 1, blocker.phase.index + 1).some((phase) => phase.plan.barrier)
    ) {
      return false;
    }
    after ??= findDescendants([node]);
    return !after.has(blocker);
  };
  return (
    findSentBack(run, node) ??
    (node.plan.merges ? index.blockersOfMerge.find(isHeldBy) : undefined) ??
    (node.plan.deploys ? index.blockersOfDeployment.find(isHeldBy) : undefined)
  );
}

/** Of the steps that a reviewer has sent back: one that has not settled again. It need not depend on them. */
function findSentBack(run: Run, reviewer: StepNode): StepNode | undefined {
  const ids = reviewer.run.reworkRounds === undefined ? [] : (reviewer.plan.rework?.steps ?? []);
  const open = ids.map((id) => findStep(run, id)).filter((node) => node !== reviewer && !isSettled(node.run.state));
  if (open.length === 0) return undefined;
  const after = findDescendants([reviewer]);
  return open.find((node) => !after.has(node));
}

function waitForStep(run: Run, node: StepNode, blocker: StepNode): void {
  const { id } = blocker.plan;
  const waiting = run.waitingForStep.get(id);
  if (waiting === undefined) run.waitingForStep.set(id, [node]);
  else if (!waiting.includes(node)) waiting.push(node);
  const reason = `waits for ${id}, which can block it`;
  if (node.run.state !== 'pending') return moveStep(run, node, 'release', { reason });
  if (node.run.reason === reason) return;
  node.run.reason = reason;
  run.changes.steps.add(node);
}

/**
 * Steps that can block and merges can wait for each other in a circle that no single pair shows. When nothing else can go on, the
 * first held step in plan order does. False when none is held.
 */
export function releaseHeldStep(run: Run): boolean {
  const held = [...run.waitingForStep.values()].flat().filter((node) => !isSettled(node.run.state) && !waitsAtItsEnd(node));
  const [first] = held.sort((a, b) => a.index - b.index);
  if (first === undefined) return false;
  first.run.heldNoLonger = true;
  audit(run, {
    actor: engineActor,
    action: 'step.hold_released',
    object: first.plan.id,
    reason: `${first.run.reason ?? 'it was held'}, and that waits for it`,
  });
  run.work.start.push(first);
  return true;
}
