import { isTerminalRunStatus, type RunStatus } from '../../core/contract/states';
import type { RunStatusView } from '../../core/contract/views';
import { activeAgentLines, countAgents, pendingAgentLines } from './agents';
import { decideCommand, reportCommand, shellQuote } from './commands';
import { formatDuration, formatPercent } from './duration';
import { askedLines, gateLine, resultLines, taskLine } from './gates';
import { isProjectedLate, projectionLines, totalLine } from './projection';
import { colorsFor, fitLine, plainText, symbolOf, treeLines, type Colors, type RenderOptions } from './style';

const barColumns = 20;
const maxAdjustments = 5;

/** The dashboard of one run as text (the specification's "Runtime: Dashboard"), without a trailing newline. */
export function renderStatus(view: RunStatusView, options: RenderOptions): string {
  const colors = colorsFor(options);
  const lines: string[] = [];
  const add = (...added: string[]): void => void lines.push(...added.map((line) => fitLine(line.trimEnd(), options)));

  add(`Workflow: ${colors.bold(plainText(view.id))}${titleText(view)}`);
  add(`Status: ${colorStatus(view.status, colors)}${phaseText(view)}`);
  if (view.reason !== undefined && view.reason !== '') add(`Reason: ${plainText(view.reason)}`);
  if (view.paused !== undefined)
    add(
      `Paused by ${plainText(view.paused.by)}: ${plainText(view.paused.reason)}${view.paused.isFrozen ? ' (deadlines stand still)' : ''}`,
    );
  add(`Progress: ${formatPercent(view.progress)} ${progressBar(view.progress, options)}`);
  add(`Timeline: ${timelineText(view, options)}`);
  if (view.signatures === 'required') add('Signatures: required of whoever votes or changes it');
  if (view.verifying !== undefined) add(`Signatures being verified: ${view.verifying} (vapora.verify, which asks Postgres for the keys)`);
  addAgents(view, options, add);
  addList('Blockers', blockers(view), options, add, colors.red);
  addList('Issues', issues(view), options, add, colors.red);
  addList('Risks', risks(view), options, add, colors.yellow);
  if (view.adjustments.length > 0) {
    const shown = view.adjustments.slice(-maxAdjustments).map((one) => `${plainText(one.message)} (${plainText(one.by)}, ${one.kind})`);
    const older = view.adjustments.length - shown.length;
    add(`Adjustments (${view.adjustments.length}${older > 0 ? `, the newest ${shown.length}` : ''}):`, ...treeLines(shown, options));
  }
  // Of a run that was terminated they stand open, and nobody is asked any more.
  const hasEnded = isTerminalRunStatus(view.status);
  const openGates = hasEnded ? [] : view.gates.filter((gate) => gate.state === 'open');
  const tasks = hasEnded ? [] : (view.tasks ?? []);
  if (openGates.length + tasks.length > 0) {
    add(colors.yellow(`Waiting for a person (${openGates.length + tasks.length}):`));
    for (const gate of openGates.slice(0, options.listLimit ?? Infinity)) {
      add(`${symbolOf('waiting', options)} ${gateLine(gate, options.nowMs)}`);
      for (const line of resultLines(gate)) add(`   ${line}`);
      // Never cut: it is there to be copied.
      lines.push(`   ${decideCommand('approve', view.id, gate, options.user)}`);
    }
    for (const task of tasks.slice(0, options.listLimit ?? Infinity)) {
      add(`${symbolOf('waiting', options)} ${taskLine(task, options.nowMs)}`);
      for (const line of askedLines(task)) add(`   ${line}`);
      lines.push(`   ${reportCommand(view.id, task, options.user)}`);
    }
  }
  if (view.phases.length > 0) {
    add('Timeline Projection:', ...projectionLines(view, options));
    const total = totalLine(view);
    if (total !== undefined) add(total);
  }
  const { since, refused = 0 } = view.recording ?? {};
  if (since !== undefined)
    add(colors.red(`Not recorded for ${formatDuration((options.nowMs ?? Date.now()) - Date.parse(since))}: ${waitsForDatabase}`));
  if (refused > 0) add(colors.red(`Refused by the database: ${refused} (vapora audit show --id ${shellQuote(view.id)} says what and why)`));
  if (view.ignoredSignals > 0) add(`Ignored signals: ${view.ignoredSignals} (vapora audit show --id ${shellQuote(view.id)} says why)`);
  return lines.join('\n');
}

const waitsForDatabase = "the worker cannot reach Postgres, or its schema is not up to date ('vapora db status', the worker's log)";

type Add = (...lines: string[]) => void;

function titleText(view: RunStatusView): string {
  const title = view.title === undefined || view.title === '' ? '' : ` - ${plainText(view.title)}`;
  return view.definition === view.id ? title : ` (${plainText(view.definition)})${title}`;
}

