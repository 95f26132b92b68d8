import { ApplicationFailureCategory } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  scheduleLocalActivity,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
} from '@temporalio/workflow';
import type { AdjustmentKind, AdjustReply, AdjustVerdict } from '../core/contract/adjustments';
import type { AgentSpec } from '../core/contract/agents';
import type { LoadPlanInput, ResolveInput, ResolveOutput, RunRef } from '../core/contract/local-activities';
import type { DecideReply, Refusal } from '../core/contract/messages';
import { localActivityNames, signalNames } from '../core/contract/names';
import type { RunResult } from '../core/contract/run-result';
import type { TerminalRunStatus } from '../core/contract/states';
import type { GateView, RunStatusView, TimelineView, ExplainView } from '../core/contract/views';
import { createEngine } from '../core/engine';
import type { Engine } from '../core/engine';
import type { VoteVerdict } from '../core/engine/types';
import type { Plan } from '../core/plan/types';
import { renderDetails } from './details';
import { driveRun, Inbox, onCancelRequested } from './driver';
import { createEffectRunner } from './effects';
import { onDetailsAsked } from './interceptors';
import { parseAdjustment } from './adjustments';
import { parseDecision, parseSignal } from './messages';
import { createRecorder, localActivityOptions, recordingViewOf } from './recorder';
import type { Recorder } from './recorder';
import { createScopePool, createShield } from './scopes';
import { createSearchAttributeWriter } from './search-attributes';
import { parseStartInput } from './start-input';
import { createTimers } from './timers';
import { createUnrecordedRecorder } from './unrecorded';

/** Handles every workflow type that is not internal: the type is the definition's id. */
export async function runDefinition(...args: unknown[]): Promise<RunResult> {
  const info = workflowInfo();
  const definition = info.workflowType;
  const run: RunRef = { rootRunId: info.firstExecutionRunId, runId: info.runId, workflowId: info.workflowId };
  const inbox = new Inbox();
  const holder: Holder = {};
  const cancelled = onCancelRequested(inbox.post);
  registerHandlers(inbox, holder);

  const input = parseStartInput(args);
  if (!input.ok) throw invalidStart(input.reason);

  return CancellationScope.nonCancellable(async () => {
    const resolved = await resolve({ run, definition, input: input.value, atMs: Date.now(), taskQueue: info.taskQueue });
    const plan = await loadPlan(resolved);
    const engine = createEngine({
      plan,
      planHash: resolved.planHash,
      run: { id: run.workflowId, runId: run.runId, rootRunId: run.rootRunId, definition },
      startedAtMs: info.runStartTime.getTime(),
      timeScale: resolved.timeScale,
      initiator: resolved.initiator,
      inputs: resolved.inputs,
      humans: resolved.humans,
      autoApprove: input.value.autoApprove ?? false,
      historyEstimatesMs: resolved.historyEstimatesMs,
      version: resolved.engineVersion ?? 1,
    });
    holder.engine = engine;
    const agentSet = (): string => engine.state.agentSet ?? resolved.agentSet;
    holder.plan = plan;
    const recording = input.value.recording ?? 'full';
    const agents = [...(resolved.agents ?? [])];
    const recorder = recording === 'full' ? createRecorder(run, agentSet) : createUnrecordedRecorder(agents);
    holder.recorder = recorder;
    onDetailsAsked(() => renderDetails(engine.statusView(Date.now())));
    const ended = await drive({ engine, plan, resolved, recording, recorder, run, inbox, agentSet, agents });
    const result = resultOf(engine, run, definition, resolved.planHash, ended);
    if (ended.status === 'completed') return result;
    if (ended.status === 'cancelled' && cancelled.wasRequested()) {
      throw new CancelledFailure(ended.reason ?? 'cancelled', [result]);
    }
    throw ApplicationFailure.create({
      type: failureTypes[ended.status],
      message: ended.reason ?? ended.status,
      nonRetryable: true,
      details: [result],
      // Ends like these are what the plan asked for: no alarm in the worker's log.
      category: ApplicationFailureCategory.BENIGN,
    });
  });
}

const failureTypes: Record<TerminalRunStatus, string> = {
  completed: 'RunCompleted',
  failed: 'RunFailed',
  rolled_back: 'RunRolledBack',
  rollback_failed: 'RunRollbackFailed',
  cancelled: 'RunCancelled',
};

interface Holder {
  engine?: Engine;
  plan?: Plan;
  recorder?: Recorder;
}

interface Drive {
  engine: Engine;
  plan: Plan;
  resolved: ResolveOutput;
  recording: 'full' | 'none';
  recorder: Recorder;
  run: RunRef;
  inbox: Inbox;
  agentSet(): string;
  agents: readonly AgentSpec[];
}

function drive({ engine, plan, resolved, recording, recorder, run, inbox, agentSet, agents }: Drive) {
  const context = {
    plan,
    planHash: resolved.planHash,
    run,
    initiator: resolved.initiator,
    inputs: resolved.inputs,
    state: engine.state,
  };
  const writeSearchAttributes = createSearchAttributeWriter();
  const scopes = createScopePool();
  const effects = createEffectRunner(
    context,
    {
      agentSet,
      timeScale: resolved.timeScale,
      seed: resolved.seed,
      recording,
      estimateOf: (step) => resolved.historyEstimatesMs[step.id] ?? step.estimateMs,
      ...(resolved.agents && { agents }),
    },
    scopes,
    inbox.post,
  );
  return driveRun({
    engine,
    steps: new Map(plan.steps.map((step) => [step.id, step])),
    inbox,
    effects,
    timers: createTimers(scopes, (id) => inbox.post({ type: 'timerFired', atMs: Date.now(), id })),
    recorder,
    shielded: createShield(),
    publish() {
      const { status, phase } = engine.state;
      writeSearchAttributes({ status, phase, definition: plan.id, planHash: resolved.planHash, blockedOn: engine.waitsFor() });
    },
  });
}

