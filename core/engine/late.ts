import type { NoticeLateness } from '../contract/notice';
import { adjustRun } from './adjustments/adjust-run';
import { escalateNow, findNextDeciders } from './gate-timers';
import { audit, engineActor, isBeingChanged, openGateIds, startTimer, type Run } from './run';
import { projectTimeline } from './timeline';
import type { LatenessRunState } from './run-state';

/** A projection is never exact: what is late by less than this share of the plan is not worth a message. */
const tolerance = 0.05;

/** How late the run is projected to end; undefined while it is not, or while nobody knows. */
function findLateness(run: Run): NoticeLateness | undefined {
  const { plannedMs, elapsedMs, etaP50 } = projectTimeline(run, run.now);
  if (plannedMs === null) return undefined;
  const projectedMs = Math.max(elapsedMs, etaP50 ?? 0);
  return projectedMs > plannedMs * (1 + tolerance) ? { plannedMs, projectedMs, elapsedMs: Math.round(elapsedMs) } : undefined;
}

const lateTimerId = 'run/late';
/** Of the steps of a large run so many settle before it is looked at again. */
const looks = 100;

/**
 * Once per phase: says in the audit that the run is projected to be late, and leaves what `on_late` does about it for the next turn.
 * Gives how late, at that moment. It is looked at when some step has settled since, or the planned end has passed; only where somebody
 * is told, or `on_late` has something to do.
 */
export function watchLateness(run: Run): NoticeLateness | undefined {
  const { state, plan } = run;
  if (!isWatched(run) || state.ending !== undefined) return undefined;
  const watch = (state.lateness ??= beginWatch(run));
  const phase = state.phase ?? '';
  if (state.endedAtMs !== undefined || watch.phases.includes(phase)) return undefined;
  const settled = run.index.steps.length - run.unsettledSteps;
  const isDue = state.timers[lateTimerId] === undefined;
  if (!isDue && settled < watch.settled + Math.max(1, run.index.steps.length / looks)) return undefined;
  watch.settled = settled;
  const late = findLateness(run);
  if (late === undefined) return undefined;
  watch.phases.push(phase);
  audit(run, { actor: engineActor, action: 'run.found_late', object: run.options.run.id, details: { ...late, phase } });
  if (plan.onLate?.addAgent !== undefined || plan.onLate?.escalate === true) watch.isToBeMet = true;
  return late;
}

function isWatched({ plan, version }: Run): boolean {
  if (plan.notify.some(({ on }) => on.includes('late'))) return true;
  return version >= 2 && (plan.onLate?.addAgent !== undefined || plan.onLate?.escalate === true);
}

function beginWatch(run: Run): LatenessRunState {
  const atMs = run.state.endedAtMs === undefined ? lateFromMs(run) : undefined;
  if (atMs !== undefined) startTimer(run, lateTimerId, { atMs, kind: 'late', target: '', summary: 'the planned end of the run' });
  return { phases: [], settled: 0 };
}

/** What `on_late` does: more agents, and every open gate before its next level. Between two questions for agents. */
export function meetLateness(run: Run): void {
  const { lateness, asking } = run.state;
  if (lateness?.isToBeMet !== true || asking !== undefined || isBeingChanged(run)) return;
  delete lateness.isToBeMet;
  const { addAgent, escalate } = run.plan.onLate ?? {};
  const reason = 'on_late: the run is projected to end later than planned';
  if (escalate === true) {
    for (const id of openGateIds(run)) {
      const gate = run.state.gates[id];
      if (gate !== undefined && findNextDeciders(run, gate).length > 0) escalateNow(run, gate, { actor: engineActor, reason });
    }
  }
  if (addAgent !== undefined) adjustRun(run, { adjustment: { kind: 'add_agent', ...addAgent }, by: engineActor, reason, via: 'auto' });
}

/** When the run is late for certain, whatever is known of its steps; undefined where nothing was planned. */
function lateFromMs(run: Run): number | undefined {
  const { plannedMs } = projectTimeline(run, run.now);
  return plannedMs === null ? undefined : Math.ceil(run.options.startedAtMs + (plannedMs * (1 + tolerance)) / run.options.timeScale) + 1;
}
