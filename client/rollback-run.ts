import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { temporal } from '@temporalio/proto';
import { AppError } from '../core/contract/errors';
import { activityIdOf } from '../core/contract/ids';
import type { CancelMessage } from '../core/contract/messages';
import { activityNames } from '../core/contract/names';
import { listSuccesses, requestRollback } from '../db/queries/runs';
import { callDatabase } from './call-database';
import { isHeld } from './heartbeats';
import type { VaporaClient } from './connect';
import { cancelRun } from './control-run';
import { describeRun } from './run-views';
import { callTemporal, runNotFound } from './temporal-errors';

export interface RolledBackRun {
  id: string;
  /** The execution that undoes. */
  runId: string;
}

export interface RollbackOptions {
  /** Stops waiting for a worker. */
  signal?: AbortSignal | undefined;
}

const closedByForce: ReadonlySet<string> = new Set(['TERMINATED', 'TIMED_OUT']);
const pollMs = 200;

/**
 * Undoes what a run did that Temporal closed without the engine's doing. A reset begins with the last workflow task again, whose commands
 * its new history does not have: so that task is done once more first, while the database lets nothing begin, and what had begun is found
 * again by its records; only then the run is cancelled, and undoes what it knows of. Resolves when that is asked for; waits for a worker. Asked again, it goes on
 * where it was. AppError `refused` where the run goes on or has come to an end of its own, `not_found`, `interrupted`.
 */
export async function rollbackRun(
  client: VaporaClient,
  id: string,
  message: Omit<CancelMessage, 'noRollback'>,
  { signal }: RollbackOptions = {},
): Promise<RolledBackRun> {
  const description = await describeRun(client, id);
  if (description === undefined) throw runNotFound(id);
  const status = description.status.name;
  if (!closedByForce.has(status)) {
    throw status === 'RUNNING' || status === 'PAUSED'
      ? new AppError('refused', `${id} goes on: only a run that was terminated is rolled back from outside`, {
          hint: `vapora workflow cancel --id ${id} --reason "..." stops it and undoes what it did`,
        })
      : new AppError('refused', `${id} has come to an end of its own (${status.toLowerCase().replaceAll('_', ' ')})`, {
          hint: `'vapora workflow result --id ${id}' shows how`,
        });
  }
  const { runId } = description;
  const events = await fetchEvents(client, { id, runId });
  const task = findLastTask(events);
  if (!task) throw new AppError('refused', `${id} had not begun when it was terminated: there is nothing to undo`);
  const rootRunId = rootOf(events) ?? runId;
  const isKnown = await callDatabase(client, (db) => requestRollback(db, { workflowId: id, rootRunId }));
  if (!isKnown) throw new AppError('refused', `${id} had recorded nothing when it was terminated: there is nothing to undo`);
  const place = { id, rootRunId, runId: await reset(client, { id, runId }, task, message.reason) };
  if (await untilFound(client, place, activitiesOf(events).open, signal)) await cancelRun(client, id, message);
  return { id, runId: place.runId };
}

/** The run's own id: that of its first execution. */
function rootOf([begin]: readonly HistoryEvent[]): string | undefined {
  return begin?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? undefined;
}

interface Place {
  id: string;
  runId: string;
}

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** The event by which the last workflow task of an execution was completed. */
function findLastTask(events: readonly HistoryEvent[]): HistoryEvent['eventId'] {
  return events.findLast(({ workflowTaskCompletedEventAttributes: completed }) => completed)?.eventId;
}

/** Activities of agents by whether they have ended: their activity ids. */
function activitiesOf(events: readonly HistoryEvent[]): { open: Set<string>; ended: Set<string> } {
  const open = new Map<string, string>();
  const ended = new Set<string>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled && scheduled.activityType?.name !== activityNames.notify) open.set(String(event.eventId), scheduled.activityId ?? '');
    const end =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (!end) continue;
    const id = open.get(String(end.scheduledEventId));
    if (id !== undefined) ended.add(id);
    open.delete(String(end.scheduledEventId));
  }
  return { open: new Set(open.values()), ended };
}

async function fetchEvents(client: VaporaClient, { id, runId }: Place): Promise<HistoryEvent[]> {
  const { workflow } = await client.temporal();
  const history = await callTemporal(client, () => workflow.getHandle(id, runId).fetchHistory());
  return history.events ?? [];
}

/** Gives the new execution's run id. Signals and updates that came after the task are left behind: it must be done as it was. */
async function reset(client: VaporaClient, { id, runId }: Place, task: HistoryEvent['eventId'], reason: string): Promise<string> {
  const { connection } = await client.temporal();
  const { RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL: signals, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE: updates } =
    temporal.api.enums.v1.ResetReapplyExcludeType;
  const answer = await callTemporal(client, () =>
    connection.workflowService.resetWorkflowExecution({
      namespace: client.environment.namespace,
      workflowExecution: { workflowId: id, runId },
      workflowTaskFinishEventId: task,
      requestId: randomUUID(),
      reason: `rollback: ${reason}`,
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
  place: Place & { rootRunId: string },
  atWork: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (;;) {
    const { raw, status } = await describePlace(client, place);
    if (status.name !== 'RUNNING') return false;
    const events = await fetchEvents(client, place);
    const { open, ended } = activitiesOf(events);
    const successes = await callDatabase(client, (db) => listSuccesses(db, place.rootRunId));
    const known = (raw.pendingActivities ?? []).filter(
      (activity) =>
        isHeld(activity) ||
        (activity.state === temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED &&
          activity.activityOptions?.taskQueue?.name !== raw.executionConfig?.taskQueue?.name),
    );
    const found = new Set([
      ...ended,
      ...known.map(({ activityId }) => activityId ?? ''),
      ...successes.map(activityIdOf).filter((id) => !open.has(id)),
    ]);
    if (isTaskDoneAgain(events) && [...atWork].every((id) => found.has(id))) return true;
    if (signal?.aborted === true) {
      throw new AppError('interrupted', `${place.id} is taken up again, and not cancelled yet: it takes a worker`, {
        hint: `vapora workflow cancel --id ${place.id} --reason "..." goes on with it, once nothing is at work any more`,
      });
    }
    await delay(pollMs);
  }
}

function isTaskDoneAgain(events: readonly HistoryEvent[]): boolean {
  const resetAt = events.findLastIndex(({ workflowTaskFailedEventAttributes: failed }) => failed);
  return events.slice(resetAt + 1).some(({ workflowTaskCompletedEventAttributes: completed }) => completed);
}

async function describePlace(client: VaporaClient, { id, runId }: Place) {
  const { workflow } = await client.temporal();
  return callTemporal(client, () => workflow.getHandle(id, runId).describe());
}
