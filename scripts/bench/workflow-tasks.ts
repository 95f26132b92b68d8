import type { History } from '@temporalio/common/lib/proto-utils';

/** The longest from the start of a workflow task to its completion, in ms; 0 where none was completed. */
export function longestTaskMs({ events }: History): number {
  let startedMs = 0;
  let longest = 0;
  for (const { eventTime, workflowTaskStartedEventAttributes, workflowTaskCompletedEventAttributes } of events ?? []) {
    const atMs = Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
    if (workflowTaskStartedEventAttributes) startedMs = atMs;
    else if (workflowTaskCompletedEventAttributes) longest = Math.max(longest, atMs - startedMs);
  }
  return longest;
}
