import type { NoticeLateness } from '../contract/notice';
import type { Run } from './run';
import { projectTimeline } from './timeline';

/** A projection is never exact: what is late by less than this share of the plan is not worth a message. */
const tolerance = 0.05;

/** How late the run is projected to end; undefined while it is not, or while nobody knows. */
export function findLateness(run: Run): NoticeLateness | undefined {
  const { plannedMs, elapsedMs, etaP50 } = projectTimeline(run, run.now);
  if (plannedMs === null) return undefined;
  const projectedMs = Math.max(elapsedMs, etaP50 ?? 0);
  return projectedMs > plannedMs * (1 + tolerance) ? { plannedMs, projectedMs, elapsedMs: Math.round(elapsedMs) } : undefined;
}

/** When the run is late for certain, whatever is known of its steps; undefined where nothing was planned. */
export function lateFromMs(run: Run): number | undefined {
  const { plannedMs } = projectTimeline(run, run.now);
  return plannedMs === null ? undefined : Math.ceil(run.options.startedAtMs + (plannedMs * (1 + tolerance)) / run.options.timeScale) + 1;
}
