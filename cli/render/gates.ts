import type { RunGate, RunTask } from '../../client/gates';
import type { AgentInputValue } from '../../core/contract/agent-document';
import { shortenText } from '../../core/contract/text-size';
import type { GateView, TaskView } from '../../core/contract/views';
import { decideCommand, reportCommand } from './commands';
import { formatDuration, formatPercent } from './duration';
import { fitLine, plainText, type RenderOptions } from './style';

/** What is asked, of whom, how it stands: `3_decision_maker_approves: approval by ana or luis (0 of 1)`. */
export function gateLine(gate: GateView, nowMs: number | undefined): string {
  const prompt = gate.prompt === undefined || gate.prompt === '' ? kindText(gate) : plainText(gate.prompt);
  const approvers = gate.approvers.length === 0 ? 'anyone' : gate.approvers.map(plainText).join(' or ');
  const approvals = gate.votes.filter((vote) => vote.decision === 'approve').length;
  const quorum = gate.quorum > 1 || approvals > 0 ? `, ${approvals} of ${gate.quorum} approvals` : '';
  return `${gate.id}: ${prompt} (by ${approvers}${barredText(gate)}${quorum}${deadlineText(gate.deadline, nowMs)})`;
}

/** `, not ivo (who started the run)`. */
function barredText({ barred }: GateView): string {
  const whys = { initiator: 'who started the run', author: 'who did the work' };
  return barred.map(({ id, why }) => `, not ${plainText(id)} (${whys[why]})`).join('');
}

function kindText(gate: GateView): string {
  switch (gate.kind) {
    case 'approval':
      return 'approval';
    case 'phase':
      return gate.isOverride ? 'the phase is held back: approving overrides what holds it' : 'approval of the phase';
    case 'start':
      return 'manual start';
    case 'blocked':
      return 'blocked: approving overrides what blocks it';
    case 'unknown':
      return 'the outcome of its last attempt is unknown: approving runs it again';
  }
}

function deadlineText(deadline: string | null, nowMs: number | undefined): string {
  if (deadline === null) return '';
  if (nowMs === undefined) return `, until ${deadline}`;
  const leftMs = Date.parse(deadline) - nowMs;
  return leftMs <= 0 ? ', deadline passed' : `, ${formatDuration(leftMs)} left`;
}

/** Why it is held back, and the result that the approver should read: at most a few lines. */
export function resultLines(gate: GateView): string[] {
  const lines: string[] = gate.reason === undefined || gate.reason === '' ? [] : [`held back: ${plainText(gate.reason)}`];
  if (gate.result === undefined) return lines;
  if (gate.result.summary !== undefined && gate.result.summary !== '') lines.push(`summary: ${plainText(gate.result.summary)}`);
  const outputs = Object.keys(gate.result.outputs ?? {});
  if (outputs.length > 0) lines.push(`outputs: ${outputs.map(plainText).join(', ')}`);
  const metrics = Object.entries(gate.result.metrics ?? {});
  if (metrics.length > 0) lines.push(`metrics: ${metrics.map(([name, value]) => `${plainText(name)} ${metricText(value)}`).join(', ')}`);
  return lines;
}

function metricText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'value' in value && 'unit' in value) {
    return plainText(`${String(value.value)}${String(value.unit)}`);
  }
  return plainText(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Who is asked, what for, until when: `4_docs: Write the docs (asked of ana, 40% done: half of it, 3h left)`. */
export function taskLine({ step, mode, agent, deadline, progress, message, asked }: TaskView, nowMs: number | undefined): string {
  const what = [mode === 'undo' ? 'undo it' : undefined, asked.action ?? asked.title].filter((text) => text !== undefined).join(': ');
  const percent = progress === null ? '' : `, ${formatPercent(progress)} done`;
  const said = message === undefined || message === '' ? '' : `${percent === '' ? ', ' : ': '}${plainText(message)}`;
  return `${step}: ${what === '' ? 'a task' : plainText(what)} (asked of ${plainText(agent)}${percent}${said}${deadlineText(deadline, nowMs)})`;
}

/** What the person has to know, at most a few lines. */
export function askedLines({ asked }: TaskView): string[] {
  const lines: string[] = [];
  const { tasks, outputs, inputs, comments = [] } = asked;
  if (tasks.length > 0) lines.push(`tasks: ${tasks.map(plainText).join('; ')}`);
  const given = Object.entries(inputs).map(([name, value]) => `${plainText(name)} ${inputText(value)}`);
  if (given.length > 0) lines.push(`inputs: ${given.join(', ')}`);
  for (const { from, text } of comments) lines.push(`${plainText(from)} says: ${plainText(text)}`);
  if (outputs.length > 0) lines.push(`outputs: ${outputs.map(plainText).join(', ')}`);
  return lines;
}

const maxInputLength = 60;

function inputText({ text, json, artifact, absent }: AgentInputValue): string {
  if (absent === true) return '(nobody gave it)';
  if (artifact !== undefined) return `(${artifact.slice(0, 'sha256:'.length + 12)}…)`;
  return `"${shortenText(plainText(text ?? JSON.stringify(json)), maxInputLength)}"`;
}

/** Everything that waits for a person, each with the commands that answer it. */
export function renderGates(gates: RunGate[], options: RenderOptions, tasks: RunTask[] = []): string {
  if (gates.length === 0 && tasks.length === 0) return 'Nothing is waiting for a person.';
  const lines: string[] = [];
  for (const { run, gate } of gates) {
    lines.push(fitLine(`${run}  ${gateLine(gate, options.nowMs)}`, options));
    for (const line of resultLines(gate)) lines.push(fitLine(`  ${line}`, options));
    // Commands are never cut: they are there to be copied.
    lines.push(`  ${decideCommand('approve', run, gate, options.user)}`, `  ${decideCommand('reject', run, gate, options.user)}`);
  }
  for (const { run, task } of tasks) {
    lines.push(fitLine(`${run}  ${taskLine(task, options.nowMs)}`, options));
    for (const line of askedLines(task)) lines.push(fitLine(`  ${line}`, options));
    lines.push(`  ${reportCommand(run, task, options.user)}`);
  }
  return lines.join('\n');
}
