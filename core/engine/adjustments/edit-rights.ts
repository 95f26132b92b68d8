import type { Actor } from '../../contract/local-activities';
import type { Refusal } from '../../contract/messages';
import type { Plan, PlanStep } from '../../plan/types';
import { findApprovers, findBarred, findDecisionMakers } from '../approvers';
import type { PlanDifference } from '../plan-difference';
import { holdsOthers } from '../plan-edits';
import type { StepNode } from '../plan-index';
import type { Run } from '../run';
import { isSettled } from '../transitions';
import { judgeVoter } from '../votes';
import { judgeOverrider } from './judged';

/** How a step is done: whoever changes it gets round nothing that somebody, or a condition, has to decide. */
const fieldsOfTheCourse: ReadonlySet<string> = new Set<keyof PlanStep>([
  'title',
  'description',
  'priority',
  'estimateMs',
  'timeoutMs',
  'maxDurationMs',
  'retry',
  'reassign',
  'parallelizable',
  'parallelWith',
  'policy',
]);
/** What is done, and by whom: the same, but for steps whose result decides about others. */
const fieldsOfTheWork: ReadonlySet<string> = new Set<keyof PlanStep>([
  'role',
  'agentId',
  'skills',
  'inputs',
  'outputs',
  'tasks',
  'actions',
  'taskType',
  'testType',
  'quality',
  'with',
]);

/** Why somebody may not change the steps so: where the edit gets round a decision, it takes the right to make that. */
export function whyNotTheirs(
  run: Run,
  { after, difference, by }: { after: Plan; difference: PlanDifference; by: Actor },
): Refusal | undefined {
  const steps = stepsById(after);
  for (const { before: step, after: edited, fields } of difference.changed) {
    const node = run.index.byId.get(step.id);
    if (node === undefined) continue;
    // Those who decide now may be authors of what is yet to be done: what keeps these out is for others to change.
    const makers = findDecisionMakers(run);
    const keepsOut = fields.includes('approval') && makers.length > 0 && step.approval?.distinctFrom.includes('author') === true;
    const refused = keepsOut ? judgeDecider(run, by, step.id, makers) : undefined;
    if (refused !== undefined) return refused;
    if (fields.some((field) => !(keepsOut && field === 'approval') && decides(field, step, edited))) {
      const refusal = judgeOverrider(run, node, by);
      if (refusal !== undefined) return refusal;
    }
    if (!fields.includes('dependsOn')) continue;
    const refusal = whyNotUntied(run, { node, edited, steps, by });
    if (refusal !== undefined) return refusal;
  }
  const begins = difference.changed.filter(
    ({ before, after: edited }) => (!before.deploys && edited.deploys) || (!before.merges && edited.merges),
  );
  const acting = [...difference.added.filter(({ deploys, merges }) => deploys || merges), ...begins.map((change) => change.after)][0];
  const refusal = acting === undefined ? undefined : judgeDecider(run, by, acting.id, findDecisionMakers(run));
  return refusal ?? whyNotUnblocked(run, { after, by });
}

function decides(field: string, before: PlanStep, after: PlanStep): boolean {
  const { approval, automatic, gate, mustPassAll, canBlockMerge, canBlockDeployment } = before;
  if (fieldsOfTheCourse.has(field) || field === 'phase') return false;
  // What it waits for is judged by what it no longer waits for; and by whom or what it asks of all that it depends on.
  if (field === 'dependsOn') return asksOfAll(before) || asksOfAll(after);
  // Who decides where nobody is named: the people of the role.
  if (field === 'role' && (!automatic || approval?.approvers.length === 0)) return true;
  const isJudge = gate !== undefined || mustPassAll || canBlockMerge || canBlockDeployment;
  return isJudge || before.deploys || before.merges || !fieldsOfTheWork.has(field);
}

/** What it depends on is what its conditions are about, whom its decision keeps out, or what it watches. */
function asksOfAll({ if: condition, requires, gate, mustPassAll, monitor, approval, securityReviewers }: PlanStep): boolean {
  const isConditional = condition !== undefined || requires !== undefined || gate !== undefined || mustPassAll;
  return isConditional || monitor !== undefined || securityReviewers.length > 0 || approval?.distinctFrom.includes('author') === true;
}

