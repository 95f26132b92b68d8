import { partsOf, type Part } from './deployment-parts';
import type { Report, Step, Undo, World } from './reference-world';

/** The deployments of the reference model: which sub-step is next, when one is given up, and what it undoes then. */

/** The sub-step that is next, or runs. */
export function partOf({ plan, part }: Step): Part | undefined {
  return partsOf(plan)[part];
}

export function pathOf(step: Step): string {
  const part = partOf(step);
  return part === undefined ? step.plan.id : `${step.plan.id}/${part.name}`;
}

/** What was reported is a reason to take the deployment back. */
export function isTakenBack(step: Step, { errors }: Report): boolean {
  const { deployment, rollbackOn } = step.plan;
  const isAlarming = errors !== undefined && errors >= 1;
  const hasAbort = deployment?.strategy === 'canary' && deployment.abortIf !== undefined && partOf(step)?.isJudged === true;
  return (rollbackOn !== undefined && isAlarming) || (hasAbort && (isAlarming || errors === undefined));
}

/** The next sub-step, at once or after its wait. False after the last. */
export function goOnDeploying(world: World, step: Step): boolean {
  if (step.part + 1 >= partsOf(step.plan).length) return false;
  step.part += 1;
  const { waitMs } = partOf(step)!;
  if (waitMs === undefined) wantPart(step);
  else step.nextPartMs = world.nowMs + waitMs;
  return true;
}

/** By the agent of the one before; who has failed in this step stays excluded. */
export function wantPart(step: Step): void {
  delete step.nextPartMs;
  const [{ excluded, agent }] = step.slots as [Step['slots'][number]];
  step.slots = [{ slot: 1, assignment: 1, state: 'wanted', excluded, ...(agent !== undefined && { agent }) }];
}

/** A deployment that fails undoes itself before it ends: all that it has begun in this generation. False where nothing is to be undone. */
export function beginUndoing(world: World, step: Step, how: Pick<NonNullable<Step['undoing']>, 'becomes' | 'isFinal'>): boolean {
  if (step.undoing !== undefined) return true;
  const undos = world.undos.filter(
    (undo) => undo.state === 'registered' && undo.step === step.plan.id && undo.generation === step.generation,
  );
  const undoesItself = partsOf(step.plan).length > 0 || step.plan.rollbackOn !== undefined;
  if (world.ending !== undefined || !undoesItself || undos.length === 0) return false;
  for (const undo of undos) undo.isDue = true;
  const isRunning = step.state === 'running';
  // What had given its slot back needs none to go back.
  step.undoing = { ...how, holdsSlot: isRunning, holdsTurn: isRunning || step.state === 'waiting_approval' };
  step.state = 'running';
  return true;
}

/** What the step still has to undo by itself, in the order in which it was begun. */
export function findDue(world: World, step: Step): Undo[] {
  return world.undos.filter(
    (undo) => undo.isDue && undo.step === step.plan.id && (undo.state === 'registered' || undo.state === 'running'),
  );
}
