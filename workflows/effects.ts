import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  scheduleActivity,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { AgentDocument, AgentResult } from '../core/contract/agent-document';
import type { AgentSpec } from '../core/contract/agents';
import { activityIdOf } from '../core/contract/ids';
import { agentFailureTypes } from '../core/contract/local-activities';
import type { AgentActivityControl, AgentActivityOutput, EffectRef } from '../core/contract/local-activities';
import { isUndecodable } from '../core/contract/names';
import type { Decision, EffectFailure, EngineEvent } from '../core/engine/types';
import type { PlanStep } from '../core/plan/types';
import { buildAgentDocument } from './agent-document';
import type { DocumentContext } from './agent-document';

type Launch = Extract<Decision, { type: 'launch' }>;

export interface EffectSettings {
  agentSet: string;
  timeScale: number;
  seed: string;
  recording: 'full' | 'none';
  /** Without recording there is no database that holds the specs. */
  agents?: readonly AgentSpec[];
  estimateOf(step: PlanStep): number | undefined;
}

/** The worker's wrapper beats every second: a killed worker is noticed in seconds. */
const heartbeatTimeoutMs = 10_000;
/** A foreign queue that nobody polls for so long has no worker: the step goes to another agent. */
const foreignQueueTimeoutMs = 60_000;
/** Simulated agents obey the time scale, and so do their limits, but never below this. */
const minScaledTimeoutMs = 10_000;
/** A sample that takes longer than this is a missing sample. */
const maxSampleMs = 60_000;
const compensationAttempts = 5;

const priorityKeys: Record<PlanStep['priority'], number> = { critical: 1, high: 2, normal: 3, low: 4 };

/** Starts agent activities and turns their ends into events. One cancellation scope each, so that one can be cancelled alone. */
export function createEffectRunner(context: DocumentContext, settings: EffectSettings, post: (event: EngineEvent) => void) {
  const scopes = new Map<string, CancellationScope>();

  function launch(step: PlanStep, decision: Launch): void {
    const id = activityIdOf(decision.effect);
    const scope = new CancellationScope({ cancellable: true });
    scopes.set(id, scope);
    const document = buildAgentDocument(context, step, decision);
    const control = controlOf(step, decision);
    const options = optionsOf(step, decision, settings.timeScale);
    scope
      .run(() => scheduleActivity<AgentActivityOutput>(step.role, [document, control], options))
      .then(
        (output) => post({ type: 'effectEnded', atMs: Date.now(), effect: decision.effect, ...endOf(output, document, decision) }),
        (error: unknown) => {
          post({ type: 'effectEnded', atMs: Date.now(), effect: decision.effect, failure: failureOf(error) });
        },
      )
      .finally(() => scopes.delete(id));
  }

  function controlOf(step: PlanStep, { effect, agent, sample }: Launch): AgentActivityControl {
    const estimateMs = settings.estimateOf(step);
    const spec = settings.agents?.find(({ id }) => id === agent.id);
    return {
      run: context.run,
      effect,
      agentSet: settings.agentSet,
      planHash: context.planHash,
      timeScale: settings.timeScale,
      seed: settings.seed,
      onUnknown: step.onUnknown ?? (step.environments.length > 0 && !agent.idempotent ? 'ask' : 'retry'),
      recording: settings.recording,
      ...(estimateMs !== undefined && { estimateMs }),
      ...(spec && { agent: spec }),
      ...(sample && { sample: true }),
    };
  }

  return {
    launch,
    cancel: (effect: EffectRef): void => scopes.get(activityIdOf(effect))?.cancel(),
    get running(): number {
      return scopes.size;
    },
  };
}

