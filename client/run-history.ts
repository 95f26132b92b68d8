import { temporal } from '@temporalio/proto';
import { activityNames } from '../core/contract/names';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** The run's own id: that of its first execution. */
export function rootRunIdOf([begin]: readonly HistoryEvent[]): string | undefined {
  return begin?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? undefined;
}

/** The event that ended the last workflow task: a reset to it keeps all that is before it. */
export function lastTaskOf(events: readonly HistoryEvent[]): HistoryEvent['eventId'] {
  return events.findLast((event) => event.workflowTaskCompletedEventAttributes ?? event.workflowTaskFailedEventAttributes)?.eventId;
}

export interface ResetPoint {
  reason: string;
  /** The workflow task at which it begins was done again. */
  isDone: boolean;
}

/** Where this execution was made by the newest reset in its history; undefined without one. */
export function resetPointOf(events: readonly HistoryEvent[]): ResetPoint | undefined {
  const { WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW: byReset } = temporal.api.enums.v1.WorkflowTaskFailedCause;
  const at = events.findLastIndex(({ workflowTaskFailedEventAttributes: failed }) => failed?.cause === byReset);
  const failed = events[at]?.workflowTaskFailedEventAttributes;
  if (!failed) return undefined;
  return {
    reason: failed.failure?.message ?? '',
    isDone: events.slice(at + 1).some(({ workflowTaskCompletedEventAttributes: completed }) => completed),
  };
}

/** Ids of the agents' activities, by whether they have ended. */
export function agentActivitiesOf(events: readonly HistoryEvent[]): { open: Set<string>; ended: Set<string> } {
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
    const id = end ? open.get(String(end.scheduledEventId)) : undefined;
    if (!end || id === undefined) continue;
    ended.add(id);
    open.delete(String(end.scheduledEventId));
  }
  return { open: new Set(open.values()), ended };
}
