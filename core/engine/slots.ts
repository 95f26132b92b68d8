import type { StepState } from '../contract/states';
import type { PhaseNode, ReadyEntry, StepNode } from './plan-index';
import type { Run } from './run';

/**
 * A monitor takes no slot, of the run or of its phase: it mostly waits for a timer, and its samples are short. In a serial phase it
 * takes its turn like any step, since there the order is what was asked for.
 */
export function takeSlot(run: Run, node: StepNode): void {
  if (node.holdsSlot) return;
  node.holdsSlot = true;
  node.ticket += 1;
  if (node.plan.monitor === undefined) {
    run.slotsInUse += 1;
    node.phase.slotsInUse += 1;
  }
  if (!node.phase.plan.serial) return;
  node.phase.inTurn.add(node);
  if (node.phase.offered === node) node.phase.offered = undefined;
  if (node.plan.turn !== undefined) run.serialToOffer.add(node.phase);
}

/** A step whose work waits for approval keeps its turn in a serial phase (the next one is not to start before), a blocked one does not. */
export function releaseSlot(run: Run, node: StepNode, next: StepState): void {
  const { phase } = node;
  releaseRunSlot(run, node);
  if (!phase.plan.serial) return;
  run.serialToOffer.add(phase);
  if (keepsTurn(node, next)) {
    phase.inTurn.add(node);
  } else {
    phase.inTurn.delete(node);
    if (phase.offered === node) phase.offered = undefined;
  }
}

/** Whether a step in this state keeps the steps after it, in a serial phase, from starting. */
export function keepsTurn(node: StepNode, state: StepState): boolean {
  return node.phase.plan.serial && state === 'waiting_approval' && node.run.slots.length > 0;
}

/** Gives back the slot of the run and of the phase, but not the turn in a serial phase. */
export function releaseRunSlot(run: Run, node: StepNode): void {
  const { phase } = node;
  if (!node.holdsSlot) return;
  node.holdsSlot = false;
  if (node.plan.monitor !== undefined) return;
  run.slotsInUse -= 1;
  phase.slotsInUse -= 1;
  for (const waiting of phase.parked.splice(0)) if (isStillReady(waiting)) pushReady(run, waiting.node);
}

/** Puts a ready step where the search for the next one to start finds it. */
export function enqueueReady(run: Run, node: StepNode): void {
  if (!node.phase.plan.serial) return pushReady(run, node);
  node.phase.serialReady.push(entryFor(node, node.plan.order));
  run.serialToOffer.add(node.phase);
}

/** Past the order of a serial phase: the step may start as soon as there is a slot. */
export function pushReady(run: Run, node: StepNode): void {
  (node.plan.monitor === undefined ? run.ready : run.readyMonitors).push(entryFor(node));
}

/** A new place for a waiting step: whatever place it had is void. */
export function entryFor(node: StepNode, rank = node.rank): ReadyEntry {
  node.ticket += 1;
  return { rank, node, ticket: node.ticket };
}

export function isStillReady({ node, ticket }: ReadyEntry): boolean {
  return node.ticket === ticket && node.run.state === 'ready';
}

/**
 * A serial phase offers its first ready step, in file order, when none of its steps is in work but those that share their turn with
 * it. An offer that nobody has taken up is made anew each time: a step before it may have become ready.
 */
export function offerSerialSteps(run: Run): void {
  for (const phase of run.serialToOffer) {
    const { serialReady, offered } = phase;
    while (serialReady.size > 0 && !isStillReady(serialReady.peek() as ReadyEntry)) serialReady.pop();
    const first = serialReady.peek();
    const isBetter = first !== undefined && (offered === undefined || first.rank < offered.plan.order);
    if (offered !== undefined && (isBetter || !hasTurn(offered))) {
      phase.offered = undefined;
      serialReady.push(entryFor(offered, offered.plan.order));
    }
    if (isBetter && hasTurn(first.node)) {
      serialReady.pop();
      phase.offered = first.node;
      pushReady(run, first.node);
    }
    if (phase.inTurn.size > 0 || phase.offered === undefined) run.serialToOffer.delete(phase);
  }
}

function hasTurn({ phase, plan: { turn } }: StepNode): boolean {
  for (const other of phase.inTurn) if (turn === undefined || other.plan.turn !== turn) return false;
  return true;
}

export function hasRoom(phase: PhaseNode): boolean {
  return phase.plan.maxConcurrentSteps === undefined || phase.slotsInUse < phase.plan.maxConcurrentSteps;
}
