import type { AgentDocument, AgentResult } from '../contract/agent-document';
import type { Actor, TaskProjection } from '../contract/local-activities';
import type { Refusal, RefusalCode, ReportReply } from '../contract/messages';
import { matchOutputs } from '../contract/output-names';
import { shortenText } from '../contract/text-size';
import type { TaskView } from '../contract/views';
import type { PlanStep } from '../plan/types';
import { buildAgentDocument } from './agent-document';
import { findDecisionMakers, writtenName } from './approvers';
import { audit, cancelTimer, effectId, engineActor, findStep, realMsForPeople, startTimer, type Run } from './run';
import type { StepNode } from './plan-index';
import type { InFlightEffect, OpenTask, TaskRunState } from './run-state';
import type { Decision, EngineEvent, Report } from './types';
import { boundTexts, fitsAnswer, widestBounds, type ViewBounds } from './view-bounds';

type EffectEnded = Extract<EngineEvent, { type: 'effectEnded' }>;
type Launch = Extract<Decision, { type: 'launch' }>;

/**
 * An effect whose agent is a person: no activity, but a question that stays open until somebody who may reports a result, or its
 * deadline has passed. In all else it is an effect like any other: it is in flight until then.
 */
export function openTask(
  run: Run,
  node: StepNode,
  flight: InFlightEffect,
  { agent, action, share }: Pick<Launch, 'agent' | 'action' | 'share'>,
): void {
  const id = effectId(flight.effect);
  const task: TaskRunState = {
    agent,
    ...(action === undefined ? {} : { action }),
    ...(share === undefined ? {} : { share }),
    mayReport: [...new Set([writtenName(agent.id), ...findDecisionMakers(run)])],
    openedAtMs: run.now,
  };
  const open: OpenTask = Object.assign(flight, { task });
  run.tasks.set(node.plan.id, [...(run.tasks.get(node.plan.id) ?? []), open]);
  const { timeoutMs, maxDurationMs = timeoutMs } = node.plan;
  const atMs = run.now + realMsForPeople(run, Math.min(timeoutMs, maxDurationMs), false);
  // While deadlines stand still nobody knows when it will be.
  if (run.state.paused?.frozen === undefined) task.deadlineMs = atMs;
  const reminderMs = run.now + (atMs - run.now) / 2;
  startTimer(run, timerId(id, 'deadline'), { atMs, kind: 'taskDeadline', target: id, summary: `deadline of ${id}` });
  startTimer(run, timerId(id, 'reminder'), { atMs: reminderMs, kind: 'taskReminder', target: id, summary: `reminder of ${id}` });
  touchTask(run, open, true);
  audit(run, {
    actor: engineActor,
    action: 'task.opened',
    object: node.plan.id,
    generation: flight.effect.generation,
    reason: `${agent.id} is asked to ${flight.effect.mode === 'undo' ? 'undo' : 'do'} it`,
    details: { task: id, agent: agent.id, mode: flight.effect.mode, ...(action === undefined ? {} : { action }) },
  });
}

/** Its effect has ended. */
export function closeTask(run: Run, flight: InFlightEffect): void {
  if (!isTask(flight)) return;
  const left = (run.tasks.get(flight.step) ?? []).filter((other) => other !== flight);
  if (left.length > 0) run.tasks.set(flight.step, left);
  else run.tasks.delete(flight.step);
  const id = effectId(flight.effect);
  for (const which of ['deadline', 'reminder'] as const) cancelTimer(run, timerId(id, which));
  touchTask(run, flight, false);
}

/** What has changed of it is recorded. */
export function touchTask(run: Run, flight: OpenTask, isOpen: boolean): void {
  run.changes.tasks.set(effectId(flight.effect), { flight, isOpen });
  run.changes.steps.add(findStep(run, flight.step));
  run.changes.run = true;
  run.changes.urgent = true;
}

/** All that people are asked to do, now. */
export function openTasks(run: Run): OpenTask[] {
  return [...run.tasks.values()].flat().filter(isWaitedFor);
}

export function isTask(flight: InFlightEffect): flight is OpenTask {
  return flight.task !== undefined;
}