/** What can block a merge or a deployment, and would no longer, goes with the word of those who could let it pass. */
function whyNotUnblocked(run: Run, { after, by }: { after: Plan; by: Actor }): Refusal | undefined {
  const [before, edited] = [stepsById(run.plan), stepsById(after)];
  const places = new Map(after.steps.map(({ id }, place) => [id, place]));
  for (const blocker of run.index.steps) {
    const { id, canBlockMerge, canBlockDeployment, merges, deploys } = blocker.plan;
    if (!(canBlockMerge || canBlockDeployment) || isSettled(blocker.run.state)) continue;
    const standsBehind = edited.get(id);
    const [ancestorsBefore, ancestorsAfter] = [ancestorsOf(blocker.plan, before), ancestorsOf(standsBehind ?? blocker.plan, edited)];
    const isLost = run.index.steps.some((acting) => {
      const isHeld = (acting.plan.merges && canBlockMerge) || (acting.plan.deploys && canBlockDeployment);
      if (!isHeld || acting === blocker || isSettled(acting.run.state)) return false;
      const isBehind = !ancestorsBefore.has(acting.plan.id) && ancestorsAfter.has(acting.plan.id);
      // Of two that act, the one that stands first in the file holds the other.
      const isMoved = (merges || deploys) && blocker.index < acting.index && (places.get(id) ?? 0) > (places.get(acting.plan.id) ?? 0);
      return isBehind || isMoved;
    });
    const refusal = isLost ? judgeOverrider(run, blocker, by) : undefined;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/**
 * What holds others back is waited for still, if only by way of steps that cannot be passed over, or goes with the word of those who
 * could let it pass.
 */
export function whyNotUntied(
  run: Run,
  { node, edited, steps, by }: { node: StepNode; edited: PlanStep; steps: ReadonlyMap<string, PlanStep>; by: Actor },
): Refusal | undefined {
  const waitedFor = findWaitedFor(edited, steps);
  const before = stepsById(run.plan);
  for (const id of ancestorsOf(node.plan, before)) {
    const held = run.index.byId.get(id);
    if (held === undefined || waitedFor.has(id) || isSettled(held.run.state) || !holdsOthers(held.plan)) continue;
    const refusal = judgeOverrider(run, held, by);
    if (refusal !== undefined) return refusal;
  }
  for (const { phase: phaseId } of node.plan.dependsOn) {
    const phase = phaseId === undefined ? undefined : run.index.phaseById.get(phaseId);
    if (phase === undefined || phase.run.state === 'passed' || edited.dependsOn.some((one) => one.phase === phaseId)) continue;
    if (phase.plan.gate === undefined && phase.plan.approval === undefined) continue;
    const refusal = judgeDecider(run, by, phase.plan.id, findApprovers(run, phase.plan.approval, undefined));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** All that it waits for, by way of others too, whatever they have to become. */
function ancestorsOf(step: PlanStep, steps: ReadonlyMap<string, PlanStep>): Set<string> {
  const found = new Set<string>();
  const open = [step];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { step: id } of next.dependsOn) {
      const other = steps.get(id);
      if (other === undefined || found.has(id)) continue;
      found.add(id);
      open.push(other);
    }
  }
  return found;
}

/** The steps that have to hold before it starts, by way of others that nobody may pass over. */
function findWaitedFor(step: PlanStep, steps: ReadonlyMap<string, PlanStep>): Set<string> {
  const found = new Set<string>();
  const open = [step];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { step: id, when } of next.dependsOn) {
      const other = steps.get(id);
      if (other === undefined || found.has(id) || (when !== 'holds' && when !== 'passed')) continue;
      found.add(id);
      // One that is skipped lets its followers go before what it waits for itself.
      if (!other.optional && other.if === undefined) open.push(other);
    }
  }
  return found;
}

function judgeDecider(run: Run, by: Actor, gate: string, approvers: readonly string[]): Refusal | undefined {
  return judgeVoter(
    { approvers, barred: findBarred(run, undefined, undefined) },
    { gate, by: by.id, decision: 'approve', atMs: 0, assurance: 'local', via: 'update' },
  );
}

export function stepsById({ steps }: Plan): Map<string, PlanStep> {
  return new Map(steps.map((step) => [step.id, step]));
}
