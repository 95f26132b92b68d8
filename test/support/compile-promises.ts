import { diagnosticCodes } from '../../core/dsl/codes';
import type { CompileResult } from '../../core/dsl/compile';
import { limits } from '../../core/dsl/limits';
import { canonicalPlanText } from '../../core/plan/canonical';
import { planHashOf } from '../../db/hash';

/** What every answer of the compiler keeps to, whatever it was given: the promises that this one breaks. */
export function findBrokenPromises({ plan, diagnostics, sourceRanges }: CompileResult): string[] {
  const broken: string[] = [];
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if ((plan === null) !== errors > 0) broken.push(`${errors} errors, and ${plan === null ? 'no' : 'a'} plan`);
  if (diagnostics.length > limits.diagnostics + 1) broken.push(`${diagnostics.length} diagnostics`);
  for (const { code, message, range } of diagnostics) {
    if (!(code in diagnosticCodes)) broken.push(`the code ${code} is not known`);
    if (message.trim() === '') broken.push(`an empty message of code ${code}`);
    if (message.length > limits.message) broken.push(`a message of ${message.length} characters`);
    const isForward = range.endLine > range.line || (range.endLine === range.line && range.endColumn >= range.column);
    if (range.line < 1 || range.column < 1 || !isForward) broken.push(`a place that is none: ${JSON.stringify(range)}`);
  }
  if (plan !== null) {
    const text = canonicalPlanText(plan);
    if (canonicalPlanText(JSON.parse(text) as typeof plan) !== text) broken.push('the plan changes on its way through JSON');
    if (!/^[0-9a-f]{64}$/u.test(planHashOf(plan))) broken.push('the plan has no hash');
    const missing = plan.steps.find(({ id }) => sourceRanges[`steps/${id}`] === undefined);
    if (missing !== undefined) broken.push(`the step ${missing.id} has no place`);
  }
  return broken;
}