/** What a report would do now, or why it does not count. Changes nothing. */
export type JudgedReport = { ok: true; flight: OpenTask; result?: AgentResult; reply: ReportReply } | ({ ok: false } & Refusal);

export function judgeReport(run: Run, report: Report): JudgedReport {
  if (run.state.endedAtMs !== undefined) return refuse('run_ended', `the run has ended: ${run.state.status}`);
  const node = run.index.byId.get(report.step);
  if (node === undefined) return refuse('no_such_step', `there is no step ${report.step}`);
  const found = findTask(run, node, report);
  if (!found.ok) return found;
  const { flight } = found;
  const { agent, mayReport } = flight.task;
  const id = effectId(flight.effect);
  if (!mayReport.includes(report.by)) {
    return refuse('not_assigned', `${report.by} may not report on ${id}: it is a task of ${agent.id} (${mayReport.join(', ')} may report)`);
  }
  const reply = (effect: ReportReply['effect'], message: string): ReportReply => ({ effect, task: id, step: report.step, message });
  if (report.result === undefined) return { ok: true, flight, reply: reply('noted', `noted; ${id} stays open`) };
  if (report.result.status === 'failure') {
    return { ok: true, flight, result: report.result, reply: reply('failed', `${id} has ended: ${failureOf(report.result, agent.id)}`) };
  }
  const promised = documentOf(run, flight).outputs;
  const { outputs, missing } = matchOutputs(promised, report.result.outputs ?? {});
  if (missing.length > 0) {
    const delivered = Object.keys(outputs).join(', ') || 'none';
    return refuse(
      'outputs_missing',
      `the step promised the outputs ${promised.join(', ')}, but ${missing.join(', ')} was not delivered (delivered: ${delivered}): ${id} stays open`,
    );
  }
  const result = report.result.outputs === undefined ? report.result : { ...report.result, outputs };
  return { ok: true, flight, result, reply: reply('succeeded', `${id} is done`) };
}

type Found = { ok: true; flight: OpenTask } | ({ ok: false } & Refusal);

/** The one that is meant: by its id, else the person's, else the only one. */
function findTask(run: Run, node: StepNode, { by, agent, task }: Report): Found {
  const step = node.plan.id;
  const open = (run.tasks.get(step) ?? []).filter(isWaitedFor);
  if (open.length === 0) return refuse('no_such_task', `${step} is ${node.run.state}: nobody is asked to do it`);
  const ids = open.map((flight) => effectId(flight.effect)).join(', ');
  if (task !== undefined) {
    const named = open.find((flight) => effectId(flight.effect) === task);
    return named === undefined
      ? refuse('no_such_task', `${task} is not open: ${ids} ${open.length === 1 ? 'is' : 'are'}`)
      : { ok: true, flight: named };
  }
  const own = open.filter((flight) => writtenName(flight.task.agent.id) === (agent ?? by));
  if (agent !== undefined && own.length === 0)
    return refuse('no_such_task', `${agent} is not asked to do ${step}: ${ids} ${peopleOf(open)}`);
  const [first, ...others] = own.length > 0 ? own : open;
  if (first === undefined || others.length > 0) return refuse('no_such_task', `several tasks of ${step} are open, ${ids}: say which`);
  return { ok: true, flight: first };
}

function peopleOf(open: readonly OpenTask[]): string {
  return `(${open.map((flight) => flight.task.agent.id).join(', ')})`;
}

/** Notes what was reported, or says in the audit why it does not count. With a result: how the effect ends by it. */
export function takeReport(run: Run, report: Report): { judged: JudgedReport; ended?: EffectEnded } {
  const judged = judgeReport(run, report);
  if (!judged.ok) {
    ignoreReport(run, report, judged);
    return { judged };
  }
  const actor = reporterOf(report);
  const { flight, result, reply } = judged;
  const { task } = flight;
  if (report.progress !== undefined) task.progress = report.progress;
  if (report.message !== undefined) task.message = report.message;
  if (result === undefined) {
    touchTask(run, flight, true);
    return { judged };
  }
  audit(run, {
    actor,
    action: 'task.reported',
    object: flight.step,
    generation: flight.effect.generation,
    outcome: result.status,
    ...(result.summary === undefined ? {} : { reason: result.summary }),
    details: { task: reply.task, agent: task.agent.id },
  });
  const failure =
    result.status === 'success'
      ? undefined
      : ({ kind: 'failed', message: failureOf(result, task.agent.id), result, recorded: false } as const);
  return { judged, ended: { ...endOf(run, flight), reporter: actor, ...(failure === undefined ? { result } : { failure }) } };
}

