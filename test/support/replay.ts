/** Another worker takes a recorded run up: whole, or where any of its workflow tasks began. */
import { Worker } from '@temporalio/worker';
import type { ReplayWorkerOptions } from '@temporalio/worker';
import type { History } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { payloadConverterPath } from '../../workers/bundle';

export interface NamedHistory {
  workflowId: string;
  history: History;
}

/** Up to each workflow task that was begun: where another worker may have to take the run up. */
export function prefixesOf({ workflowId, history }: NamedHistory): NamedHistory[] {
  const events = history.events ?? [];
  const { EVENT_TYPE_WORKFLOW_TASK_STARTED: started } = temporal.api.enums.v1.EventType;
  return events.flatMap(({ eventType }, at) =>
    eventType === started ? [{ workflowId: `to event ${at + 1}, ${workflowId}`, history: { events: events.slice(0, at + 1) } }] : [],
  );
}

/** What goes wrong when they are replayed; empty where all is well. */
export async function replayFailuresOf(
  workflowBundle: ReplayWorkerOptions['workflowBundle'],
  histories: readonly NamedHistory[],
): Promise<string[]> {
  const failures: string[] = [];
  const options = { dataConverter: { payloadConverterPath }, workflowBundle };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error !== undefined) failures.push(`${error.message}\n${workflowId}`);
  }
  return failures;
}
