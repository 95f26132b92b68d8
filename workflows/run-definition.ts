import { ApplicationFailureCategory } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  scheduleLocalActivity,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AgentSpec } from '../core/contract/agents';
import type { Continuation, SavedRun } from '../core/contract/continuation';
import type { CompilePlanInput, ResolveInput, ResolveOutput, RunRef } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import type { RunResult } from '../core/contract/run-result';
import type { TerminalRunStatus } from '../core/contract/states';
import { createEngine } from '../core/engine';
import type { Engine } from '../core/engine';
import type { RunState } from '../core/engine/run-state';
import type { Plan } from '../core/plan/types';
import { isPerson } from '../core/learning/eligibility';
import { compilePlan } from './compile-plan';
import { continuationOf, goOn, loadSavedRun, saveRun } from './continuation';
import { renderDetails } from './details';
import { driveRun, Inbox, onCancelRequested } from './driver';
import { createEffectRunner } from './effects';
import { registerHandlers, type Holder } from './handlers';
import { onDetailsAsked } from './interceptors';
import { createRecorder, localActivityOptions } from './recorder';
import { createNoticeSender } from './notices';
import type { Recorder } from './recorder';
import { createScopePool, createShield } from './scopes';
import { createSearchAttributeWriter } from './search-attributes';
import { loadPlanText } from './plan-text';
import { parseStartInput } from './start-input';
import { createTimers } from './timers';
import { createUnrecordedRecorder } from './unrecorded';
import { createVerifier } from './verifier';