/** Says in the audit why a report does not count. */
export function ignoreReport(run: Run, report: Report, { code, reason }: Refusal): void {
  run.changes.urgent = true;
  audit(run, {
    actor: reporterOf(report),
    action: 'report.ignored',
    object: report.step,
    reason,
    details: { code, ...(report.task === undefined ? {} : { task: report.task }) },
  });
}

function reporterOf({ by, key }: Report): Actor {
  return { kind: 'person', id: by, ...(key === undefined ? { assurance: 'local' } : { assurance: 'verified', key }) };
}

/** Half of the time has passed. */
export function remindOfTask(run: Run, timer: string, id: string): void {
  const flight = run.state.inFlight[id];
  if (flight === undefined || !isTask(flight)) return;
  run.changes.urgent = true;
  audit(run, {
    actor: { kind: 'timer', id: timer },
    action: 'task.reminded',
    object: flight.step,
    generation: flight.effect.generation,
    reason: `${flight.task.agent.id} has not reported that it is done`,
    details: { task: id },
  });
}

/** Nobody has reported in time. Undefined where it has ended otherwise. */
export function expireTask(run: Run, id: string): EffectEnded | undefined {
  const flight = run.state.inFlight[id];
  if (flight === undefined || !isTask(flight) || !isWaitedFor(flight)) return undefined;
  const message = `${flight.task.agent.id} did not report by ${new Date(flight.task.deadlineMs ?? run.now).toISOString()}`;
  return { ...endOf(run, flight), failure: { kind: 'timeout', message, recorded: false } };
}

/** It is no longer wanted; undefined where it has ended. */
export function withdrawTask(run: Run, id: string, reason: string): EffectEnded | undefined {
  const flight = run.state.inFlight[id];
  if (flight === undefined || !isTask(flight)) return undefined;
  return { ...endOf(run, flight), failure: { kind: 'cancelled', message: `no longer wanted: ${reason}`, recorded: false } };
}

function endOf(run: Run, { effect, task }: OpenTask): EffectEnded {
  return { type: 'effectEnded', atMs: run.now, effect, startedAtMs: task.openedAtMs, endedAtMs: run.now, attempt: 1 };
}

function failureOf({ summary, reasons }: AgentResult, agent: string): string {
  return summary ?? reasons?.[0] ?? `${agent} reported failure`;
}

function isWaitedFor({ cancelling }: OpenTask): boolean {
  return cancelling !== true;
}

/** What any agent gets that does it. */
function documentOf(run: Run, { step, effect, task }: OpenTask): AgentDocument {
  const { plan, state, options } = run;
  const { id: workflowId, runId, rootRunId } = options.run;
  const { planHash, initiator, inputs } = options;
  const context = { plan, state, planHash, run: { workflowId, runId, rootRunId }, initiator, inputs };
  const { agent, action, share } = task;
  return buildAgentDocument(context, findStep(run, step).plan, {
    type: 'launch',
    step,
    effect,
    agent,
    ...(action === undefined ? {} : { action }),
    ...(share === undefined ? {} : { share }),
  });
}

/** All that are open, the longest open first. */
export function createTaskViews(run: Run, bounds: ViewBounds): TaskView[] {
  const idOf = ({ effect }: OpenTask): string => effectId(effect);
  const open = openTasks(run).sort((a, b) => a.task.openedAtMs - b.task.openedAtMs || (idOf(a) < idOf(b) ? -1 : 1));
  return open.slice(0, bounds.gates).map((flight) => viewTask(run, flight, bounds));
}

