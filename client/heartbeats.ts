import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { AgentProgress } from '../core/contract/agent-document';
import { heldMessage } from '../core/contract/local-activities';
import type { RunStatusView } from '../core/contract/views';

/** What Temporal knows about an activity that has not ended. */
export interface PendingActivity {
  activityId?: string | null;
  heartbeatDetails?: { payloads?: Payload[] | null } | null;
  attempt?: number | null;
  lastFailure?: { message?: string | null } | null;
}

interface Beat {
  progress: number | undefined;
  message: string | undefined;
}

/**
 * Adds what agents reported by heartbeat to their running steps: the workflow itself never sees heartbeats. The progress of a
 * step on which several agents work is their mean. Sub-steps, samples and undos say nothing about the step as a whole.
 */
export function addHeartbeats(view: RunStatusView, activities: readonly PendingActivity[]): RunStatusView {
  const beats = new Map<string, Beat[]>();
  for (const activity of activities) {
    const path = stepPathOf(activity.activityId ?? '');
    const beat = path === undefined ? undefined : readBeat(activity);
    if (path === undefined || beat === undefined) continue;
    beats.set(path, [...(beats.get(path) ?? []), beat]);
  }
  if (beats.size === 0) return view;
  return {
    ...view,
    steps: view.steps.map((step) => {
      const found = beats.get(step.id);
      if (found === undefined) return step;
      const known = found.flatMap(({ progress }) => (progress === undefined ? [] : [progress]));
      const message = found.find((beat) => beat.message !== undefined)?.message;
      return {
        ...step,
        ...(known.length > 0 && { progress: known.reduce((sum, progress) => sum + progress, 0) / found.length }),
        ...(message !== undefined && { message }),
      };
    }),
  };
}

/** The agent's activity begins nothing: its run is to be undone. */
export function isHeld(activity: PendingActivity): boolean {
  return readBeat(activity)?.message === heldMessage;
}

/** `<step>#<generation>…` of a forward effect → the step; undefined for anything else. */
function stepPathOf(activityId: string): string | undefined {
  const hash = activityId.lastIndexOf('#');
  if (hash <= 0 || activityId.endsWith('!undo')) return undefined;
  const path = activityId.slice(0, hash);
  return path.includes('/') ? undefined : path;
}

function readBeat({ heartbeatDetails, attempt, lastFailure }: PendingActivity): Beat | undefined {
  const retried =
    (attempt ?? 1) > 1 && lastFailure?.message ? `attempt ${attempt}, the last one failed: ${lastFailure.message}` : undefined;
  const payload = heartbeatDetails?.payloads?.[0];
  const details = payload === undefined ? undefined : decode(payload);
  const progress = details?.progress;
  const message = details?.message;
  if (details === undefined && retried === undefined) return undefined;
  return {
    progress: typeof progress === 'number' && Number.isFinite(progress) ? Math.max(0, Math.min(1, progress)) : undefined,
    message: typeof message === 'string' && message !== '' ? message : retried,
  };
}

function decode(payload: Payload): Partial<AgentProgress> | undefined {
  try {
    const value: unknown = defaultPayloadConverter.fromPayload(payload);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // A foreign worker may beat with anything; progress is a courtesy.
    return undefined;
  }
}
