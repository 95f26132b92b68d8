import { isTerminalRunStatus } from '../core/contract/states';
import type { RunStatusView } from '../core/contract/views';

/** A recording takes milliseconds: one that takes so long finds no database, or not the one it needs. */
const recordingIsStuckMs = 15_000;

/**
 * A workflow's clock stands still between its tasks, so what it says of elapsed time is as old as the last one. This is the same
 * view as of `nowMs`; a run that has ended stays as it is.
 */
export function catchUp(answer: RunStatusView, nowMs: number): RunStatusView {
  const view = withoutUsualRecording(answer, nowMs);
  const { startedAt, timeScale, timeline } = view;
  const startedAtMs = Date.parse(startedAt);
  if (isTerminalRunStatus(view.status) || view.endedAt !== undefined || Number.isNaN(startedAtMs)) return view;
  // Clocks differ between machines: time never runs backwards here.
  const behindMs = Math.max(0, (nowMs - startedAtMs) * timeScale - timeline.elapsedMs);
  const elapsedMs = timeline.elapsedMs + behindMs;
  const atLeastElapsed = (etaMs: number | null): number | null => (etaMs === null ? null : Math.max(etaMs, elapsedMs));
  return {
    ...view,
    phases: view.phases.map((phase) =>
      phase.state === 'running' && phase.elapsedMs !== null ? { ...phase, elapsedMs: phase.elapsedMs + behindMs } : phase,
    ),
    timeline: { ...timeline, elapsedMs, etaP50: atLeastElapsed(timeline.etaP50), etaP90: atLeastElapsed(timeline.etaP90) },
  };
}

function withoutUsualRecording(view: RunStatusView, nowMs: number): RunStatusView {
  const { since, refused = 0 } = view.recording ?? {};
  if (since === undefined || nowMs - Date.parse(since) > recordingIsStuckMs) return view;
  const { recording: _, ...rest } = view;
  return refused === 0 ? rest : { ...rest, recording: { refused } };
}