function optionsOf(step: PlanStep, { effect, agent, sample }: Launch, timeScale: number): ActivityOptions {
  const scaled = (ms: number): number =>
    agent.executor === 'simulate' && timeScale > 1 ? Math.min(ms, Math.max(minScaledTimeoutMs, Math.round(ms / timeScale))) : ms;
  const undo = effect.mode === 'undo';
  const { retry } = step;
  const options: ActivityOptions = {
    activityId: activityIdOf(effect),
    summary: `${effect.path}${undo ? ' (undo)' : ''} → ${agent.id}`,
    startToCloseTimeout: scaled(sample ? Math.min(step.timeoutMs, maxSampleMs) : step.timeoutMs),
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      maximumAttempts: undo ? Math.max(compensationAttempts, retry.attempts) : retry.attempts,
      initialInterval: retry.initialIntervalMs,
      backoffCoefficient: retry.backoff,
      maximumInterval: retry.maxIntervalMs,
    },
  };
  if (step.maxDurationMs !== undefined && !undo) options.scheduleToCloseTimeout = scaled(step.maxDurationMs);
  if (step.priority !== 'normal') options.priority = { priorityKey: priorityKeys[step.priority] };
  if (agent.executor === 'worker' && agent.taskQueue !== undefined) {
    options.taskQueue = agent.taskQueue;
    options.scheduleToStartTimeout = foreignQueueTimeoutMs;
  } else {
    options.heartbeatTimeout = heartbeatTimeoutMs;
  }
  return options;
}

type EffectEndFields = Pick<Extract<EngineEvent, { type: 'effectEnded' }>, 'startedAtMs' | 'endedAtMs' | 'attempt' | 'result' | 'failure'>;

/** Our worker answers with times around the result; a foreign worker may answer with the bare result. */
function endOf(output: unknown, document: AgentDocument, { agent }: Launch): EffectEndFields {
  if (isOutput(output)) {
    const { startedAtMs, endedAtMs, attempt, result } = output;
    return { startedAtMs, endedAtMs, attempt, result };
  }
  const problem = foreignResultProblem(output, document);
  if (problem === undefined) {
    const result = output as AgentResult;
    if (result.status === 'success') return { result };
    return { failure: { kind: 'failed', message: result.summary ?? `${agent.id} reported failure`, result, recorded: false } };
  }
  return { failure: { kind: 'failed', message: `the worker of ${agent.id} returned ${problem}`, recorded: false } };
}

function isOutput(value: unknown): value is AgentActivityOutput {
  return typeof value === 'object' && value !== null && 'result' in value && 'startedAtMs' in value;
}

function foreignResultProblem(value: unknown, document: AgentDocument): string | undefined {
  if (isUndecodable(value)) return `something undecodable: ${value.undecodable}`;
  if (typeof value !== 'object' || value === null) return `${JSON.stringify(value) ?? 'nothing'} instead of a result object`;
  const { status, outputs } = value as Partial<AgentResult>;
  if (status !== 'success' && status !== 'failure') return 'a result without a "status" of success or failure';
  if (status === 'failure') return undefined;
  const missing = document.outputs.filter((name) => !outputs || !Object.hasOwn(outputs, name));
  return missing.length > 0 ? `a result without the promised output ${missing.join(', ')}` : undefined;
}

const kindsByType: Record<string, EffectFailure['kind']> = {
  [agentFailureTypes.unknownOutcome]: 'unknown',
  [agentFailureTypes.notRunnable]: 'not_runnable',
  [agentFailureTypes.superseded]: 'superseded',
};

function failureOf(error: unknown): EffectFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return { kind: 'cancelled', message: 'cancelled', recorded: false };
  if (cause instanceof TimeoutFailure) return { kind: 'timeout', message: describeTimeout(cause), recorded: false };
  if (cause instanceof ApplicationFailure) {
    const [details] = cause.details ?? [];
    const hasResult = typeof details === 'object' && details !== null && 'status' in details;
    return {
      kind: kindsByType[cause.type ?? ''] ?? 'failed',
      message: cause.message,
      recorded: false,
      ...(hasResult && { result: details as AgentResult }),
    };
  }
  return { kind: 'failed', message: cause instanceof Error ? cause.message : String(cause), recorded: false };
}

function describeTimeout({ timeoutType, cause }: TimeoutFailure): string {
  const last = cause instanceof Error ? `; its last failure: ${cause.message}` : '';
  switch (timeoutType) {
    case 'HEARTBEAT':
      return `the worker stopped answering (no heartbeat for ${heartbeatTimeoutMs / 1000} s)${last}`;
    case 'SCHEDULE_TO_START':
      return `no worker took it within ${foreignQueueTimeoutMs / 1000} s${last}`;
    case 'START_TO_CLOSE':
      return `one attempt took longer than its timeout${last}`;
    default:
      return `it took longer than its max_duration${last}`;
  }
}