/** Handles every workflow type that is not internal: the type is the definition's id. */
export async function runDefinition(...args: unknown[]): Promise<RunResult> {
  const info = workflowInfo();
  const definition = info.workflowType;
  const run: RunRef = { rootRunId: info.firstExecutionRunId, runId: info.runId, workflowId: info.workflowId };
  const inbox = new Inbox();
  const holder: Holder = {};
  const cancelled = onCancelRequested(inbox.post);
  const { countSignals } = registerHandlers(inbox, holder);

  const continuation = continuationOf(args);
  const input = parseStartInput(continuation ? [] : args);
  if (!input.ok) throw invalidStart(input.reason);

  return CancellationScope.nonCancellable(async () => {
    const begun = continuation
      ? await goOnWith(run, continuation)
      : await begin({ run, definition, input: input.value, atMs: Date.now(), taskQueue: info.taskQueue }, info.runStartTime.getTime());
    const { plan, resolved, startedAtMs, autoApprove, recording, saved } = begun;
    const version = resolved.engineVersion ?? 1;
    // Runs that began before there were notices go on without.
    const isTold = plan.notify.length > 0 && version >= 2;
    const edited = (saved?.state as RunState | undefined)?.followed;
    const { planHash, historyEstimatesMs } = edited ?? resolved;
    const engine = createEngine({
      plan: isTold ? plan : { ...plan, notify: [] },
      planHash,
      run: { id: run.workflowId, runId: run.runId, rootRunId: run.rootRunId, definition },
      startedAtMs,
      timeScale: resolved.timeScale,
      initiator: resolved.initiator,
      inputs: resolved.inputs,
      humans: resolved.humans,
      autoApprove,
      historyEstimatesMs,
      version,
      ...(resolved.agentIds && { agentIds: resolved.agentIds }),
      ...(resolved.signatures && { signatures: resolved.signatures }),
      ...(resolved.initiatorAssurance && { initiatorAssurance: resolved.initiatorAssurance }),
      ...(saved && { saved: saved.state as RunState }),
    });
    holder.engine = engine;
    const agentSet = (): string => engine.state.agentSet ?? resolved.agentSet;
    // Runs from before people did steps, without a record, go on without them.
    const agents = (resolved.agents ?? []).filter((agent) => version >= 4 || !isPerson(agent));
    const recorder =
      recording === 'full' ? createRecorder(run, { agentSet, countSignals, refused: saved?.refused }) : createUnrecordedRecorder(agents);
    holder.recorder = recorder;
    onDetailsAsked(() => renderDetails(engine.statusView(Date.now())));
    const wasCancelRequested = (): boolean => cancelled.wasRequested() || saved?.cancelRequested === true;
    const save = async (): Promise<Continuation> => {
      const continuation = await saveRun(run, {
        schemaVersion: 1,
        state: engine.state,
        resolved,
        startedAtMs,
        autoApprove,
        cancelRequested: wasCancelRequested(),
        refused: recorder.state.refused,
      });
      // The history says of a timer, and not of a local activity, what came before it: that must not be left behind.
      if (version >= 3) await sleep(1, { summary: 'continue as new' });
      return continuation;
    };
    // Runs from before this could be follow the commands of then; without a database there is nowhere to keep the state.
    const mayGoOn = recording === 'full' && version >= 2;
    const ended = await drive({
      engine,
      resolved,
      recording,
      recorder,
      run,
      inbox,
      agentSet,
      agents,
      isTold,
      ...(mayGoOn && { save }),
      mergesRounds: version < 3,
    });
    if (ended.type === 'continue') return goOn(ended.continuation);
    const result = resultOf(engine, run, definition, ended);
    if (ended.status === 'completed') return result;
    if (ended.status === 'cancelled' && wasCancelRequested()) {
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

/** What a run follows, frozen at its start. */
interface Begun {
  plan: Plan;
  resolved: Omit<ResolveOutput, 'planText'>;
  startedAtMs: number;
  autoApprove: boolean;
  recording: 'full' | 'none';
  /** Of a run that goes on. */
  saved?: SavedRun;
}

async function begin(input: ResolveInput, startedAtMs: number): Promise<Begun> {
  const { planText, ...resolved } = await resolve(input);
  const { autoApprove = false, recording = 'full' } = input.input;
  return { plan: JSON.parse(await loadPlanText(resolved, planText)) as Plan, resolved, startedAtMs, autoApprove, recording };
}

async function goOnWith(run: RunRef, continuation: Continuation): Promise<Begun> {
  const saved = await loadSavedRun(run, continuation);
  const { resolved, startedAtMs, autoApprove } = saved;
  const { followed = resolved } = saved.state as RunState;
  return { plan: JSON.parse(await loadPlanText(followed)) as Plan, resolved, startedAtMs, autoApprove, recording: 'full', saved };
}

interface Drive {
  engine: Engine;
  resolved: Begun['resolved'];
  recording: 'full' | 'none';
  recorder: Recorder;
  run: RunRef;
  inbox: Inbox;
  agentSet(): string;
  agents: readonly AgentSpec[];
  save?: () => Promise<Continuation>;
  mergesRounds: boolean;
  /** Somebody is told of what happens. */
  isTold: boolean;
}

function drive({ engine, resolved, recording, recorder, run, inbox, agentSet, agents, save, mergesRounds, isTold }: Drive) {
  const context = {
    get plan() {
      return engine.followed.plan;
    },
    get planHash() {
      return engine.followed.planHash;
    },
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
      estimateOf: (step) => engine.followed.historyEstimatesMs[step.id] ?? step.estimateMs,
      ...(resolved.agents && { agents }),
    },
    scopes,
    inbox.post,
  );
  return driveRun({
    engine,
    inbox,
    effects,
    timers: createTimers(scopes, (id) => inbox.post({ type: 'timerFired', atMs: Date.now(), id })),
    recorder,
    compilePlan: (source, format) => compilePlan({ run, source, format, known: namesOf(engine.followed.plan), ...agentsOf() }),
    ...(isTold && { notices: createNoticeSender(scopes, inbox.post) }),
    ...(resolved.signatures && { verifier: createVerifier(scopes, inbox.post) }),
    shielded: createShield(),
    save,
    mergesRounds,
    publish() {
      const { status, phase } = engine.state;
      const { plan, planHash } = engine.followed;
      writeSearchAttributes({ status, phase, definition: plan.id, planHash, blockedOn: engine.waitsFor() });
    },
  });

  function agentsOf(): Pick<CompilePlanInput, 'agentSet' | 'agents'> {
    return recording === 'full' ? { agentSet: agentSet() } : { agentSet: '', agents: [...agents] };
  }
}

/** The roles and agents that a plan asks for. */
function namesOf({ steps }: Plan): CompilePlanInput['known'] {
  return {
    roles: [...new Set(steps.map(({ role }) => role))],
    agentIds: [...new Set(steps.flatMap(({ agentId }) => agentId ?? []))],
  };
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

function invalidStart(reason: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidStartInput', message: reason, nonRetryable: true });
}

function resultOf(
  engine: Engine,
  run: RunRef,
  definition: string,
  { status, reason }: { status: TerminalRunStatus; reason?: string },
): RunResult {
  const steps: Record<string, number> = {};
  for (const { state } of Object.values(engine.state.steps)) steps[state] = (steps[state] ?? 0) + 1;
  return {
    schemaVersion: 1,
    id: run.workflowId,
    status,
    definition,
    planHash: engine.followed.planHash,
    steps,
    ...(reason !== undefined && { reason }),
  };
}
