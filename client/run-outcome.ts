import { AppError } from '../core/contract/errors';
import type { AppErrorCode } from '../core/contract/errors';
import type { RunResult } from '../core/contract/run-result';
import { isTerminalRunStatus, terminalRunStatuses, type TerminalRunStatus } from '../core/contract/states';
import { loadRunStatus } from '../db/queries/runs';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { callTemporal, isWorkflowNotFound, runNotFound } from './temporal-errors';

/** How a run ended. One that Temporal ended (terminated, timed out, could not start) has no result of its own. */
export interface RunOutcome extends Omit<RunResult, FromWorkflow>, Partial<Pick<RunResult, FromWorkflow>> {
  /** What the failure carried beside its message, e.g. diagnostics of a workflow that does not compile. */
  details?: unknown;
  /** The failure's type, e.g. `RunRolledBack`. */
  failureType?: string;
}

type FromWorkflow = 'definition' | 'planHash' | 'steps';

export interface WaitOptions {
  /** Only this run and what continues it; by default the newest of the id. */
  runId?: string | undefined;
  /** Stops waiting; the run goes on. */
  signal?: AbortSignal | undefined;
}

/**
 * Waits until the run has ended; Postgres tells of one that Temporal has forgotten. A run that failed is an outcome, not an exception; AppError `not_found`, `unavailable`, and
 * `interrupted` when `signal` was aborted.
 */
export async function waitForResult(client: VaporaClient, id: string, options: WaitOptions = {}): Promise<RunOutcome> {
  const temporal = await client.temporal();
  const handle = temporal.workflow.getHandle(id, options.runId);
  const wait = (): Promise<unknown> => handle.result();
  try {
    const { signal } = options;
    const result = await callTemporal(client, () =>
      signal === undefined ? wait() : Promise.race([temporal.connection.withAbortSignal(signal, wait), rejectOnAbort(signal)]),
    );
    return outcomeOf(id, result) ?? { schemaVersion: 1, id, status: 'completed' };
  } catch (error) {
    if (isWorkflowNotFound(error)) return recordedOutcome(client, id, error);
    const failed = error as { name?: string; cause?: unknown };
    if (failed.name !== 'WorkflowFailedError') throw error;
    return outcomeOfFailure(id, failed.cause);
  }
}

/** Temporal keeps ended runs for a while only. */
async function recordedOutcome(client: VaporaClient, id: string, cause: unknown): Promise<RunOutcome> {
  const view = await callDatabase(client, (db) => loadRunStatus(db, id));
  if (view === null || !isTerminalRunStatus(view.status)) throw runNotFound(id, cause);
  const steps: Record<string, number> = {};
  for (const { state } of view.steps) steps[state] = (steps[state] ?? 0) + 1;
  const { status, reason, definition, planHash } = view;
  return { schemaVersion: 1, id, status, ...(reason !== undefined && { reason }), definition, planHash, steps };
}

/** The connection notices only an abort that comes during one of its calls: one that came before it would wait for ever. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = (): void => reject(new AppError('interrupted', 'the wait was interrupted', { cause: signal.reason }));
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
  });
}

interface TemporalFailure {
  name?: string;
  message?: string;
  type?: string | null;
  details?: unknown[];
}

/** What a failed, cancelled, terminated or timed-out execution says about the run. */
export function outcomeOfFailure(id: string, cause: unknown): RunOutcome {
  const failure = (cause ?? {}) as TemporalFailure;
  const reported = outcomeOf(id, failure.details?.[0]);
  if (reported !== undefined) return { ...reported, ...(failure.type && { failureType: failure.type }) };
  const status: TerminalRunStatus = failure.name === 'CancelledFailure' ? 'cancelled' : 'failed';
  const reason = failure.name === 'TerminatedFailure' ? `terminated through Temporal: ${failure.message ?? ''}` : failure.message;
  const details = failure.details === undefined || failure.details.length === 0 ? {} : { details: failure.details[0] };
  return {
    schemaVersion: 1,
    id,
    status,
    ...(reason !== undefined && reason !== '' && { reason }),
    ...(failure.type && { failureType: failure.type }),
    ...details,
  };
}

function outcomeOf(id: string, value: unknown): RunOutcome | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const status = (value as { status?: unknown }).status;
  if (!terminalRunStatuses.includes(status as TerminalRunStatus) || !isTerminalRunStatus(status as TerminalRunStatus)) return undefined;
  return { ...(value as RunOutcome), schemaVersion: 1, id };
}

/** The error code of a run that could not even start, for callers that treat that as a mistake of theirs. */
export function startFailureCode(outcome: RunOutcome): AppErrorCode | undefined {
  switch (outcome.failureType) {
    case 'InvalidWorkflow':
      return 'invalid_workflow';
    case 'InvalidAgents':
      return 'invalid_agents';
    case 'InvalidStartInput':
      return 'bad_usage';
    default:
      return undefined;
  }
}
