import { parseDuration } from '../core/dsl/values';
import type { Plan, PlanInput } from '../core/plan/types';

export type BoundInputs = { ok: true; values: Record<string, unknown> } | { ok: false; problems: string[] };

/**
 * Checks what the run was started with against the declared inputs and fills in the defaults. A duration becomes milliseconds, as
 * its default is in the plan. Undeclared ones are artifacts.
 */
export function bindInputs(plan: Plan, given: Record<string, unknown>): BoundInputs {
  const values: Record<string, unknown> = { ...given };
  const problems: string[] = [];
  for (const declared of plan.inputs) {
    if (Object.hasOwn(given, declared.name)) {
      const value = valueOf(declared, given[declared.name]);
      const problem = problemOf(declared, value);
      if (problem) problems.push(problem);
      else values[declared.name] = value;
    } else if (declared.default !== undefined) values[declared.name] = declared.default;
    else if (declared.required) problems.push(`the input "${declared.name}" is required: pass it with --input ${declared.name}=VALUE`);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values };
}

const checks: Record<PlanInput['type'], (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  list: Array.isArray,
  duration: (value) => typeof value === 'number' && value >= 0,
  file: (value) => value !== null && value !== undefined,
};

function valueOf({ type }: PlanInput, given: unknown): unknown {
  return type === 'duration' && typeof given === 'string' ? (parseDuration(given) ?? given) : given;
}

function problemOf({ name, type }: PlanInput, value: unknown): string | undefined {
  return checks[type](value) ? undefined : `the input "${name}" must be of type ${type}, not ${JSON.stringify(value) ?? 'nothing'}`;
}
