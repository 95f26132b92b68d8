import type { AlertView, ExplainView, PhaseView, RunStatusView, StepView, TimelineView } from '../contract/views';
import { shortenText } from '../contract/text-size';
import { agentOf } from './changes';
import { countGates, createGateViews } from './gate-views';
import type { PhaseNode, StepNode } from './plan-index';
import { dependencyHolds } from './readiness';
import type { Run } from './run';
import { progressOf, stepReason, stepWaitsFor, waitsFor } from './status';
import { planElapsedMs, projectTimeline } from './timeline';
import { currentSubStep } from './rollout';
import { createTaskViews, viewTasksOf } from './tasks';
import { isDone, isSettled } from './transitions';
import type { StepRunState } from './run-state';
import { boundList, boundNames, type ViewBounds } from './view-bounds';

/** Built only when somebody asks: O(steps). Moments are ISO 8601 in real time, lengths are milliseconds of plan time. */
export function createStatusView(run: Run, nowMs: number, bounds: ViewBounds): RunStatusView {
  const { state, plan, options, index } = run;
  const gates = createGateViews(run, bounds);
  const tasks = createTaskViews(run, bounds);
  const text = (value: string): string => shortenText(value, bounds.textLength);
  const phaseIndex = state.phase === null ? 0 : (index.phaseById.get(state.phase)?.index ?? 0) + 1;
  return {
    schemaVersion: 1,
    id: options.run.id,
    runId: options.run.runId,
    rootRunId: options.run.rootRunId,
    definition: options.run.definition,
    planHash: options.planHash,
    ...(options.signatures === undefined ? {} : { signatures: options.signatures }),
    ...viewVerifying(run),
    ...(plan.title === undefined ? {} : { title: text(plan.title) }),
    status: state.status,
    phase: state.phase,
    phaseIndex,
    phaseCount: index.phases.length,
    phases: index.phases.map((phase) => viewPhase(run, phase, nowMs)),
    progress: progressOf(run),
    ...(state.reason === undefined ? {} : { reason: text(state.reason) }),
    ...viewPause(run, text),
    waitsFor: boundNames(waitsFor(run), bounds),
    startedAt: iso(options.startedAtMs),
    ...(state.endedAtMs === undefined ? {} : { endedAt: iso(state.endedAtMs) }),
    timeScale: options.timeScale,
    steps: boundList(index.steps, bounds.steps, ({ run: step }) => rankOfStep(step)).map((node) => viewStep(run, node, bounds)),
    gates,
    ...(tasks.length === 0 ? {} : { tasks }),
    alerts: state.alerts.slice(-bounds.alerts).map(({ atMs, name, message, ...alert }): AlertView => ({
      ...alert,
      name: text(name),
      message: text(message),
      at: iso(atMs),
    })),
    adjustments: (state.adjustments ?? []).slice(-bounds.alerts).map(({ atMs, kind, by, reason, message }) => ({
      at: iso(atMs),
      kind,
      by,
      ...(reason === undefined ? {} : { reason: text(reason) }),
      message: text(message),
    })),
    ignoredSignals: state.ignoredSignals,
    totals: { steps: index.steps.length, gates: countGates(run), alerts: state.alertCount },
    timeline: projectTimeline(run, nowMs),
  };
}

function viewPause({ state: { paused } }: Run, text: (value: string) => string): Pick<RunStatusView, 'paused'> {
  if (paused === undefined) return {};
  const { by, reason, atMs, frozen } = paused;
  return { paused: { by, reason: text(reason), since: iso(atMs), isFrozen: frozen !== undefined } };
}

function viewVerifying({ unverified, verifying = [] }: Run): Pick<RunStatusView, 'verifying'> {
  const count = unverified.length + verifying.length;
  return count === 0 ? {} : { verifying: count };
}

/** What goes on, then what waits for somebody, then what went wrong, then the rest. */
function rankOfStep({ state }: StepRunState): number {
  if (state === 'assigned' || state === 'running' || state === 'reworking' || state === 'compensating') return 0;
  if (state === 'waiting_approval' || state === 'blocked' || state === 'deferred') return 1;
  return state === 'failed' || state === 'compensation_failed' ? 2 : 3;
}

function viewPhase(run: Run, phase: PhaseNode, nowMs: number): PhaseView {
  const { plan, run: state, steps } = phase;
  const done = steps.filter((node) => isDone(node.run.state)).length;
  return {
    id: plan.id,
    title: plan.title ?? plan.id,
    state: state.state === 'gated' ? 'running' : state.state,
    done,
    total: steps.length,
    plannedMs: plan.plannedMs ?? null,
    elapsedMs:
      state.startedAtMs === undefined ? null : planElapsedMs(run, state.startedAtMs, state.endedAtMs ?? run.state.endedAtMs ?? nowMs),
  };
}

function viewStep(run: Run, node: StepNode, bounds: ViewBounds): StepView {
  const { plan, run: step } = node;
  const why = step.slots.find((slot) => slot.why !== undefined)?.why;
  const reason = stepReason(run, node);
  const agent = agentOf(node);
  const message = step.result?.summary ?? run.tasks.get(plan.id)?.findLast(({ task }) => task.message !== undefined)?.task.message;
  const text = (value: string): string => shortenText(value, bounds.textLength);
  return {
    id: plan.id,
    phase: plan.phase,
    state: step.state,
    generation: step.generation,
    agent: agent === undefined ? null : shortenText(agent, Math.max(100, bounds.textLength)),
    role: plan.role,
    progress: stepProgress(run, node),
    ...(message === undefined ? {} : { message: text(message) }),
    reason: reason === undefined ? null : text(reason),
    waitsFor: boundNames(stepWaitsFor(run, node), bounds),
    ...(step.startedAtMs === undefined ? {} : { startedAt: iso(step.startedAtMs) }),
    ...(step.endedAtMs === undefined ? {} : { endedAt: iso(step.endedAtMs) }),
    estimateMs: node.estimateIsKnown ? node.estimateMs : null,
    ...(why === undefined ? {} : { why: text(why) }),
  };
}

