import type { Plan, PlanPhase, PlanStep } from '../plan/types';

/** What another plan of the same workflow would change. */
export interface PlanDifference {
  added: PlanStep[];
  /** Steps that stand in both, with the fields in which they differ. */
  changed: { before: PlanStep; after: PlanStep; fields: string[] }[];
  /** Ids. */
  removed: string[];
  /** What differs beside phases and steps, as fields of the plan. */
  fields: string[];
}

/** What no run acts on, and the planned length, which edited steps may make another. */
const planFieldsApart = new Set([
  'phases',
  'steps',
  'metadata',
  'title',
  'description',
  'owner',
  'createdAt',
  'schedule',
  'agentsFile',
  'plannedMs',
]);
/** Where a step stands among the others: it changes with every line before it, and with what adjustments parallelize. */
const stepFieldsApart = new Set(['order', 'turn']);
const phaseFieldsApart = new Set(['title', 'plannedMs']);

/** Compares two plans. Phases that are mere labels (`areLabels`) follow from the steps: of a step they say nothing. O(size of the plans). */
export function comparePlans(before: Plan, after: Plan, { areLabels }: { areLabels: boolean }): PlanDifference {
  const old = new Map(before.steps.map((step) => [step.id, step]));
  const ids = new Set(after.steps.map(({ id }) => id));
  const difference: PlanDifference = {
    added: [],
    changed: [],
    removed: before.steps.flatMap(({ id }) => (ids.has(id) ? [] : [id])),
    fields: differingFields(before, after, planFieldsApart),
  };
  for (const step of after.steps) {
    const known = old.get(step.id);
    if (known === undefined) {
      difference.added.push(step);
      continue;
    }
    const fields = compareSteps(known, step, { areLabels });
    if (fields.length > 0) difference.changed.push({ before: known, after: step, fields });
  }
  return difference;
}

/** The fields in which two steps differ, their place in the file apart. */
export function compareSteps(before: PlanStep, after: PlanStep, { areLabels }: { areLabels: boolean }): string[] {
  const fields = differingFields(before, after, stepFieldsApart);
  return areLabels ? fields.filter((field) => field !== 'phase') : fields;
}

/** The fields in which two phases differ, their title and planned hours apart. */
export function comparePhases(before: PlanPhase, after: PlanPhase): string[] {
  return differingFields(before, after, phaseFieldsApart);
}

/** True where phases only say where a run stands: nothing waits for one, and none holds anything back. */
export function hasOnlyLabels({ phases, steps }: Plan): boolean {
  return (
    phases.every(
      ({ barrier, serial, optional, gate, approval, maxConcurrentSteps, plannedMs }) =>
        !barrier &&
        !serial &&
        !optional &&
        gate === undefined &&
        approval === undefined &&
        maxConcurrentSteps === undefined &&
        plannedMs === undefined,
    ) && steps.every(({ dependsOn }) => dependsOn.every(({ phase }) => phase === undefined))
  );
}

function differingFields(before: object, after: object, apart: ReadonlySet<string>): string[] {
  const [left, right] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...fields].filter((field) => !apart.has(field) && !isSameJson(left[field], right[field])).sort();
}

/** Of plain JSON; a field without a value is no field. */
function isSameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!isSameJson(a[key], b[key])) return false;
  return true;
}