/** The document of a task that is open: texts are cut only where it would be too large for an answer. Null: there is no such task. */
export function createTaskDocument(run: Run, id: string): AgentDocument | null {
  const flight = openTasks(run).find(({ effect }) => effectId(effect) === id);
  if (flight === undefined) return null;
  const { deadlineMs } = flight.task;
  const document = { ...documentOf(run, flight), ...(deadlineMs === undefined ? {} : { deadline: iso(deadlineMs) }) };
  return fitsAnswer(document) ? document : (boundTexts(document, widestBounds) as AgentDocument);
}

/** Of one step. */
export function viewTasksOf(run: Run, step: string, bounds: ViewBounds): TaskView[] {
  return (run.tasks.get(step) ?? []).filter(isWaitedFor).map((flight) => viewTask(run, flight, bounds));
}

export function projectTask(run: Run, { flight, isOpen }: { flight: OpenTask; isOpen: boolean }): TaskProjection {
  return { effect: flight.effect, isOpen, view: viewTask(run, flight, widestBounds) };
}

function viewTask(run: Run, flight: OpenTask, bounds: ViewBounds): TaskView {
  const { effect, step, task } = flight;
  const { title } = findStep(run, step).plan;
  const { action, tasks, outputs, inputs, with: values, comments, undo } = documentOf(run, flight);
  const text = (value: string): string => shortenText(value, bounds.textLength);
  const bound = <Value>(value: Value): Value => boundTexts(value, bounds) as Value;
  return {
    id: effectId(effect),
    step,
    generation: effect.generation,
    mode: effect.mode,
    agent: task.agent.id,
    mayReport: task.mayReport.slice(0, bounds.names),
    since: iso(task.openedAtMs),
    deadline: task.deadlineMs === undefined ? null : iso(task.deadlineMs),
    progress: task.progress ?? null,
    ...(task.message === undefined ? {} : { message: text(task.message) }),
    asked: {
      ...(title === undefined ? {} : { title: text(title) }),
      ...(action === undefined ? {} : { action: text(action) }),
      ...(effect.mode === 'do' && isReview(findStep(run, step).plan) && { isReview: true as const }),
      tasks: bound(tasks),
      outputs: outputs.slice(0, bounds.outputs),
      inputs: bound(inputs),
      ...(values === undefined ? {} : { with: bound(values) }),
      ...(comments === undefined ? {} : { comments: bound(comments) }),
      ...(undo === undefined ? {} : { undo: bound(undo) }),
    },
  };
}

/** The deadline of a step's task, for the reason of the step. */
export function describeTasks(run: Run, step: string): string | undefined {
  const open = (run.tasks.get(step) ?? []).filter(isWaitedFor);
  if (open.length === 0) return undefined;
  const texts = open.map(({ effect, task: { agent, deadlineMs } }) => {
    const until = deadlineMs === undefined ? '' : ` until ${iso(deadlineMs)}`;
    return `waits for ${agent.id} to ${effect.mode === 'undo' ? 'undo' : 'do'} it${until}`;
  });
  return texts.join('; ');
}

/** Steps of which nothing goes on but that people do them: nothing is under way that a machine could move. */
export function countResting(run: Run): number {
  let count = 0;
  for (const [step, flights] of run.tasks) {
    const node = findStep(run, step);
    const isWanting = node.run.slots.some(({ state }) => state === 'wanted' || state === 'requested' || state === 'busy');
    if (node.run.state === 'running' && node.inFlight === flights.length && !isWanting) count += 1;
  }
  return count;
}

/** Only people work on it, now: it holds no slot that machines need. */
export function isOnlyWithPeople(run: Run, node: StepNode): boolean {
  const flights = run.tasks.get(node.plan.id) ?? [];
  return flights.length > 0 && node.inFlight === flights.length;
}

function timerId(id: string, which: 'deadline' | 'reminder'): string {
  return `task/${id}/${which}`;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function refuse(code: RefusalCode, reason: string): { ok: false } & Refusal {
  return { ok: false, code, reason };
}

function isReview({ rework, taskType, canBlockMerge, canBlockDeployment }: PlanStep): boolean {
  return rework !== undefined || taskType === 'CodeReview' || taskType === 'SecurityAudit' || canBlockMerge || canBlockDeployment;
}
