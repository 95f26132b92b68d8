import type { AgentDocument, AgentResult } from '../core/contract/agent-document';
import { isResult, resultProblem } from '../core/contract/check-result';
import { isUndecodable } from '../core/contract/names';
import { sizeProblem } from '../core/contract/report';
import { shortenText } from '../core/contract/text-size';
import type { EffectFailure } from '../core/engine/run-state';
import type { EngineEvent } from '../core/engine/types';

export type EffectEndFields = Pick<
  Extract<EngineEvent, { type: 'effectEnded' }>,
  'startedAtMs' | 'endedAtMs' | 'attempt' | 'result' | 'failure'
>;

type Times = Pick<EffectEndFields, 'startedAtMs' | 'endedAtMs' | 'attempt'>;

/** Clocks of workers differ; by more than this, one is wrong. */
const maxClockSkewMs = 86_400_000;
/** The largest that the history's integers hold. */
const maxAttempt = 2 ** 31 - 1;

/** What a failure says stands in the status, the audit and the reason of the run. */
const maxMessageLength = 4_000;

/** Our worker answers with times around the result; a foreign worker may answer with the bare result, or with anything. */
export function endOf(
  output: unknown,
  { document, agentId, nowMs }: { document: AgentDocument; agentId: string; nowMs: number },
): EffectEndFields {
  const { value, times } = unwrap(output, nowMs);
  const failed = (message: string, result?: AgentResult): EffectEndFields => ({
    ...times,
    failure: boundFailure({ kind: 'failed', message, recorded: false, ...(result && { result }) }),
  });
  if (isUndecodable(value)) return failed(`the worker of ${agentId} returned something undecodable: ${value.undecodable}`);
  if (!isResult(value)) return failed(`the worker of ${agentId} returned ${resultProblem(value)}`);
  const tooLarge = sizeProblem(value);
  if (tooLarge !== undefined) return failed(`the worker of ${agentId} returned ${tooLarge}`);
  if (value.status === 'failure') return failed(value.summary ?? value.reasons?.[0] ?? `${agentId} reported failure`, value);
  const missing = document.outputs.filter((name) => !value.outputs || !Object.hasOwn(value.outputs, name));
  if (missing.length > 0) return failed(`the worker of ${agentId} returned a result without the promised output ${missing.join(', ')}`);
  return { ...times, result: value };
}

/** A failure as it may go on: its message has an end, and a result that is too large is left out. */
export function boundFailure(failure: EffectFailure): EffectFailure {
  const { result, message, ...rest } = failure;
  const isKept = result !== undefined && sizeProblem(result) === undefined;
  return { ...rest, message: shortenText(message, maxMessageLength), ...(isKept && { result }) };
}

function unwrap(output: unknown, nowMs: number): { value: unknown; times: Times } {
  if (typeof output !== 'object' || output === null || !('result' in output) || 'status' in output) return { value: output, times: {} };
  const { result, startedAtMs, endedAtMs, attempt } = output as Record<string, unknown>;
  const latestMs = nowMs + maxClockSkewMs;
  const hasTimes = isBetween(startedAtMs, 0, latestMs) && isBetween(endedAtMs, startedAtMs, latestMs);
  return {
    value: result,
    times: {
      ...(hasTimes && { startedAtMs, endedAtMs }),
      ...(isBetween(attempt, 1, maxAttempt) && Number.isInteger(attempt) && { attempt }),
    },
  };
}

function isBetween(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}
