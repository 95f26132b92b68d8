import type { AgentResult } from './agent-document';
import { resultProblem } from './check-result';
import { jsonBytes } from './text-size';

/** What a result may weigh as it travels on: into the state of the run, to its dependents, into Postgres. Ours is held to the same. */
const maxResultBytes = 256 * 1024;
/** Of the texts among its outputs, each of which goes into the document of every step that reads it. */
const maxOutputTextBytes = 64 * 1024;

/** Why a result is too large to travel, as the end of a sentence; undefined where it is not. */
export function sizeProblem(result: AgentResult): string | undefined {
  const sizeBytes = jsonBytes(result);
  if (sizeBytes > maxResultBytes) return `a result of ${sizeBytes} bytes, more than ${maxResultBytes}: keep what is large elsewhere`;
  const textBytes = Object.values(result.outputs ?? {}).reduce(
    (sum, output) => sum + (typeof output === 'string' ? jsonBytes(output) : 0),
    0,
  );
  if (textBytes <= maxOutputTextBytes) return undefined;
  return `outputs of ${textBytes} bytes of text, more than ${maxOutputTextBytes}: give large ones as {"artifact": "sha256:…"}`;
}

/** `91%`, `91.5 %`: what people write for a share. */
const percentPattern = /^\s*([+-]?\d{1,15}(?:\.\d{1,15})?)\s*%\s*$/;
const keys = ['status', 'verdict', 'summary', 'reasons', 'risks', 'outputs', 'metrics', 'cost'] as const satisfies (keyof AgentResult)[];

/**
 * A result that a person reports, held to the contract of any agent: percentages as text become values, keys that mean nothing are dropped.
 * A file's path means nothing here: there is no workspace. The problem is a sentence.
 */
export function readReportedResult(value: unknown): { ok: true; result: AgentResult } | { ok: false; problem: string } {
  const known = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  const raw = known ? withPercentages(value as Record<string, unknown>) : value;
  const problem = resultProblem(raw);
  if (problem !== undefined) return { ok: false, problem: `it is ${problem}` };
  const given = raw as AgentResult;
  const result = Object.fromEntries(keys.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]]))) as unknown as AgentResult;
  const path = Object.entries(result.outputs ?? {}).find(([, output]) => typeof output === 'object' && 'path' in output);
  if (path !== undefined) {
    return {
      ok: false,
      problem: `outputs.${path[0]} is a path, and a report has no workspace: give the text, or {"artifact": "sha256:…"}`,
    };
  }
  const tooLarge = sizeProblem(result);
  return tooLarge === undefined ? { ok: true, result } : { ok: false, problem: `it is ${tooLarge}` };
}

function withPercentages(value: Record<string, unknown>): Record<string, unknown> {
  const { metrics } = value;
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return value;
  const read = (metric: unknown): unknown => {
    const amount = typeof metric === 'string' ? percentPattern.exec(metric)?.[1] : undefined;
    return amount === undefined ? metric : { value: Number(amount), unit: '%' };
  };
  return { ...value, metrics: Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, read(metric)])) };
}
