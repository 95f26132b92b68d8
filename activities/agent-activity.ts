import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from '@temporalio/common';
import type { AgentDocument, AgentProgress, AgentResult } from '../core/contract/agent-document';
import { placeAgent, type AgentSpec } from '../core/contract/agents';
import { isAppError } from '../core/contract/errors';
import { agentFailureTypes } from '../core/contract/local-activities';
import type { AgentActivityControl, AgentActivityOutput } from '../core/contract/local-activities';
import { matchOutputs } from '../core/contract/output-names';
import type { Database } from '../db/connect';
import { loadAgentSet } from '../db/queries/agents';
import type { BeganAttempt } from '../db/queries/effects';
import { agentFailure, badResult, notRunnable, superseded, unknownOutcome } from './agent-failures';
import { createAgentLog } from './agent-log';
import { createFolderArtifactStore } from './artifacts';
import type { Artifact } from './artifacts';
import { createDatabaseRecording, createNoRecording, createSampleRecording } from './effect-recording';
import type { EffectRecording } from './effect-recording';
import { builtinExecutors, findExecutor } from './executors/index';
import type { Executors } from './executors/types';
import { heartbeatEveryMs, startHeartbeat } from './heartbeat';
import { holdUntilCancelled } from './hold-until-cancelled';
import { createOneAtATime } from './one-at-a-time';
import { refuseUndoneWork } from './refuse-undone-work';
import { resolveInputs } from './resolve-inputs';
import { checkResult } from './result-contract';
import { retryTransient } from './retry-transient';
import { createSecrets } from './secrets';
import type { Secrets } from './secrets';
import { storeOutputs } from './store-outputs';
import type { StoredOutputs } from './store-outputs';
import { createWorkspace, removeWorkspace } from './workspace';

/** A third of a lease's length. */
const renewLeaseEveryMs = 20_000;

export interface AgentActivityOptions {
  /** Null: only runs with recording `none` can be served. */
  db: Database | null;
  log: Logger;
  /** Stands in the record of each attempt. */
  workerIdentity: string;
  /** Workspaces, and artifacts of runs without recording, live below it. */
  dataDir: string;
  executors?: Executors | undefined;
}

export type AgentActivity = (document: AgentDocument, control: AgentActivityControl) => Promise<AgentActivityOutput>;

/**
 * The activity behind every role: begins the attempt, runs the agent while the heart beats, checks its result against the
 * contract and records the outcome. Throws ApplicationFailures of the types in `agentFailureTypes`, or Temporal's own
 * CancelledFailure once the agent has stopped.
 */