/** Only what the engine itself knows, or a person has reported; heartbeats know more about a step that runs. */
function stepProgress(run: Run, node: StepNode): number | null {
  const { run: step } = node;
  if (step.state === 'passed') return 1;
  const sub = step.rollout === undefined ? undefined : currentSubStep(run, node);
  const tasks = run.tasks.get(node.plan.id) ?? [];
  const reported = tasks.reduce((sum, { task }) => sum + (task.progress ?? 0), 0) / Math.max(1, tasks.length);
  if (sub !== undefined && step.state === 'running') return (sub.at + reported) / sub.of;
  if (tasks.some(({ task }) => task.progress !== undefined)) return reported;
  return step.monitor === undefined ? null : Math.min(1, step.monitor.next / step.monitor.of);
}

/** Every effect that was launched, in the order of its start. A monitor's samples are one entry. */
export function createTimelineView(run: Run, { entries: max }: ViewBounds): TimelineView {
  const entries = run.index.steps.flatMap((node) =>
    (node.run.effects ?? []).map((effect) => ({
      atMs: effect.startedAtMs,
      entry: {
        step: node.plan.id,
        ...(effect.subStep === undefined ? {} : { subStep: effect.subStep }),
        generation: effect.generation,
        slot: effect.slot,
        agent: effect.agent,
        startedAt: iso(effect.startedAtMs),
        endedAt: effect.endedAtMs === undefined ? null : iso(effect.endedAtMs),
        outcome: effect.outcome ?? null,
        mode: effect.mode,
        estimateMs: node.estimateIsKnown && effect.subStep === undefined ? node.estimateMs : null,
      },
    })),
  );
  const steps = entries.sort((a, b) => a.atMs - b.atMs).map(({ entry }) => entry);
  return steps.length <= max ? { steps } : { steps: steps.slice(-max), omitted: steps.length - max };
}

/** Why a step is as it is: its dependencies and whether each holds, what holds it back, who was chosen and why. Null: no such step. */
export function createExplainView(run: Run, stepId: string, bounds: ViewBounds): ExplainView | null {
  const node = run.index.byId.get(stepId);
  if (node === undefined) return null;
  const { plan, run: step } = node;
  const lines: string[] = [];
  for (const dependency of plan.dependsOn) {
    const before = run.index.byId.get(dependency.step)?.run;
    const isOpen = before === undefined || !isSettled(before.state);
    const verdict = isOpen ? 'is waited for' : dependencyHolds(run, dependency) ? 'holds' : 'does not hold';
    lines.push(`depends on ${dependency.step} (${dependency.when}): ${before?.state ?? 'unknown'}, ${verdict}`);
  }
  if (!node.phase.open) lines.push(`phase ${plan.phase} has not opened`);
  for (const [name, text] of [
    ['if', plan.ifText],
    ['requires', plan.requiresText],
    ['gate', plan.gateText],
  ] as const) {
    if (text !== undefined) lines.push(`${name}: ${text}`);
  }
  for (const gate of [`${stepId}:start`, stepId, `${stepId}:blocked`, `${stepId}:unknown`].flatMap((id) => run.state.gates[id] ?? [])) {
    const approvals = gate.votes.filter((vote) => vote.decision === 'approve').length;
    const who = gate.approvers.length === 0 ? 'anyone' : gate.approvers.join(', ');
    lines.push(
      `gate ${gate.id}: ${gate.decision ?? gate.state}, ${approvals} of ${gate.quorum} approvals (${who})${gate.reason === undefined ? '' : `: ${gate.reason}`}`,
    );
  }
  for (const slot of step.slots) {
    if (slot.agent !== undefined) lines.push(`agent ${slot.agent.id} (${slot.state}): ${slot.why ?? ''}`);
    else lines.push(`agent wanted (${slot.state})${slot.why === undefined ? '' : `: ${slot.why}`}`);
    if (slot.excluded.length > 0) lines.push(`not again: ${slot.excluded.join(', ')}`);
    if (slot.failure !== undefined) lines.push(`failed: ${slot.failure}`);
  }
  for (const { id, agent, since, deadline, asked, mayReport } of viewTasksOf(run, stepId, bounds)) {
    const outputs = asked.outputs.length === 0 ? '' : `, outputs ${asked.outputs.join(', ')}`;
    lines.push(
      `task ${id}: asked of ${agent} since ${since}, until ${deadline ?? 'the run goes on'}${outputs} (${mayReport.join(', ')} may report)`,
    );
  }
  for (const check of step.overridden ?? []) lines.push(`overridden: ${check}`);
  for (const comment of step.comments ?? []) lines.push(`comment of ${comment.from} on generation ${comment.generation}: ${comment.text}`);
  const { reason, waitsFor: waiting } = viewStep(run, node, bounds);
  const shown = lines.slice(0, bounds.lines).map((line) => shortenText(line, bounds.textLength));
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
  return { step: stepId, state: step.state, reason, waitsFor: waiting, lines: shown };
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
