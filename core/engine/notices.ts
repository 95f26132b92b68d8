import type { AuditEntry } from '../contract/local-activities';
import {
  maxNoticeChannels,
  type NoticeAlert,
  type NoticeDocument,
  type NoticeEvent,
  type NoticeGate,
  type NoticeKind,
  type NoticeLateness,
  type NoticeTask,
} from '../contract/notice';
import { isTerminalRunStatus, type RunStatus } from '../contract/states';
import { shortenText } from '../contract/text-size';
import type { TaskView } from '../contract/views';
import type { PlanNotification } from '../plan/types';
import { expandPeople } from './approvers';
import { describeNotice, plainText } from './notice-text';
import { commandOfTask, commandsOf } from './decide-command';
import { audit, engineActor, type Run } from './run';
import type { GateRunState, NoticesRunState, PendingNotice } from './run-state';
import { createTaskViews } from './tasks';
import type { EngineEvent } from './types';
import { widestBounds } from './view-bounds';

/** Where the audit and the alerts stood before something happened. */
export interface NoticeMark {
  audit: number;
  alerts: number;
}

/**
 * So many in all, for each is some events of the history, which has an end; and so many under way, for Temporal refuses more than 2,000
 * activities. A flood of alerts leaves room for what people must decide, and the run's own end is told in any case.
 */
const limits = { alert: { total: 500, pending: 100 }, other: { total: 1_000, pending: 500 } };
/** A notice travels through the history, and a person reads it. */
const maxTextLength = 2_000;
const maxNames = 100;

export function markNotices(run: Run): NoticeMark {
  return { audit: run.changes.audit.length, alerts: run.changes.alerts.length };
}

/** What is told of one thing that happened. */
type Told = Pick<PendingNotice, 'event' | 'kind' | 'object'> &
  Pick<NoticeDocument, 'gate' | 'task' | 'alert' | 'late' | 'end'> & { people?: string[] };

/**
 * Tells the plan's channels what has happened since the mark. Everything that is told stands in the audit first, so it is read from
 * there: alerts, gates and tasks that are open now, the run's end. `late`: how late the run was just found to be.
 */
export function decideNotices(run: Run, mark: NoticeMark, late: NoticeLateness | undefined): void {
  const channels = run.plan.notify.slice(0, maxNoticeChannels);
  if (channels.length === 0) return;
  const notices = (run.state.notices ??= { count: 0, pending: {} });
  for (const told of [
    ...findAlerts(run, mark),
    ...findGates(run, mark),
    ...findTasks(run, mark),
    ...findLate(run, late),
    ...findEnd(run, mark),
  ]) {
    for (const channel of channels) if (channel.on.includes(told.event)) tell(run, notices, channel, told);
  }
}

/** It was delivered or given up: that is all that is kept of it. */
export function onNoticeEnded(run: Run, { id, address, attempt, failure }: Extract<EngineEvent, { type: 'noticeEnded' }>): void {
  const { pending } = run.state.notices ?? {};
  const notice = pending?.[id];
  if (pending === undefined || notice === undefined) return;
  delete pending[id];
  run.changes.urgent = true;
  const { object, event, kind, channel } = notice;
  audit(run, {
    actor: engineActor,
    action: failure === undefined ? 'notice.sent' : 'notice.failed',
    object,
    reason: `${event} by ${channel}: ${failure ?? address ?? 'delivered'}`,
    details: {
      notice: id,
      channel,
      event,
      kind,
      ...(address === undefined ? {} : { address }),
      ...(attempt === undefined ? {} : { attempt }),
    },
  });
}

function tell(run: Run, notices: NoticesRunState, { channel, url, to }: PlanNotification, told: Told): void {
  const { event, kind, object, people = [], ...rest } = told;
  const isEnd = told.end !== undefined;
  const { total, pending } = event === 'alert' ? limits.alert : limits.other;
  const why =
    notices.count >= total
      ? `the run has told of ${total} things already`
      : Object.keys(notices.pending).length >= pending
        ? `${pending} notices are under way already`
        : undefined;
  if (why !== undefined && !isEnd) {
    audit(run, {
      actor: engineActor,
      action: 'notice.dropped',
      object,
      reason: `${event} by ${channel}: ${why}`,
      details: { channel, event, kind },
    });
    return;
  }
  notices.count += 1;
  const id = `vapora.notify/${notices.count}`;
  notices.pending[id] = { channel, event, kind, object };
  const { state, plan, options } = run;
  const document: Omit<NoticeDocument, 'title' | 'text'> = {
    schemaVersion: 1,
    // Of this execution, not of the first: what is told again after a reset is news, and its number may have stood for another thing.
    key: `${options.run.runId}/${id}`,
    event,
    kind,
    at: new Date(run.now).toISOString(),
    people: people.slice(0, maxNames),
    run: {
      id: options.run.id,
      definition: options.run.definition,
      ...(plan.title === undefined ? {} : { title: bound(plan.title) }),
      status: state.status,
      phase: state.phase,
      ...(state.reason === undefined ? {} : { reason: bound(state.reason) }),
      initiator: options.initiator,
      timeScale: options.timeScale,
    },
    ...rest,
  };
  run.decisions.push({
    type: 'notify',
    id,
    channel: { channel, ...(url === undefined ? {} : { url }), ...(to === undefined ? {} : { to }) },
    notice: { ...document, ...describeNotice(document) },
  });
}

