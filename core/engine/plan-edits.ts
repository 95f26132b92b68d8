import type { Plan, PlanDependency, PlanStep } from '../plan/types';
import { walkCondition } from '../plan/condition-children';
import type { PlanEdit } from './run-state';

/** The plan as the run follows it: as it was compiled, with what adjustments changed since. The plan itself when nothing was. */
export function applyEdits(plan: Plan, edits: readonly PlanEdit[] = []): Plan {
  return edits.reduce((edited, { steps }, index) => dropOrder(edited, new Set(steps), index + 1), plan);
}

/**
 * Among the steps of `chosen` only those dependencies stay that carry something: a step whose ordering is dropped takes over what
 * the other one waits for, so that it starts no earlier than that one could. In a serial phase they take their turn together.
 */
function dropOrder(plan: Plan, chosen: ReadonlySet<string>, turn: number): Plan {
  const edited = new Map<string, PlanStep>();
  for (const step of plan.steps) {
    if (!chosen.has(step.id)) {
      edited.set(step.id, step);
      continue;
    }
    const dependsOn = step.dependsOn.flatMap((dependency) => {
      const other = edited.get(dependency.step);
      return chosen.has(dependency.step) && other !== undefined && whyKept(step, other, dependency) === undefined
        ? other.dependsOn
        : [dependency];
    });
    edited.set(step.id, { ...step, dependsOn: withoutRepeats(dependsOn), turn });
  }
  return { ...plan, steps: [...edited.values()] };
}

/** What a dependency carries beside the order of two steps; undefined when that is all. */
export function whyKept(step: PlanStep, before: PlanStep, dependency: PlanDependency): string | undefined {
  const { id } = before;
  if (dependency.when !== 'holds') return `it starts only if ${id} ${dependency.when}`;
  if (dependency.phase !== undefined) return `it waits for the phase ${dependency.phase}`;
  if (step.inputs.some(({ from }) => from === id)) return `it reads what ${id} gives`;
  if (isNamedInConditions(step, before)) return `its condition asks about ${id}`;
  if (before.approval !== undefined) return `${id} is approved first`;
  if (before.canBlockMerge || before.canBlockDeployment) return `${id} can block it`;
  if (holdsOthers(before)) return `${id} has a condition, or a start of its own, that others wait for`;
  if (step.approval?.distinctFrom.includes('author') === true) return `whoever does ${id} may not decide about it`;
  if (step.securityReviewers.includes(id)) return `${id} has to agree`;
  if (step.rework?.steps.includes(id) === true) return `it reviews ${id}`;
  if (step.monitor !== undefined && before.deploys) return `it watches ${id}`;
  return undefined;
}

/** Others wait until somebody, or a condition, lets it pass. */
export function holdsOthers(step: PlanStep): boolean {
  const { approval, gate, mustPassAll, requires, canBlockMerge, canBlockDeployment, automatic } = step;
  const hasCondition = gate !== undefined || mustPassAll || requires !== undefined;
  return approval !== undefined || hasCondition || canBlockMerge || canBlockDeployment || !automatic;
}

function isNamedInConditions(step: PlanStep, before: PlanStep): boolean {
  for (const condition of [step.if, step.requires, step.gate]) {
    if (condition === undefined) continue;
    for (const part of walkCondition(condition)) {
      if (part.op === 'stepMetric' && part.step === before.id) return true;
      if (part.op === 'predicate' && part.target === before.id) return true;
      // Its scope is what the step depends on.
      if (part.op === 'metric' || part.op === 'quantifier' || part.op === 'count' || part.op === 'aggregate') return true;
    }
  }
  return false;
}

function withoutRepeats(dependencies: readonly PlanDependency[]): PlanDependency[] {
  return [...new Map(dependencies.map((one) => [`${one.step}\n${one.when}\n${one.phase ?? ''}`, one])).values()];
}
