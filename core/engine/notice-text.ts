import type { NoticeDocument, NoticeGate, NoticeKind, NoticeTask } from '../contract/notice';
import { shortenText } from '../contract/text-size';
import { quote } from './decide-command';

/** A title is a line of a mail's header or of a list. */
const maxTitleLength = 200;
/** Names in a text; the JSON has more. */
const maxNames = 20;

/** The notice as people read it: what has happened, to what, who can do something about it, until when, and how. */
export function describeNotice(notice: Omit<NoticeDocument, 'title' | 'text'>): { title: string; text: string } {
  const { run, people } = notice;
  const { what, lines } = describe(notice);
  const name = run.title ?? run.definition;
  const scale = run.timeScale === 1 ? '' : `, time scale ×${run.timeScale}`;
  const context = `Run ${run.id} of ${run.definition}, started by ${run.initiator === '' ? 'nobody named' : run.initiator}${scale}`;
  return {
    title: shortenText(`${oneLine(name)}: ${oneLine(what)}`, maxTitleLength),
    text: [...lines, ...(people.length === 0 ? [] : [`For: ${names(people)}`]), context].filter((line) => line !== '').join('\n'),
  };
}

function describe(notice: Omit<NoticeDocument, 'title' | 'text'>): { what: string; lines: string[] } {
  const { run, gate, task, alert, late, end, kind } = notice;
  if (task !== undefined) return { what: whatOfTask(task, kind), lines: linesOfTask(task) };
  if (gate !== undefined) return { what: whatOfGate(gate, kind), lines: linesOfGate(gate) };
  if (alert !== undefined) {
    const where = alert.step === '' ? '' : ` in ${alert.step}`;
    return {
      what: alert.state === 'raised' ? `${alert.severity} alert${where}: ${alert.name}` : `alert cleared${where}: ${alert.name}`,
      lines: [alert.message],
    };
  }
  if (late !== undefined) {
    const { plannedMs, projectedMs, elapsedMs } = late;
    const takes = projectedMs > elapsedMs ? `projected to take ${duration(projectedMs)}` : `has taken ${duration(elapsedMs)} so far`;
    const phase = run.phase === null ? '' : `, in phase ${run.phase}`;
    return {
      what: `late: ${takes}, planned were ${duration(plannedMs)}`,
      lines: [`${duration(elapsedMs)} have passed${phase}.`, `Look: vapora workflow status --id ${quote(run.id)}`],
    };
  }
  const steps = Object.entries(end?.steps ?? {}).map(([state, count]) => `${count} ${state.replaceAll('_', ' ')}`);
  const isDone = kind === 'completed';
  return {
    what: endings[kind] ?? kind,
    lines: [
      isDone ? '' : (run.reason ?? ''),
      `After ${duration((end?.tookMs ?? 0) * run.timeScale)}; steps: ${steps.join(', ') || 'none'}`,
      isDone ? '' : `Look: vapora workflow status --id ${quote(run.id)}`,
    ],
  };
}

const endings: Partial<Record<NoticeKind, string>> = {
  completed: 'completed',
  failed: 'failed',
  rolled_back: 'failed and was rolled back',
  rollback_failed: 'failed, and not everything could be undone',
  cancelled: 'was cancelled',
};

function whatOfGate({ id, kind, step, phase, isOverride }: NoticeGate, notice: NoticeKind): string {
  const again = notice === 'opened' ? '' : notice === 'reminded' ? 'still ' : 'nobody has decided, now others are asked: ';
  if (kind === 'unknown') return `${again}nobody knows how ${step ?? id} ended`;
  if (isOverride) return `${again}${phase === undefined ? (step ?? id) : `phase ${phase}`} is held back`;
  return kind === 'start' ? `${again}${step ?? id} waits to be started` : `${again}waits for a decision about ${id}`;
}

function linesOfGate({ prompt, reason, summary, approvers, barred, quorum, deadline, commands }: NoticeGate): string[] {
  return [
    prompt ?? '',
    reason ?? '',
    summary === undefined ? '' : `Result: ${summary}`,
    `Who may decide: ${approvers.length === 0 ? 'anyone' : names(approvers)}${quorum > 1 ? ` (${quorum} approvals are needed)` : ''}`,
    barred.length === 0 ? '' : `Not: ${names(barred)}`,
    deadline === null ? '' : `Until: ${deadline.slice(0, 16).replace('T', ' ')} UTC`,
    `Approve: ${commands.approve}`,
    `Reject: ${commands.reject}`,
  ];
}

function whatOfTask({ step, mode, agent }: NoticeTask, notice: NoticeKind): string {
  return `${notice === 'reminded' ? 'still ' : ''}waits for ${agent} to ${mode === 'undo' ? 'undo' : 'do'} ${step}`;
}

function linesOfTask({ title, action, tasks, outputs, deadline, mayReport, command }: NoticeTask): string[] {
  return [
    title ?? '',
    action === undefined ? '' : `Action: ${action}`,
    ...tasks.map((one) => `- ${one}`),
    outputs.length === 0 ? '' : `To deliver: ${outputs.join(', ')}`,
    `Who may report: ${names(mayReport)}`,
    deadline === null ? '' : `Until: ${deadline.slice(0, 16).replace('T', ' ')} UTC`,
    `Done: ${command}`,
  ];
}

function names(people: readonly string[]): string {
  const shown = people.slice(0, maxNames).map(oneLine).join(', ');
  return people.length > maxNames ? `${shown} and ${people.length - maxNames} more` : shown;
}

/** Agents and signals may say anything: what a terminal or a mail program would obey is left out, line ends are kept. */
export function plainText(text: string): string {
  return text.replace(colours, '').replace(unprintable, '');
}

/** What terminals are told by a bracket after the escape character, which is removed with the others. */
const colours = /\p{Cc}(?<!\s)\[[0-9;?]*[ -/]*[@-~]/gu;
const unprintable = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function oneLine(text: string): string {
  return plainText(text).replace(/\s+/g, ' ').trim();
}

/** The two largest units. */
export function duration(durationMs: number): string {
  const units: [name: string, ms: number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const first = units.findIndex(([, ms]) => durationMs >= ms);
  if (first < 0) return `${Math.round(durationMs)}ms`;
  const parts: string[] = [];
  let rest = durationMs;
  for (const [name, ms] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    if (count > 0) parts.push(`${count}${name}`);
  }
  return parts.join(' ');
}