export function createAgentActivity(options: AgentActivityOptions): AgentActivity {
  const { db, log, dataDir, workerIdentity, executors = builtinExecutors } = options;
  const folderArtifacts = createFolderArtifactStore(dataDir);
  const alone = createOneAtATime();

  return async (document, control) => {
    const context = Context.current();
    // A cancel of the one that waits comes with its heartbeats.
    const onWait = (): (() => void) =>
      startHeartbeat({ beat: (details) => context.heartbeat(details), everyMs: heartbeatEveryMs, renewEveryMs: renewLeaseEveryMs }).stop;
    return alone(document.idempotencyKey, { signal: context.cancellationSignal, onWait }, () => perform(document, control));
  };

  async function perform(document: AgentDocument, given: AgentActivityControl): Promise<AgentActivityOutput> {
    const { info } = Context.current();
    // What was scheduled before a reset names the execution of then.
    const control = { ...given, run: { ...given.run, runId: info.workflowExecution?.runId ?? given.run.runId } };
    const startedAtMs = Date.now();
    const recording = createRecording();
    const begin = async () => {
      if (db && control.recording === 'full') await refuseUndoneWork(db, control.run);
      return recording.begin();
    };
    const began = await retryTransient(begin, { signal: Context.current().cancellationSignal });
    if (began.kind === 'succeeded') {
      const { result, attempt, endedAtMs } = began;
      return { result, attempt, startedAtMs: began.startedAtMs, endedAtMs };
    }
    if (began.kind === 'superseded') throw superseded(`${document.step.id}: ${began.reason}`);
    if (began.kind === 'held') return holdUntilCancelled(began, control);
    const agent = withExecutor(await findAgent(document, control), control);
    await refuseUnknown(began, { agent, control, recording });
    return runAttempt({
      document: { ...document, attempt: began.attempt },
      control,
      agent,
      recording,
      attempt: began.attempt,
      startedAtMs,
    });

    function createRecording(): EffectRecording {
      if (control.recording === 'none') return createNoRecording({ attempt: info.attempt, artifacts: folderArtifacts });
      if (!db) throw notRunnable('this worker has no database: start it with DATABASE_URL, or run with recording "none"');
      const create = control.sample ? createSampleRecording : createDatabaseRecording;
      return create({ db, document, control, attempt: info.attempt, workerIdentity, startedAtMs });
    }
  }

  async function findAgent({ agent: { id } }: AgentDocument, { agent, agentSet }: AgentActivityControl): Promise<AgentSpec> {
    if (agent) return agent;
    if (!db) throw notRunnable(`the agent ${id} is kept in the database, and this worker has none`);
    const specs = await loadAgentSet(db, agentSet).catch((error: unknown) => {
      throw isAppError(error) && error.code === 'not_found' ? notRunnable(`${error.message}. ${error.hint ?? ''}`) : error;
    });
    const spec = specs.find((candidate) => candidate.id === id);
    if (!spec) throw notRunnable(`the run's agents have no "${id}"`);
    return spec;
  }

  async function runAttempt(attempt: Attempt): Promise<AgentActivityOutput> {
    const { document, control, agent, recording, startedAtMs } = attempt;
    const context = Context.current();
    const { cancellationSignal: signal } = context;
    const secrets = createSecrets();
    const heartbeat = startHeartbeat({
      beat: (details) => context.heartbeat(details),
      everyMs: heartbeatEveryMs,
      renew: recording.renew && renewQuietly(recording.renew, document),
      renewEveryMs: renewLeaseEveryMs,
    });
    try {
      const { result, artifacts } = await runAgent(attempt, { signal, secrets, report: heartbeat.report });
      const endedAtMs = Date.now();
      const durationMs = simulatedDurationMs(agent, control, endedAtMs - startedAtMs);
      // What the agent did is done: a database that restarts must not make it unknown.
      const { refused, wasOnlyAttempt } = await retryTransient(() => recording.finish({ result, artifacts, endedAtMs, durationMs }), {
        signal,
      });
      if (refused !== undefined) throw superseded(`${document.step.id}: ${refused}`);
      if (wasOnlyAttempt) await removeQuietly(document);
      return { result, startedAtMs, endedAtMs, attempt: attempt.attempt };
    } finally {
      heartbeat.stop();
    }
  }

  /** What is recorded needs its directory no more. Where an earlier attempt may still be at work in it, it stays for the sweep. */
  async function removeQuietly({ idempotencyKey, step }: AgentDocument): Promise<void> {
    try {
      await removeWorkspace(dataDir, idempotencyKey);
    } catch (error) {
      log.warn('a workspace could not be removed', { step: step.id, cause: String(error) });
    }
  }

  /** The agent's success, ready to be recorded. Anything else is recorded here and thrown. */
  async function runAgent(attempt: Attempt, { signal, secrets, report }: AgentScope): Promise<StoredOutputs> {
    const { document, control, agent, recording } = attempt;
    const workspace = createWorkspace(dataDir, document.idempotencyKey);
    const agentLog = createAgentLog({
      dataDir,
      document,
      secrets,
      onProblem: ({ message }) => void log.warn("the agent's output cannot be kept", { step: document.step.id, cause: message }),
    });
    let agentStarted = false;
    let stored: StoredOutputs | undefined;
    try {
      const execute = findExecutor(executors, agent.executor.kind, agent.id);
      signal.throwIfAborted();
      agentStarted = true;
      const raw = await execute({
        document,
        agent,
        control,
        attempt: attempt.attempt,
        signal,
        onProgress: (progress) => report(secrets.redactDeep(progress)),
        workspace,
        resolvedDocument: () => resolveInputs(document, { artifacts: recording.artifacts, workspace }),
        secrets,
        log: agentLog,
      });
      stored = await judge(raw, { document, workspace, secrets });
      if (stored.result.status === 'success') return stored;
      throw agentFailure(describeFailure(stored.result, agent.id), stored.result);
    } catch (error) {
      if (signal.aborted && error === signal.reason) {
        // An agent that was stopped half-way may have done anything: its attempt stays open and counts as unknown.
        if (!agentStarted || isIdempotent(agent)) await failQuietly(attempt, { message: 'cancelled', signal });
        throw error;
      }
      const failure = redactFailure(error, secrets);
      await failQuietly(attempt, { message: failure.message, artifacts: stored?.artifacts, signal });
      throw failure.type === agentFailureTypes.notRunnable ? notRunnable(failure.message, attempt.attempt) : failure;
    } finally {
      await agentLog.close();
    }
  }

  async function failQuietly({ recording, document }: Attempt, { message, artifacts, signal }: KnownFailure): Promise<void> {
    try {
      await retryTransient(() => recording.fail({ message, artifacts }), { signal });
    } catch (error) {
      log.error('a failed attempt could not be recorded and will count as unknown', { step: document.step.id, cause: String(error) });
    }
  }

  async function judge(
    raw: unknown,
    { document, workspace, secrets }: { document: AgentDocument; workspace: () => Promise<string>; secrets: Secrets },
  ): Promise<StoredOutputs> {
    const checked = checkResult(secrets.redactDeep(raw));
    if (!checked.ok) throw badResult(checked.problem);
    if (checked.ignoredKeys.length > 0) {
      log.warn('the result has keys that mean nothing', { step: document.step.id, agent: document.agent.id, keys: checked.ignoredKeys });
    }
    const { outputs, missing } = matchOutputs(document.outputs, checked.result.outputs ?? {});
    const mustDeliver = document.mode === 'do' && checked.result.status === 'success' && document.sample === undefined;
    if (mustDeliver && missing.length > 0) {
      const delivered = Object.keys(outputs).join(', ') || 'none';
      throw badResult(
        `the step promised the outputs ${document.outputs.join(', ')}, but ${missing.join(', ')} was not delivered (delivered: ${delivered})`,
      );
    }
    return storeOutputs(checked.result.outputs ? { ...checked.result, outputs } : checked.result, { workspace, secrets });
  }

  function renewQuietly(renew: () => Promise<boolean>, { step, agent }: AgentDocument): () => Promise<void> {
    return async () => {
      try {
        if (!(await renew())) log.warn('the effect has ended elsewhere while its agent still works', { step: step.id, agent: agent.id });
      } catch (error) {
        log.warn('a lease could not be renewed', { step: step.id, agent: agent.id, cause: String(error) });
      }
    };
  }
}

