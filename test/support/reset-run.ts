/** Temporal's own reset: the run begins again in the middle of its history, as a new execution. */
import { randomUUID } from 'node:crypto';
import type { temporal } from '@temporalio/proto';
import type { StartedTestRun, TestVapora } from './vapora';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/**
 * Resets the newest execution of a run to the workflow task in which `isPoint` happened: that task is done again. `after`: to the
 * task that follows it, so that what `isPoint` scheduled is still pending. Gives the new execution's run id.
 */
export async function resetRun(
  vapora: TestVapora,
  run: StartedTestRun,
  isPoint: (event: HistoryEvent) => boolean,
  { after = false }: { after?: boolean } = {},
): Promise<string> {
  const { connection } = await vapora.client.temporal();
  const events = (await run.handle.fetchHistory()).events ?? [];
  const point = events.findIndex(isPoint);
  const tasks = events.flatMap((event, at) => (event.workflowTaskCompletedEventAttributes ? [{ at, eventId: event.eventId }] : []));
  const task = after ? tasks.find(({ at }) => at > point) : tasks.findLast(({ at }) => at < point);
  if (point < 0 || !task?.eventId) throw new Error(`the history of ${run.id} has no such point`);
  const { runId } = await connection.workflowService.resetWorkflowExecution({
    namespace: vapora.client.environment.namespace,
    workflowExecution: { workflowId: run.id },
    workflowTaskFinishEventId: task.eventId,
    requestId: randomUUID(),
    reason: 'try again',
  });
  if (!runId) throw new Error('the server named no new run');
  return runId;
}

/** The event that schedules an effect's activity: `<path>#<generation>…`. */
export function schedules(activityId: string): (event: HistoryEvent) => boolean {
  return ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === activityId;
}
