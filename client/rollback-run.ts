import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { AppError } from '../core/contract/errors';
import { activityIdOf } from '../core/contract/ids';
import type { CancelMessage } from '../core/contract/messages';
import { listSuccesses, requestRollback } from '../db/queries/runs';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { cancelRun } from './control-run';
import { isHeld } from './heartbeats';
import { agentActivitiesOf, lastTaskOf, resetPointOf, rootRunIdOf } from './run-history';
import type { HistoryEvent } from './run-history';
import { describeRun } from './run-views';
import { callTemporal, runNotFound } from './temporal-errors';

export interface RequestedRollback {
  id: string;
  /** The execution that undoes. */
  runId: string;
}

export interface RollbackOptions {
  /** Stops waiting for a worker. */
  signal?: AbortSignal | undefined;
}

interface Execution {
  id: string;
  runId: string;
}

const closedByForce: ReadonlySet<string> = new Set(['TERMINATED', 'TIMED_OUT']);
/** How a reset of ours is known from another one. */
const resetReason = 'vapora workflow rollback: ';
const pollMs = 200;

/**
 * Undoes what a run did that Temporal closed without the engine's doing. A reset begins with the last workflow task again, whose
 * commands its new history does not have: so that task is done once more first, while the database lets nothing begin, and what had
 * begun is found again by its records; only then the run is cancelled, and undoes what it knows of.
 *
 * Resolves when the cancel is asked for, which waits for a worker; one that was interrupted goes on when it is asked again. AppError
 * `refused` where the run goes on or has come to an end of its own, `not_found`, `unavailable`, `interrupted`.
 */
export async function rollbackRun(
  client: VaporaClient,
  id: string,
  message: Omit<CancelMessage, 'noRollback'>,
  { signal }: RollbackOptions = {},
): Promise<RequestedRollback> {
  const description = await describeRun(client, id);
  if (description === undefined) throw runNotFound(id);
  const { runId } = description;
  const events = await fetchEvents(client, { id, runId });
  const isClosed = closedByForce.has(description.status.name);
  if (!isClosed && !(isOpen(description) && isRollback(events))) throw whyRefused(id, description);
  const task = lastTaskOf(events);
  if (!task) throw nothingToUndo(id, 'had not begun');
  const rootRunId = rootRunIdOf(events) ?? runId;
  const isRecorded = await callDatabase(client, (db) => requestRollback(db, { workflowId: id, rootRunId }));
  if (!isRecorded) throw nothingToUndo(id, 'had recorded nothing');
  const execution = isClosed ? { id, runId: await reset(client, { id, runId }, task, message.reason) } : { id, runId };
  if (await untilFound(client, { ...execution, rootRunId }, agentActivitiesOf(events).open, signal)) await cancelRun(client, id, message);
  return execution;
}

function isOpen({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

function whyRefused(id: string, description: WorkflowExecutionDescription): AppError {
  return isOpen(description)
    ? new AppError('refused', `${id} goes on: only a run that was terminated is rolled back from outside`, {
        hint: `vapora workflow cancel --id ${id} --reason "..." stops it and undoes what it did`,
      })
    : new AppError('refused', `${id} was not terminated: it has ended by itself`, {
        hint: `'vapora workflow result --id ${id}' shows how`,
      });
}

function nothingToUndo(id: string, what: string): AppError {
  return new AppError('refused', `${id} ${what} when it was terminated: there is nothing to undo`);
}

async function fetchEvents(client: VaporaClient, { id, runId }: Execution): Promise<HistoryEvent[]> {
  const { workflow } = await client.temporal();
  const history = await callTemporal(client, () => workflow.getHandle(id, runId).fetchHistory());
  return history.events ?? [];
}

/** Whether this execution was made by a rollback that may not have come to its cancel. */
function isRollback(events: readonly HistoryEvent[]): boolean {
  return resetPointOf(events)?.reason.startsWith(resetReason) === true;
}

/** Gives the new execution's run id. Signals and updates that came after the task are left behind: it must be done as it was. */
async function reset(client: VaporaClient, { id, runId }: Execution, task: HistoryEvent['eventId'], reason: string): Promise<string> {
  const { connection } = await client.temporal();
  const { RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL: signals, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE: updates } =
    temporal.api.enums.v1.ResetReapplyExcludeType;
  const answer = await callTemporal(client, () =>
    connection.workflowService.resetWorkflowExecution({
      namespace: client.environment.namespace,
      workflowExecution: { workflowId: id, runId },
      workflowTaskFinishEventId: task,
      requestId: randomUUID(),
      reason: `${resetReason}${reason}`,
      resetReapplyExcludeTypes: [signals, updates],
    }),
  );
  if (!answer.runId) throw new AppError('internal', 'the server named no new execution');
  return answer.runId;
}

/**
 * Waits until the task is done again and all that was at work is known to the new execution too: a wave was given its result, or its
 * activity has ended as its records say, or is held. What another worker executes knows no records: there it is enough that it is at
 * work. False where the run has ended meanwhile.
 */
async function untilFound(
  client: VaporaClient,
  execution: Execution & { rootRunId: string },
  atWork: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { workflow } = await client.temporal();
  const { id, runId, rootRunId } = execution;
  for (;;) {
    const description = await callTemporal(client, () => workflow.getHandle(id, runId).describe());
    if (!isOpen(description)) return false;
    const events = await fetchEvents(client, execution);
    const { open, ended } = agentActivitiesOf(events);
    const successes = await callDatabase(client, (db) => listSuccesses(db, rootRunId));
    const found = new Set([
      ...ended,
      ...listKnown(description),
      // One that is scheduled here will say so itself: only a wave needs none.
      ...successes.map(activityIdOf).filter((activityId) => !open.has(activityId)),
    ]);
    if (resetPointOf(events)?.isDone === true && [...atWork].every((activityId) => found.has(activityId))) return true;
    if (signal?.aborted === true) {
      throw new AppError('interrupted', `${id} is taken up again, and not cancelled yet: that takes a worker`, {
        hint: `start one with 'vapora worker' or 'vapora dev', and ask for the rollback again`,
      });
    }
    await delay(pollMs);
  }
}

/** Pending activities of which the worker has found what the records say, or that a worker without records is at. */
function listKnown({ raw }: WorkflowExecutionDescription): string[] {
  const { PENDING_ACTIVITY_STATE_STARTED: started } = temporal.api.enums.v1.PendingActivityState;
  const ours = raw.executionConfig?.taskQueue?.name;
  return (raw.pendingActivities ?? [])
    .filter((activity) => isHeld(activity) || (activity.state === started && activity.activityOptions?.taskQueue?.name !== ours))
    .flatMap(({ activityId }) => activityId ?? []);
}