function findAlerts(run: Run, mark: NoticeMark): Told[] {
  return run.changes.alerts.slice(mark.alerts).map(({ step, name, severity, message, state }) => {
    const alert: NoticeAlert = { step, name: bound(name), severity: bound(severity), message: bound(message), state };
    return { event: 'alert', kind: state, object: step === '' ? run.options.run.id : step, alert };
  });
}

const gateKinds = { 'gate.opened': 'opened', 'gate.reminded': 'reminded', 'gate.escalated': 'escalated' } as const;

/** Gates that were put before somebody and are still open: one that was decided at once needs nobody. */
function findGates(run: Run, mark: NoticeMark): Told[] {
  const asked = new Map<string, Told>();
  for (const { action, object, generation } of run.changes.audit.slice(mark.audit)) {
    const kind = Object.hasOwn(gateKinds, action) ? gateKinds[action as keyof typeof gateKinds] : undefined;
    const gate = kind === undefined ? undefined : run.state.gates[object];
    if (kind === undefined || gate?.state !== 'open' || gate.generation !== generation || asked.has(object)) continue;
    asked.set(object, { event: gate.isOverride === true ? 'blocked' : 'waiting', kind, object, gate: noticeGate(run, gate) });
  }
  return [...asked.values()];
}

function noticeGate(run: Run, gate: GateRunState): NoticeGate {
  const { id, kind, step, phase, prompt, reason, approvers, barred, quorum, deadlineMs, isOverride = false } = gate;
  const summary = step === undefined ? undefined : run.index.byId.get(step)?.run.result?.summary;
  return {
    id,
    kind,
    ...(step === undefined ? {} : { step }),
    ...(phase === undefined ? {} : { phase }),
    isOverride,
    ...(prompt === undefined ? {} : { prompt: bound(prompt) }),
    ...(reason === undefined ? {} : { reason: bound(reason) }),
    ...(summary === undefined ? {} : { summary: bound(summary) }),
    approvers: approvers.slice(0, maxNames),
    barred: barred.slice(0, maxNames).map((person) => person.id),
    quorum,
    deadline: deadlineMs === undefined ? null : new Date(deadlineMs).toISOString(),
    commands: commandsOf({ run: run.options.run.id, gate: id, approvers, isOverride }),
  };
}

const taskKinds = { 'task.opened': 'opened', 'task.reminded': 'reminded' } as const;

/** What people were asked to do, or reminded of, and have not done yet. */
function findTasks(run: Run, mark: NoticeMark): Told[] {
  const asked = new Map<unknown, NoticeKind>();
  for (const { action, details } of run.changes.audit.slice(mark.audit)) {
    if (Object.hasOwn(taskKinds, action)) asked.set(details?.['task'], taskKinds[action as keyof typeof taskKinds]);
  }
  if (asked.size === 0) return [];
  return createTaskViews(run, widestBounds).flatMap((view) => {
    const kind = asked.get(view.id);
    return kind === undefined ? [] : [{ event: 'waiting' as const, kind, object: view.step, task: noticeTask(run, view) }];
  });
}

function noticeTask(run: Run, { id, step, mode, agent, mayReport, deadline, asked }: TaskView): NoticeTask {
  const { title, action, tasks, outputs } = asked;
  return {
    id,
    step,
    mode,
    agent,
    mayReport: mayReport.slice(0, maxNames),
    ...(title === undefined ? {} : { title: bound(title) }),
    ...(action === undefined ? {} : { action: bound(action) }),
    tasks: tasks.slice(0, maxNames).map(bound),
    outputs: outputs.slice(0, maxNames),
    deadline,
    command: commandOfTask({ run: run.options.run.id, step, agent, outputs }),
  };
}

function findLate({ plan, options }: Run, late: NoticeLateness | undefined): Told[] {
  if (late === undefined) return [];
  return [
    { event: 'late', kind: 'projected', object: options.run.id, late, people: expandPeople(plan.approvers, plan.onLate?.notify ?? []) },
  ];
}

function findEnd(run: Run, mark: NoticeMark): Told[] {
  const { endedAtMs, status, steps } = run.state;
  const isEnd = ({ action }: AuditEntry): boolean => action === `run.${status}`;
  if (endedAtMs === undefined || !isTerminalRunStatus(status) || !run.changes.audit.slice(mark.audit).some(isEnd)) return [];
  const counts: Record<string, number> = {};
  for (const { state } of Object.values(steps)) counts[state] = (counts[state] ?? 0) + 1;
  const end = { steps: counts, tookMs: Math.max(0, endedAtMs - run.options.startedAtMs) };
  return [{ event: eventOfEnd(status), kind: status, object: run.options.run.id, end }];
}

function eventOfEnd(status: RunStatus & NoticeKind): NoticeEvent {
  return status === 'completed' ? 'completed' : 'failed';
}

function bound(text: string): string {
  return shortenText(plainText(text), maxTextLength);
}
