import type { RunStatusView, StepView } from '../core/contract/views';

/** The Web UI shows at most 64 KB; a run of thousands of steps shows what is going on, not everything. */
const maxRows = 40;

const activeStates: readonly string[] = ['assigned', 'running', 'waiting_approval', 'blocked', 'deferred', 'reworking', 'compensating'];

/** The seed's dashboard as Markdown, for the Web UI's "current details". */
export function renderDetails(view: RunStatusView): string {
  const active = view.steps.filter(({ state }) => activeStates.includes(state));
  const open = view.gates.filter(({ state }) => state === 'open');
  const lines = [
    `### ${view.title ?? view.definition}: ${view.status.replaceAll('_', ' ')}`,
    '',
    `Phase **${view.phase ?? 'none'}** (${view.phaseIndex}/${view.phaseCount}), **${Math.round(view.progress * 100)} %** done` +
      (view.timeScale > 1 ? `, time scale ${view.timeScale}` : ''),
  ];
  if (view.reason) lines.push('', view.reason);
  if (open.length > 0) {
    lines.push('', '**Waiting for people**', '');
    for (const gate of open.slice(0, maxRows)) {
      const who = gate.approvers.length > 0 ? gate.approvers.join(', ') : 'anyone';
      lines.push(`- \`${gate.id}\` by ${who}: signal \`approve\` with \`{"gate":"${gate.id}","by":"you","reason":"…"}\``);
    }
  }
  if (view.tasks !== undefined) {
    lines.push('', '**Done by people**', '');
    for (const { step, agent, id } of view.tasks.slice(0, maxRows)) {
      const report = JSON.stringify({ step, agent, result: { status: 'success', summary: '…' } });
      lines.push(`- \`${id}\` by ${agent}: signal \`report\` with \`${report}\``);
    }
  }
  if (active.length > 0)
    lines.push('', '| step | state | agent | waits for |', '|---|---|---|---|', ...active.slice(0, maxRows).map(renderStep));
  if (active.length > maxRows) lines.push('', `and ${active.length - maxRows} more`);
  const alerts = view.alerts.filter(({ state }) => state === 'raised');
  if (alerts.length > 0) lines.push('', '**Alerts**', '', ...alerts.slice(0, maxRows).map(({ step, message }) => `- ${step}: ${message}`));
  if (view.ignoredSignals > 0) lines.push('', `${view.ignoredSignals} signals were ignored; the audit trail says why`);
  return lines.join('\n');
}

function renderStep({ id, state, agent, waitsFor, reason }: StepView): string {
  const waits = reason ?? waitsFor.join(', ');
  return `| ${cell(id)} | ${state.replaceAll('_', ' ')} | ${cell(agent ?? '')} | ${cell(waits)} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 300);
}
