import type { Condition } from '../../core/plan/condition';
import type { RunScript } from './run-script';
import type { Plan, PlanApproval, PlanStep } from '../../core/plan/types';

/** The rules of the reference model that look at a plan or at votes only: each works its answer out anew. */

/** The order in which ready steps start: priority, longest remaining path by the estimates, place in the file. */
export function startOrder(plan: Plan): (a: PlanStep, b: PlanStep) => number {
  const priorities = ['critical', 'high', 'normal', 'low'];
  const pathOf = (step: PlanStep): number => {
    const after = plan.steps.filter((other) => other.dependsOn.some((dependency) => dependency.step === step.id));
    return (step.monitor?.durationMs ?? step.estimateMs ?? 900_000) + Math.max(0, ...after.map(pathOf));
  };
  const paths = new Map(plan.steps.map((step) => [step.id, pathOf(step)]));
  return (a, b) =>
    priorities.indexOf(a.priority) - priorities.indexOf(b.priority) || paths.get(b.id)! - paths.get(a.id)! || a.order - b.order;
}

/** All that rest on these steps, by dependency. */
export function findDependents(plan: Plan, ids: readonly string[]): Set<string> {
  const found = new Set<string>();
  // A plan stands in topological order: one pass finds all.
  for (const step of plan.steps) {
    if (step.dependsOn.some((dependency) => ids.includes(dependency.step) || found.has(dependency.step))) found.add(step.id);
  }
  return found;
}

/** Whether `step`, which merges or deploys, waits for `blocker` while that is unsettled, though no dependency says so. */
export function canHold(plan: Plan, blocker: PlanStep, step: PlanStep): boolean {
  const holds = (step.merges && blocker.canBlockMerge) || (step.deploys && blocker.canBlockDeployment);
  if (!holds || blocker === step || findDependents(plan, [step.id]).has(blocker.id)) return false;
  if ((blocker.merges || blocker.deploys) && plan.steps.indexOf(blocker) > plan.steps.indexOf(step)) return false;
  const phaseOf = (one: PlanStep): number => plan.phases.findIndex((phase) => phase.id === one.phase);
  return !plan.phases.slice(phaseOf(step) + 1, phaseOf(blocker) + 1).some((phase) => phase.barrier);
}

export interface Voice {
  by: string;
  decision: 'approve' | 'reject';
}

/** Names of groups stand for their members, which may be groups again. */
export function peopleOf(plan: Plan, names: readonly string[]): string[] {
  const members = names.flatMap((name) => (plan.approvers[name] === undefined ? [name] : peopleOf(plan, plan.approvers[name])));
  return [...new Set(members)];
}

/** Those who are named, else the people of the role, else the decision-makers; empty: anyone. */
export function approversOf({ plan, humans }: RunScript, approval: PlanApproval | undefined, role: string | undefined): string[] {
  if (approval !== undefined && approval.approvers.length > 0) return peopleOf(plan, approval.approvers);
  const ofRole = humans.filter((human) => human.role === role);
  return ofRole.length > 0 ? ofRole.map(({ id }) => id) : decisionMakersOf(humans);
}

export function decisionMakersOf(humans: RunScript['humans']): string[] {
  return humans.filter((human) => human.role === 'decision-maker').map(({ id }) => id);
}

/** Each person's last vote counts. One rejection decides where one approval would; else as many as make the quorum impossible. */
export function tallyVotes(
  votes: readonly Voice[],
  { quorum, voters }: { quorum: number; voters: number | undefined },
): 'approved' | 'rejected' | undefined {
  const people = [...new Set(votes.map((vote) => vote.by))];
  const lasts = people.map((by) => votes.findLast((vote) => vote.by === by)?.decision);
  const approvals = lasts.filter((decision) => decision === 'approve').length;
  const rejections = lasts.length - approvals;
  if (approvals >= quorum) return 'approved';
  const isLost = voters === undefined ? rejections >= quorum : rejections > 0 && voters - rejections < quorum;
  return isLost || (quorum === 1 && rejections > 0) ? 'rejected' : undefined;
}

export interface Spoken {
  /** The metric that a step reports. */
  coverageOf: (step: string) => number | undefined;
  /** The states of the steps that `none_failed` speaks of. */
  states: readonly string[];
}

/** The conditions that random plans use: a metric against a number, `passed(step)`, `none_failed`. What nobody knows does not hold. */
export function conditionHolds(condition: Condition, { coverageOf, states }: Spoken, stateOf: (step: string) => string): boolean {
  if (condition.op === 'quantifier') return states.length > 0 && !states.includes('failed');
  if (condition.op === 'predicate') return stateOf(condition.target) === 'passed';
  if (condition.op !== '>=' || condition.left.op !== 'stepMetric' || condition.right.op !== 'literal')
    throw new Error(`The reference model knows no ${condition.op}`);
  const value = coverageOf(condition.left.step);
  return value !== undefined && value >= Number(condition.right.value);
}
