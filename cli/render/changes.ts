import type { RunStatusView, StepView } from '../../core/contract/views';
import { decideCommand, reportCommand } from './commands';
import { formatPercent, formatTime } from './duration';
import { colorStatus } from './status';
import { colorsFor, plainText, type RenderOptions } from './style';

/** One line per change since the last look: what a log of a run says. Times are of this look. */
export function describeChanges(before: RunStatusView | undefined, after: RunStatusView, options: RenderOptions): string[] {
  const colors = colorsFor(options);
  const at = formatTime(new Date(options.nowMs ?? Date.now()).toISOString()).slice(11);
  const lines: string[] = [];
  const add = (text: string): void => void lines.push(`${at} ${text}`);

  if (before?.status !== after.status || before.phase !== after.phase) {
    const title = after.phases.find(({ id }) => id === after.phase)?.title || after.phase;
    const phase = title === null ? '' : ` (${plainText(title)}, ${formatPercent(after.progress)})`;
    const reason = after.reason === undefined || after.reason === '' ? '' : `: ${plainText(after.reason)}`;
    add(`${plainText(after.id)} ${colorStatus(after.status, colors)}${phase}${reason}`);
  }
  const known = new Map(before?.steps.map((step) => [step.id, step]));
  for (const step of after.steps) {
    const last = known.get(step.id);
    if (last?.state === step.state && last.generation === step.generation && last.agent === step.agent) continue;
    if (last === undefined && step.state === 'pending') continue;
    add(stepText(step));
  }
  const openBefore = new Set(before?.gates.filter(({ state }) => state === 'open').map(({ id }) => id));
  const gatesBefore = new Map(before?.gates.map((gate) => [gate.id, gate]));
  for (const gate of after.gates) {
    if (gate.state === 'open' && !openBefore.has(gate.id))
      add(`gate ${plainText(gate.id)} waits: ${decideCommand('approve', after.id, gate, options.user)}`);
    if (gate.state === 'decided' && gatesBefore.get(gate.id)?.state !== 'decided')
      add(`gate ${plainText(gate.id)} ${gate.decision ?? 'decided'}`);
  }
  const tasksBefore = new Set(before?.tasks?.map(({ id }) => id));
  for (const task of after.tasks ?? []) {
    if (!tasksBefore.has(task.id)) add(`task ${plainText(task.id)} waits: ${reportCommand(after.id, task, options.user)}`);
  }
  const newAlerts = after.totals.alerts - (before?.totals.alerts ?? 0);
  for (const alert of newAlerts > 0 ? after.alerts.slice(-newAlerts) : []) {
    add(`alert ${alert.state}: ${plainText(alert.step)} ${plainText(alert.message || alert.name)}`);
  }
  return lines;
}

function stepText(step: StepView): string {
  const round = step.generation > 1 ? ` (round ${step.generation})` : '';
  const agent = step.agent === null ? '' : ` by ${plainText(step.agent)}`;
  const reason = step.reason === null || step.reason === '' ? '' : `: ${plainText(step.reason)}`;
  return `${plainText(step.id)} ${step.state}${round}${agent}${reason}`;
}
