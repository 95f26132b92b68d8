import type { AgentResult, MetricValue } from '../contract/agent-document';
import type { Verdict } from '../contract/states';

/** From good to bad: of several agents' verdicts the worst is the step's. */
const severity: Record<Verdict, number> = { approved: 0, changes_requested: 1, rejected: 2, blocked: 3 };

/** True for a verdict that would hold things back; no verdict counts as approved. */
export function isNegative(verdict: Verdict | undefined): boolean {
  return verdict !== undefined && verdict !== 'approved';
}

export function worstVerdict(verdicts: readonly (Verdict | undefined)[]): Verdict | undefined {
  let worst: Verdict | undefined;
  for (const verdict of verdicts) {
    if (verdict !== undefined && (worst === undefined || severity[verdict] > severity[worst])) worst = verdict;
  }
  return worst;
}

/** A foreign worker's result is not checked against the contract: its `reasons` and `risks` may be anything. */
export function reasonsOf(result: AgentResult | undefined): string[] {
  return textsOf(result?.reasons);
}

export function risksOf(result: AgentResult | undefined): string[] {
  return textsOf(result?.risks);
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

/**
 * One result out of those of several agents on one step, in slot order: the outputs together (a later slot's of the same name wins),
 * of each metric the mean, a boolean one true only where all say so, reasons and risks together, costs added.
 */
export function mergeResults(results: readonly AgentResult[]): AgentResult {
  const [first] = results;
  if (first === undefined) return { status: 'success' };
  if (results.length === 1) return first;
  const merged: AgentResult = { status: 'success' };
  const summary = results.findLast((result) => result.summary !== undefined)?.summary;
  if (summary !== undefined) merged.summary = summary;
  const verdict = worstVerdict(results.map((result) => result.verdict));
  if (verdict !== undefined) merged.verdict = verdict;
  const reasons = results.flatMap(reasonsOf);
  if (reasons.length > 0) merged.reasons = reasons;
  const risks = results.flatMap((result) => result.risks ?? []);
  if (risks.length > 0) merged.risks = risks;
  const outputs = Object.assign({}, ...results.map((result) => result.outputs ?? {})) as NonNullable<AgentResult['outputs']>;
  if (Object.keys(outputs).length > 0) merged.outputs = outputs;
  const metrics = mergeMetrics(results);
  if (Object.keys(metrics).length > 0) merged.metrics = metrics;
  const cost = sumCosts(results);
  if (cost !== undefined) merged.cost = cost;
  return merged;
}

/** What two parts of a step that ran one after the other report together: where both say something, the later one is right. */
export function mergeSequence(before: AgentResult, after: AgentResult): AgentResult {
  const merged = mergeResults([before, after]);
  const metrics = { ...before.metrics, ...after.metrics };
  return { ...merged, ...(Object.keys(metrics).length > 0 && { metrics }) };
}

function sumCosts(results: readonly AgentResult[]): AgentResult['cost'] {
  const costs = results.flatMap((result) => (result.cost === undefined ? [] : [result.cost]));
  if (costs.length === 0) return undefined;
  const sum = (pick: (cost: (typeof costs)[number]) => number | undefined): number =>
    costs.reduce((total, cost) => total + (pick(cost) ?? 0), 0);
  return { usd: sum((cost) => cost.usd), tokens_in: sum((cost) => cost.tokens_in), tokens_out: sum((cost) => cost.tokens_out) };
}

function mergeMetrics(results: readonly AgentResult[]): Record<string, MetricValue> {
  const merged: Record<string, MetricValue> = {};
  const names = new Set(results.flatMap((result) => Object.keys(result.metrics ?? {})));
  for (const name of names) {
    const values = results.flatMap((result) =>
      result.metrics !== undefined && Object.hasOwn(result.metrics, name) ? [result.metrics[name] as MetricValue] : [],
    );
    merged[name] = values.every((value) => typeof value === 'boolean') ? values.every(Boolean) : meanOf(values);
  }
  return merged;
}

/** In the first one's unit: agents on one step are asked for the same thing. */
function meanOf(values: readonly MetricValue[]): MetricValue {
  const [first] = values;
  const mean = values.reduce<number>((sum, value) => sum + (typeof value === 'object' ? value.value : Number(value)), 0) / values.length;
  return typeof first === 'object' ? { value: mean, unit: first.unit } : mean;
}
