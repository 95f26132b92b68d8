import type { History } from '@temporalio/common/lib/proto-utils';

export interface WorkflowTasks {
  /** From the start of a workflow task to its completion; 0 where none was completed. */
  longestMs: number;
  /** Taken from a worker that did not answer in time, and given out again. */
  timedOut: number;
}

export function readWorkflowTasks({ events }: History): WorkflowTasks {
  const tasks = { longestMs: 0, timedOut: 0 };
  let startedMs = 0;
  for (const event of events ?? []) {
    const { eventTime } = event;
    const atMs = Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
    if (event.workflowTaskStartedEventAttributes) startedMs = atMs;
    else if (event.workflowTaskCompletedEventAttributes) tasks.longestMs = Math.max(tasks.longestMs, atMs - startedMs);
    else if (event.workflowTaskTimedOutEventAttributes) tasks.timedOut += 1;
  }
  return tasks;
}
