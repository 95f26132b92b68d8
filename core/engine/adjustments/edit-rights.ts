import type { Actor } from '../../contract/local-activities';
import type { Refusal } from '../../contract/messages';
import type { Plan, PlanStep } from '../../plan/types';
import { findApprovers, findBarred, findDecisionMakers } from '../approvers';
import type { PlanDifference } from '../plan-difference';
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
    if (fields.some((field) => decides(field, step))) {
      const refusal = judgeOverrider(run, node, by);
      if (refusal !== undefined) return refusal;
    }
    if (!fields.includes('dependsOn')) continue;
    const refusal = whyNotUntied(run, { node, edited, steps, by });
    if (refusal !== undefined) return refusal;
  }
  const acting = difference.added.find(({ deploys, merges }) => deploys || merges);
  return acting === undefined ? undefined : judgeDecider(run, by, acting.id, findDecisionMakers(run));
}

function decides(field: string, { approval, automatic, gate, mustPassAll, canBlockMerge, canBlockDeployment }: PlanStep): boolean {
  // What it waits for is judged by what it no longer waits for.
  if (fieldsOfTheCourse.has(field) || field === 'dependsOn' || field === 'phase') return false;
  // Who decides where nobody is named: the people of the role.
  if (field === 'role' && (!automatic || approval?.approvers.length === 0)) return true;
  const isJudge = gate !== undefined || mustPassAll || canBlockMerge || canBlockDeployment;
  return isJudge || !fieldsOfTheWork.has(field);
}

/** What holds others back is waited for still, if only by way of other steps, or goes with the word of those who could let it pass. */
function whyNotUntied(
  run: Run,
  { node, edited, steps, by }: { node: StepNode; edited: PlanStep; steps: ReadonlyMap<string, PlanStep>; by: Actor },
): Refusal | undefined {
  const waitedFor = findWaitedFor(edited, steps);
  for (const { step: id, phase: phaseId } of node.plan.dependsOn) {
    const held = run.index.byId.get(id);
    if (held !== undefined && !waitedFor.has(id) && !isSettled(held.run.state) && holdsOthers(held.plan)) {
      const refusal = judgeOverrider(run, held, by);
      if (refusal !== undefined) return refusal;
    }
    const phase = phaseId === undefined ? undefined : run.index.phaseById.get(phaseId);
    if (phase === undefined || phase.run.state === 'passed' || edited.dependsOn.some((one) => one.phase === phaseId)) continue;
    if (phase.plan.gate === undefined && phase.plan.approval === undefined) continue;
    const refusal = judgeDecider(run, by, phase.plan.id, findApprovers(run, phase.plan.approval, undefined));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function holdsOthers(step: PlanStep): boolean {
  const { approval, gate, requires, canBlockMerge, canBlockDeployment, automatic } = step;
  return approval !== undefined || gate !== undefined || requires !== undefined || canBlockMerge || canBlockDeployment || !automatic;
}

/** The steps that have to hold before it starts, by way of others too. */
function findWaitedFor(step: PlanStep, steps: ReadonlyMap<string, PlanStep>): Set<string> {
  const found = new Set<string>();
  const open = [step];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { step: id, when } of next.dependsOn) {
      const other = steps.get(id);
      if (other === undefined || found.has(id) || (when !== 'holds' && when !== 'passed')) continue;
      found.add(id);
      open.push(other);
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
