import { ActivityFailure, ApplicationFailure, CancelledFailure, scheduleActivity, TimeoutFailure } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { AgentSpec } from '../core/contract/agents';
import { isResult } from '../core/contract/check-result';
import { activityIdOf } from '../core/contract/ids';
import { agentFailureTypes } from '../core/contract/local-activities';
import type { AgentActivityControl, EffectRef } from '../core/contract/local-activities';
import { buildAgentDocument } from '../core/engine/agent-document';
import type { DocumentContext } from '../core/engine/agent-document';
import type { EffectFailure } from '../core/engine/run-state';
import type { Decision, EngineEvent } from '../core/engine/types';
import type { PlanStep } from '../core/plan/types';
import { boundFailure, endOf } from './effect-end';
import type { EffectEndFields } from './effect-end';
import type { Cancellable, ScopePool } from './scopes';

type Launch = Extract<Decision, { type: 'launch' }>;

export interface EffectSettings {
  /** As it is now, since agents may be added. */
  agentSet(): string;
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

/** Starts agent activities and turns their ends into events. Each can be cancelled alone. */
export function createEffectRunner(
  context: DocumentContext,
  settings: EffectSettings,
  scopes: ScopePool,
  post: (event: EngineEvent) => void,
) {
  const running = new Map<string, Cancellable>();

  function launch(step: PlanStep, decision: Launch): void {
    const id = activityIdOf(decision.effect);
    const document = buildAgentDocument(context, step, decision);
    const control = controlOf(step, decision);
    const options = optionsOf(step, decision, settings.timeScale);
    const end = (fields: EffectEndFields): void => {
      running.delete(id);
      post({ type: 'effectEnded', atMs: Date.now(), effect: decision.effect, ...fields });
    };
    const effect = scopes.start(
      () => scheduleActivity<unknown>(step.role, [document, control], options),
      (output) => end(endOf(output, { document, agentId: decision.agent.id, nowMs: Date.now() })),
      (error) => end({ failure: boundFailure(failureOf(error)) }),
    );
    running.set(id, effect);
  }

  function controlOf(step: PlanStep, { effect, agent, sample }: Launch): AgentActivityControl {
    const estimateMs = settings.estimateOf(step);
    const spec = settings.agents?.find(({ id }) => id === agent.id);
    return {
      run: context.run,
      effect,
      agentSet: settings.agentSet(),
      planHash: context.planHash,
      timeScale: settings.timeScale,
      seed: settings.seed,
      onUnknown: step.onUnknown ?? (step.environments.length > 0 && !agent.idempotent ? 'ask' : 'retry'),
      recording: settings.recording,
      ...(estimateMs !== undefined && { estimateMs }),
      ...(spec && { agent: spec }),
      ...(effect.mode === 'undo' && step.compensate && 'executor' in step.compensate && { executor: step.compensate.executor }),
      ...(sample && { sample: true }),
    };
  }

  return {
    launch,
    cancel: (effect: EffectRef): void => running.get(activityIdOf(effect))?.cancel(),
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
    return {
      kind: kindsByType[cause.type ?? ''] ?? 'failed',
      message: cause.message,
      recorded: false,
      ...(isResult(details) && { result: details }),
      ...attemptIn(details),
    };
  }
  return { kind: 'failed', message: cause instanceof Error ? cause.message : String(cause), recorded: false };
}

/** A failure that no retry mends says whether an earlier attempt may have left something to undo. */
function attemptIn(details: unknown): { attempt?: number } {
  const attempt = typeof details === 'object' && details !== null ? (details as { attempt?: unknown }).attempt : undefined;
  return Number.isInteger(attempt) ? { attempt: attempt as number } : {};
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
