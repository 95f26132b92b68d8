import type { AlertView, ExplainView, GateView, PhaseView, RunStatusView, StepView, TimelineView } from '../contract/views';
import { agentOf } from './changes';
import type { PlanApproval } from '../plan/types';
import { findApprovers, findBarred } from './approvers';
import type { PhaseNode, StepNode } from './plan-index';
import { dependencyHolds } from './readiness';
import type { Run } from './run';
import { progressOf, stepReason, stepWaitsFor, waitsFor } from './status';
import { planElapsedMs, projectTimeline } from './timeline';
import { isDone, isSettled } from './transitions';
import type { GateRunState } from './types';

/** Built only when somebody asks: O(steps). Moments are ISO 8601 in real time, lengths are milliseconds of plan time. */
export function createStatusView(run: Run, nowMs: number): RunStatusView {
  const { state, plan, options, index } = run;
  const phaseIndex = state.phase === null ? 0 : (index.phaseById.get(state.phase)?.index ?? 0) + 1;
  return {
    schemaVersion: 1,
    id: options.run.id,
    runId: options.run.runId,
    definition: options.run.definition,
    planHash: options.planHash,
    ...(plan.title === undefined ? {} : { title: plan.title }),
    status: state.status,
    phase: state.phase,
    phaseIndex,
    phaseCount: index.phases.length,
    phases: index.phases.map((phase) => viewPhase(run, phase, nowMs)),
    progress: progressOf(run),
    ...(state.reason === undefined ? {} : { reason: state.reason }),
    waitsFor: waitsFor(run),
    startedAt: iso(options.startedAtMs),
    ...(state.endedAtMs === undefined ? {} : { endedAt: iso(state.endedAtMs) }),
    timeScale: options.timeScale,
    steps: index.steps.map((node) => viewStep(run, node)),
    gates: createGateViews(run),
    alerts: state.alerts.map(({ atMs, ...alert }): AlertView => ({ ...alert, at: iso(atMs) })),
    ignoredSignals: state.ignoredSignals,
    timeline: projectTimeline(run, nowMs),
  };
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

function viewStep(run: Run, node: StepNode): StepView {
  const { plan, run: step } = node;
  const why = step.slots.find((slot) => slot.why !== undefined)?.why;
  return {
    id: plan.id,
    phase: plan.phase,
    state: step.state,
    generation: step.generation,
    agent: agentOf(node) ?? null,
    role: plan.role,
    progress: stepProgress(node),
    ...(step.result?.summary === undefined ? {} : { message: step.result.summary }),
    reason: stepReason(run, node) ?? null,
    waitsFor: stepWaitsFor(run, node),
    ...(step.startedAtMs === undefined ? {} : { startedAt: iso(step.startedAtMs) }),
    ...(step.endedAtMs === undefined ? {} : { endedAt: iso(step.endedAtMs) }),
    estimateMs: node.estimateIsKnown ? node.estimateMs : null,
    ...(why === undefined ? {} : { why }),
  };
}

/** Only what the engine itself knows; heartbeats know more about a step that runs. */
function stepProgress({ run: step }: StepNode): number | null {
  if (step.state === 'passed') return 1;
  return step.monitor === undefined ? null : Math.min(1, step.monitor.next / step.monitor.of);
}

/** Every gate that was or will be asked: those the plan has, then those that arose. */
export function createGateViews(run: Run): GateView[] {
  const { gates } = run.state;
  const views: GateView[] = [];
  const seen = new Set<string>();
  const add = (view: GateView): void => {
    if (seen.has(view.id)) return;
    seen.add(view.id);
    views.push(view);
  };
  for (const node of run.index.steps) {
    const { plan } = node;
    const { approval, automatic, id } = plan;
    const present = [`${id}:start`, id, `${id}:blocked`, `${id}:unknown`].flatMap((gate) => gates[gate] ?? []);
    if (!automatic && gates[`${id}:start`] === undefined) add({ ...futureGate(run, `${id}:start`, 'start', { node }), step: id });
    for (const gate of present) add(viewGate(run, gate));
    if (approval !== undefined) {
      add({
        ...futureGate(run, id, 'approval', { node, approval }),
        step: id,
        ...(approval.prompt === undefined ? {} : { prompt: approval.prompt }),
      });
    }
  }
  for (const { plan } of run.index.phases) {
    const present = gates[plan.id];
    if (present !== undefined) add(viewGate(run, present));
    else if (plan.approval !== undefined) add(futureGate(run, plan.id, 'phase', { approval: plan.approval }));
  }
  return views;
}

function futureGate(
  run: Run,
  id: string,
  kind: GateView['kind'],
  { node, approval }: { node?: StepNode; approval?: PlanApproval },
): GateView {
  return {
    id,
    kind,
    state: 'pending',
    decision: null,
    approvers: findApprovers(run, approval, node?.plan.role),
    barred: findBarred(run, approval, node),
    isOverride: false,
    quorum: approval?.quorum ?? 1,
    votes: [],
    deadline: null,
  };
}

function viewGate(run: Run, gate: GateRunState): GateView {
  const result = gate.step === undefined ? undefined : run.index.byId.get(gate.step)?.run.result;
  const prompt = gate.prompt ?? (gate.isOverride === true ? gate.reason : undefined);
  return {
    id: gate.id,
    kind: gate.kind,
    ...(gate.step === undefined ? {} : { step: gate.step }),
    state: gate.state,
    decision: gate.decision ?? null,
    approvers: gate.approvers,
    barred: gate.barred,
    isOverride: gate.isOverride === true,
    quorum: gate.quorum,
    votes: gate.votes.map(({ by, decision, reason, atMs }) => ({
      by,
      decision,
      ...(reason === undefined ? {} : { reason }),
      at: iso(atMs),
    })),
    deadline: gate.deadlineMs === undefined ? null : iso(gate.deadlineMs),
    ...(prompt === undefined ? {} : { prompt }),
    ...(result === undefined
      ? {}
      : {
          result: {
            ...(result.summary === undefined ? {} : { summary: result.summary }),
            ...(result.outputs === undefined ? {} : { outputs: result.outputs }),
            ...(result.metrics === undefined ? {} : { metrics: result.metrics }),
          },
        }),
  };
}

/** Every effect that was launched, in the order of its start. A monitor's samples are one entry. */
export function createTimelineView(run: Run): TimelineView {
  const entries = run.index.steps.flatMap((node) =>
    (node.run.effects ?? []).map((effect) => ({
      atMs: effect.startedAtMs,
      entry: {
        step: node.plan.id,
        generation: effect.generation,
        slot: effect.slot,
        agent: effect.agent,
        startedAt: iso(effect.startedAtMs),
        endedAt: effect.endedAtMs === undefined ? null : iso(effect.endedAtMs),
        outcome: effect.outcome ?? null,
        mode: effect.mode,
        estimateMs: node.estimateIsKnown ? node.estimateMs : null,
      },
    })),
  );
  return { steps: entries.sort((a, b) => a.atMs - b.atMs).map(({ entry }) => entry) };
}

/** Why a step is as it is: its dependencies and whether each holds, what holds it back, who was chosen and why. Null: no such step. */
export function createExplainView(run: Run, stepId: string): ExplainView | null {
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
  for (const check of step.overridden ?? []) lines.push(`overridden: ${check}`);
  for (const comment of step.comments ?? []) lines.push(`comment of ${comment.from} on generation ${comment.generation}: ${comment.text}`);
  return { step: stepId, state: step.state, reason: stepReason(run, node) ?? null, waitsFor: stepWaitsFor(run, node), lines };
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