/** The status in its colour: green is good, yellow wants someone, red went wrong. */
export function colorStatus(status: RunStatus, colors: Colors): string {
  switch (status) {
    case 'completed':
    case 'in_progress':
    case 'completing':
      return colors.green(status);
    case 'waiting_approval':
    case 'paused':
    case 'deferred':
      return colors.yellow(status);
    case 'blocked':
    case 'rolling_back':
    case 'rolled_back':
    case 'rollback_failed':
    case 'failed':
    case 'cancelled':
      return colors.red(status);
    case 'created':
    case 'planning':
      return status;
  }
}

function phaseText(view: RunStatusView): string {
  if (view.phaseCount === 0) return '';
  const phase = view.phases.find(({ id }) => id === view.phase);
  const name = phase === undefined ? view.phase : phase.title || phase.id;
  return ` (Phase ${view.phaseIndex}/${view.phaseCount}${name === null ? '' : `: ${plainText(name)}`})`;
}

function progressBar(progress: number, options: RenderOptions): string {
  const done = Math.max(0, Math.min(barColumns, Math.floor(progress * barColumns)));
  return symbolOf('barDone', options).repeat(done) + symbolOf('barOpen', options).repeat(barColumns - done);
}

function timelineText(view: RunStatusView, options: RenderOptions): string {
  const { plannedMs, elapsedMs } = view.timeline;
  const scale = view.timeScale === 1 ? '' : ` (time scale ${symbolOf('times', options)}${view.timeScale})`;
  const elapsed = formatDuration(elapsedMs);
  if (isTerminalRunStatus(view.status))
    return `took ${elapsed}${plannedMs === null ? '' : ` of ${formatDuration(plannedMs)} planned`}${scale}`;
  if (plannedMs === null) return `${elapsed} so far${scale}`;
  const leftMs = plannedMs - elapsedMs;
  if (leftMs < 0) return `${elapsed} used, ${formatDuration(-leftMs)} over the ${formatDuration(plannedMs)} planned${scale}`;
  return `${elapsed} used, ${formatDuration(leftMs)} of ${formatDuration(plannedMs)} remaining${scale}`;
}

function addAgents(view: RunStatusView, options: RenderOptions, add: Add): void {
  if (isTerminalRunStatus(view.status)) return;
  const { active, total } = countAgents(view);
  const activeLines = activeAgentLines(view, options);
  if (activeLines.length === 0) add('Active Agents: none');
  else add(`Active Agents (${active}/${total}):`, ...treeLines(activeLines, options));
  const pendingLines = pendingAgentLines(view, options);
  if (pendingLines.length === 0) add('Pending Agents: none');
  else add(`Pending Agents (${pendingLines.length}):`, ...treeLines(pendingLines, options));
}

function addList(title: string, items: string[], options: RenderOptions, add: Add, color: (text: string) => string): void {
  if (items.length === 0) add(`${title}: none`);
  else add(color(`${title} (${items.length}):`), ...treeLines(items, options));
}

/** What holds others back until someone acts. */
function blockers(view: RunStatusView): string[] {
  return view.steps.filter(({ state }) => state === 'blocked').map((step) => withReason(step.id, step.reason));
}

const severeAlerts: ReadonlySet<string> = new Set(['critical', 'error', 'high']);

/** What went wrong: failed and badly undone steps, and severe alerts. */
function issues(view: RunStatusView): string[] {
  const failed = view.steps
    .filter(({ state }) => state === 'failed' || state === 'compensation_failed')
    .map((step) => withReason(`${step.id} ${step.state === 'failed' ? 'failed' : 'could not be undone'}`, step.reason));
  return [...failed, ...alertTexts(view, (severity) => severeAlerts.has(severity))];
}

/** What may go wrong: milder alerts and a projected end after the plan. */
function risks(view: RunStatusView): string[] {
  const alerts = alertTexts(view, (severity) => !severeAlerts.has(severity));
  const { plannedMs, etaP50 } = view.timeline;
  if (isProjectedLate(view) && plannedMs !== null && etaP50 !== null) alerts.push(`projected ${formatDuration(etaP50 - plannedMs)} late`);
  return alerts;
}

/** Alerts that stand: for one step and name the newest word counts. */
function alertTexts(view: RunStatusView, isShown: (severity: string) => boolean): string[] {
  const newest = new Map<string, (typeof view.alerts)[number]>();
  for (const alert of view.alerts) newest.set(`${alert.step}\n${alert.name}`, alert);
  return [...newest.values()]
    .filter((alert) => alert.state === 'raised' && isShown(alert.severity.toLowerCase()))
    .map((alert) => `${plainText(alert.step)}: ${plainText(alert.message || alert.name)} (${plainText(alert.severity)})`);
}

function withReason(text: string, reason: string | null): string {
  return reason === null || reason === '' ? text : `${text}: ${plainText(reason)}`;
}