async function resolve(input: ResolveInput): Promise<ResolveOutput> {
  try {
    return await scheduleLocalActivity<ResolveOutput>(localActivityNames.resolve, [input], {
      ...localActivityOptions,
      summary: 'compile the definition, freeze plan and agents',
    });
  } catch (error) {
    // The local activity's own failure says all; the wrapper around it would hide its type and diagnostics.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) {
      const { message, type, details } = error.cause;
      throw ApplicationFailure.create({
        message,
        nonRetryable: true,
        ...(type != null && { type }),
        ...(details != null && { details }),
      });
    }
    throw error;
  }
}

async function loadPlan({ planText, planPieces, planHash }: ResolveOutput): Promise<Plan> {
  let text = planText;
  for (let piece = 1; piece < planPieces; piece++) {
    const input: LoadPlanInput = { planHash, piece };
    text += await scheduleLocalActivity<string>(localActivityNames.loadPlan, [input], localActivityOptions);
  }
  return JSON.parse(text) as Plan;
}

function invalidStart(reason: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidStartInput', message: reason, nonRetryable: true });
}

function resultOf(
  engine: Engine,
  run: RunRef,
  definition: string,
  planHash: string,
  { status, reason }: { status: TerminalRunStatus; reason?: string },
): RunResult {
  const steps: Record<string, number> = {};
  for (const { state } of Object.values(engine.state.steps)) steps[state] = (steps[state] ?? 0) + 1;
  return { schemaVersion: 1, id: run.workflowId, status, definition, planHash, steps, ...(reason !== undefined && { reason }) };
}

const statusQuery = defineQuery<RunStatusView | null>('status');
const planQuery = defineQuery<Plan | null>('plan');
const timelineQuery = defineQuery<TimelineView | null>('timeline');
const gatesQuery = defineQuery<GateView[]>('gates');
const explainQuery = defineQuery<ExplainView | null, [unknown]>('explain');
const decideUpdate = defineUpdate<DecideReply, unknown[]>('decide');
/** Updates that change the run: `adjust` says which kind, the others are one each. */
const adjustUpdates: readonly { name: string; kind?: AdjustmentKind }[] = [
  { name: 'adjust' },
  { name: 'retryStep', kind: 'retry_step' },
  { name: 'skipStep', kind: 'skip_step' },
  { name: 'overrideGate', kind: 'override_gate' },
];

function registerHandlers(inbox: Inbox, holder: Holder): void {
  for (const name of signalNames) {
    setHandler(defineSignal<unknown[]>(name), (...args: unknown[]) => inbox.post(parseSignal(name, args, Date.now())));
  }
  setDefaultSignalHandler((name, ...args) => inbox.post(parseSignal(name, args, Date.now())));

  setHandler(statusQuery, () => (holder.engine ? { ...holder.engine.statusView(Date.now()), ...recordingViewOf(holder.recorder) } : null));
  setHandler(planQuery, () => holder.plan ?? null);
  setHandler(timelineQuery, () => holder.engine?.timelineView() ?? null);
  setHandler(gatesQuery, () => holder.engine?.gateViews(Date.now()) ?? []);
  setHandler(explainQuery, (input) => {
    const step = typeof input === 'object' && input !== null ? (input as { stepId?: unknown }).stepId : input;
    return typeof step === 'string' ? (holder.engine?.explain(step) ?? null) : null;
  });

  setHandler(
    decideUpdate,
    async (...args) => {
      const { vote } = judged(args);
      // What the loop made of the vote: something that arrived at the same moment may have decided before it.
      const verdict = await new Promise<VoteVerdict>((answer) => inbox.post({ type: 'voted', vote, answer }));
      if (!verdict.ok) throw refused(verdict);
      return verdict.reply;
    },
    {
      validator: (...args) => {
        const { engine, vote } = judged(args);
        const verdict = engine.judgeVote(vote);
        if (!verdict.ok) throw refused(verdict);
      },
    },
  );

  for (const { name, kind } of adjustUpdates) {
    const read = (args: readonly unknown[]) => {
      const parsed = parseAdjustment(args, kind);
      if (!parsed.ok) throw refused({ code: 'malformed', reason: `${name}: ${parsed.reason}` });
      return { engine: plannedEngine(), request: { ...parsed.value, via: 'update' } as const };
    };
    setHandler(
      defineUpdate<AdjustReply, unknown[]>(name),
      async (...args) => {
        const { request } = read(args);
        const verdict = await new Promise<AdjustVerdict>((answer) => inbox.post({ type: 'adjusted', atMs: Date.now(), request, answer }));
        if (!verdict.ok) throw refused(verdict);
        return verdict.reply;
      },
      {
        validator: (...args) => {
          const { engine, request } = read(args);
          const refusal = engine.judgeAdjustment(request);
          if (refusal !== undefined) throw refused(refusal);
        },
      },
    );
  }

  function plannedEngine(): Engine {
    if (!holder.engine) throw refused({ code: 'planning', reason: 'the run is still being planned: try again in a moment' });
    return holder.engine;
  }

  function judged(args: readonly unknown[]) {
    const parsed = parseDecision(args);
    if (!parsed.ok) throw refused({ code: 'malformed', reason: `decide: ${parsed.reason}` });
    return { engine: plannedEngine(), vote: { ...parsed.value, atMs: Date.now(), assurance: 'local', via: 'update' } as const };
  }
}

function refused({ code, reason }: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: 'Refused', message: reason, nonRetryable: true, details: [{ code }] });
}