interface Attempt {
  document: AgentDocument;
  control: AgentActivityControl;
  agent: AgentSpec;
  recording: EffectRecording;
  attempt: number;
  startedAtMs: number;
}

interface AgentScope {
  signal: AbortSignal;
  secrets: Secrets;
  report: (progress: AgentProgress) => void;
}

interface KnownFailure {
  message: string;
  artifacts?: Artifact[] | undefined;
  signal: AbortSignal;
}

/** Goes on, or leaves it to a person. Asking fails the attempt that was just begun, so that a person's "retry" starts afresh. */
async function refuseUnknown(
  began: Exclude<BeganAttempt, { kind: 'held' }>,
  { agent, control, recording }: { agent: AgentSpec; control: AgentActivityControl; recording: EffectRecording },
): Promise<void> {
  if (began.kind !== 'unknown' || control.onUnknown === 'retry' || isIdempotent(agent)) return;
  const message = `attempt ${began.previousAttempt} of ${control.effect.path} was started and nobody knows how it ended`;
  await recording.fail({ message: `not run: ${message}` });
  throw unknownOutcome(message);
}

/** The agent as this effect calls it. Its programs still lie beside the file that it comes from. */
function withExecutor(agent: AgentSpec, { executor }: AgentActivityControl): AgentSpec {
  if (executor === undefined) return agent;
  const folder = agent.executor.kind === 'command' ? agent.executor.folder : undefined;
  return folder === undefined ? { ...agent, executor } : placeAgent({ ...agent, executor }, folder);
}

function isIdempotent({ executor }: AgentSpec): boolean {
  return executor.idempotent ?? executor.kind === 'simulate';
}

/** History knows simulated agents by their simulated time, or estimates from it would be nothing. */
function simulatedDurationMs({ executor }: AgentSpec, { timeScale }: AgentActivityControl, realMs: number): number | undefined {
  return executor.kind === 'simulate' && timeScale !== 1 ? realMs * timeScale : undefined;
}

function describeFailure({ summary, reasons }: AgentResult, agentId: string): string {
  return summary ?? reasons?.[0] ?? `${agentId} reported failure and gave no reason`;
}

/** What leaves the activity stands in Temporal's history for good. */
function redactFailure(error: unknown, secrets: Secrets): ApplicationFailure {
  if (error instanceof ApplicationFailure && secrets.isEmpty) return error;
  const failure = error instanceof ApplicationFailure ? error : ApplicationFailure.fromError(error);
  return ApplicationFailure.create({
    message: secrets.redact(failure.message),
    ...(failure.type != null && { type: failure.type }),
    nonRetryable: failure.nonRetryable ?? false,
    details: secrets.redactDeep(failure.details ?? []),
  });
}
