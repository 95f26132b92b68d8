import type { PhaseView, RunStatusView } from '../../core/contract/views';
import { isTerminalRunStatus } from '../../core/contract/states';
import { formatDuration, formatPercent } from './duration';
import { plainText, symbolOf, type RenderOptions } from './style';

/** One line per phase: what it took, how far it is, or what is planned for it. */
export function projectionLines(view: RunStatusView, options: RenderOptions): string[] {
  return view.phases.map((phase) => `- ${plainText(phase.title || phase.id)}: ${phaseText(phase, options)}`);
}

function phaseText(phase: PhaseView, options: RenderOptions): string {
  const planned = phase.plannedMs === null ? '' : formatDuration(phase.plannedMs);
  const elapsed = phase.elapsedMs === null ? '' : formatDuration(phase.elapsedMs);
  switch (phase.state) {
    case 'passed': {
      const against = planned === '' ? '' : `, planned ${planned}`;
      return `${symbolOf('done', options)} ${elapsed || planned} (completed${against})`.replace('  ', ' ');
    }
    case 'failed':
      return `${symbolOf('failed', options)} ${elapsed} (failed, ${phase.done} of ${phase.total} steps done)`.replace('  ', ' ');
    case 'running': {
      const share = phase.total === 0 ? '' : `${formatPercent(phase.done / phase.total)} done`;
      const pace = paceOf(phase);
      const length = planned || (elapsed && `${elapsed} so far`);
      return `${length} (${[share, pace].filter(Boolean).join(', ')})`.trim();
    }
    case 'pending':
      return planned === '' ? 'scheduled' : `${planned} (scheduled)`;
  }
}

function paceOf(phase: PhaseView): string {
  if (phase.plannedMs === null || phase.elapsedMs === null) return '';
  return phase.elapsedMs <= phase.plannedMs ? 'on track' : `${formatDuration(phase.elapsedMs - phase.plannedMs)} late`;
}

/** Differences smaller than this share of the plan are called on time. */
const punctualShare = 0.005;

/** `Total ETA: 4d (vs 5d planned, 1d early!)`; once over, what it took. Undefined when nothing is known. */
export function totalLine(view: RunStatusView): string | undefined {
  const { plannedMs, elapsedMs, etaP50, etaP90 } = view.timeline;
  const hasEnded = isTerminalRunStatus(view.status);
  const totalMs = hasEnded ? elapsedMs : etaP50;
  if (totalMs === null) return plannedMs === null ? undefined : `Total ETA: unknown (${formatDuration(plannedMs)} planned)`;
  const label = hasEnded ? 'Total' : 'Total ETA';
  const range = hasEnded || etaP90 === null || etaP90 <= totalMs * (1 + punctualShare) ? '' : `, 90% sure within ${formatDuration(etaP90)}`;
  if (plannedMs === null) return `${label}: ${formatDuration(totalMs)}${range === '' ? '' : ` (${range.slice(2)})`}`;
  const differenceMs = plannedMs - totalMs;
  const verdict =
    Math.abs(differenceMs) <= plannedMs * punctualShare
      ? 'on time'
      : differenceMs > 0
        ? `${formatDuration(differenceMs)} early!`
        : `${formatDuration(-differenceMs)} late`;
  return `${label}: ${formatDuration(totalMs)} (vs ${formatDuration(plannedMs)} planned, ${verdict}${range})`;
}

/** Whether the run is projected to end after its plan. */
export function isProjectedLate(view: RunStatusView): boolean {
  const { plannedMs, etaP50 } = view.timeline;
  return !isTerminalRunStatus(view.status) && plannedMs !== null && etaP50 !== null && etaP50 > plannedMs * (1 + punctualShare);
}
