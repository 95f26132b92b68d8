import type { Actor } from '../../contract/local-activities';
import type { Refusal } from '../../contract/messages';
import type { StepNode } from '../plan-index';
import { cancelEffects, type Run } from '../run';
import { skipStep } from '../setbacks';
import { isSettled } from '../transitions';
import { stepsById, whyNotUntied } from './edit-rights';
import { accept, findSteps, judgeOverrider, list, refuse, type Asked, type Judged } from './judged';

export function skipSteps(run: Run, ids: readonly string[], { by, reason, force }: Asked & { force: boolean }): Judged {
  const found = findSteps(run, ids);
  if (!found.ok) return found;
  for (const node of found.nodes) {
    const { id } = node.plan;
    if (isSettled(node.run.state)) return refuse('does_not_apply', `${id} is ${node.run.state}: there is nothing to skip`);
    if (node.run.skipping !== undefined) return refuse('does_not_apply', `${id} is being skipped already`);
    if (node.plan.optional) {
      const refusal = whyNotPassedOver(run, node, by);
      if (refusal !== undefined) return { ok: false, ...refusal };
      continue;
    }
    if (!force) return refuse('not_optional', `${id} is not optional: skipping it takes force, and a reason`);
    if (reason === undefined || reason.trim() === '') return refuse('reason_needed', `${id} is not optional: skipping it needs a reason`);
    const refusal = judgeOverrider(run, node, by);
    if (refusal !== undefined) return { ok: false, ...refusal };
  }
  return accept(() => {
    const why = reason === undefined ? `skipped by ${by.id}` : `skipped by ${by.id}: ${reason}`;
    const later: string[] = [];
    for (const node of found.nodes) {
      // A monitor has only samples in flight, which change nothing.
      if (node.inFlight === 0 || node.plan.monitor !== undefined) {
        skipStep(run, node, why, { actor: by });
        continue;
      }
      node.run.skipping = { reason: why, by };
      cancelEffects(run, node, why);
      for (const slot of node.run.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
      run.wanting.delete(node);
      run.changes.steps.add(node);
      later.push(node.plan.id);
    }
    const wait = later.length === 0 ? '' : `; ${list(later)} as soon as what runs of it has stopped`;
    const all = found.nodes.map((node) => node.plan.id);
    return { message: `${list(all)} ${all.length === 1 ? 'is' : 'are'} skipped${wait}`, steps: all };
  });
}

/** Its followers start when it is skipped: what it waits for, and they only by way of it, is not got round so. */
function whyNotPassedOver(run: Run, node: StepNode, by: Actor): Refusal | undefined {
  const { id } = node.plan;
  const steps = stepsById(run.plan);
  for (const follower of node.dependents) {
    if (isSettled(follower.run.state)) continue;
    const edited = { ...follower.plan, dependsOn: follower.plan.dependsOn.filter((one) => one.step !== id) };
    const refusal = whyNotUntied(run, { node: follower, edited, steps, by });
    if (refusal !== undefined)
      return { code: refusal.code, reason: `${follower.plan.id} would start before what ${id} waits for: ${refusal.reason}` };
  }
  return undefined;
}
