import type { GateProjection, RunChanges, StepProjection } from '../contract/local-activities';
import type { StepNode } from './plan-index';
import type { Run } from './run';
import { projectTask } from './tasks';
import { progressOf, stepReason, stepWaitsFor, waitsFor } from './status';
import type { GateRunState } from './run-state';

/** Everything that changed since the last call, as rows; the log is empty afterwards. */
export function collectChanges(run: Run): { changes: RunChanges; urgent: boolean } {
  const { changes: log, state } = run;
  const changes: RunChanges = {
    steps: [...log.steps].sort((a, b) => a.index - b.index).map((node) => projectStep(run, node)),
    gates: [...log.gates].map(projectGate),
    ...(log.tasks.size > 0 && { tasks: [...log.tasks.values()].map((task) => projectTask(run, task)) }),
    votes: log.votes,
    alerts: log.alerts,
    audit: log.audit,
    ends: log.ends,
  };
  if (log.run) {
    changes.run = {
      planHash: run.options.planHash,
      status: state.status,
      phase: state.phase,
      progress: progressOf(run),
      waitsFor: waitsFor(run),
    };
    if (state.reason !== undefined) changes.run.reason = state.reason;
    if (state.endedAtMs !== undefined) changes.run.endedAtMs = state.endedAtMs;
  }
  const { urgent } = log;
  Object.assign(log, { urgent: false, run: false, votes: [], alerts: [], audit: [], ends: [] });
  log.steps.clear();
  log.gates.clear();
  log.tasks.clear();
  return { changes, urgent };
}

function projectStep(run: Run, node: StepNode): StepProjection {
  const { plan, run: step } = node;
  const projection: StepProjection = { step: plan.id, phase: plan.phase, state: step.state, generation: step.generation, role: plan.role };
  const agent = agentOf(node);
  if (agent !== undefined) projection.agent = agent;
  const reason = stepReason(run, node);
  if (reason !== undefined) projection.reason = reason;
  const waiting = stepWaitsFor(run, node);
  if (waiting.length > 0) projection.waitsFor = waiting;
  if (step.startedAtMs !== undefined) projection.startedAtMs = step.startedAtMs;
  if (step.endedAtMs !== undefined) projection.endedAtMs = step.endedAtMs;
  return projection;
}

/** Who works on it; several are joined, where `count` asks for several. */
export function agentOf(node: StepNode): string | undefined {
  const agents = node.run.slots.flatMap((slot) => (slot.agent === undefined ? [] : [slot.agent.id]));
  return agents.length === 0 ? undefined : [...new Set(agents)].join(', ');
}

function projectGate(gate: GateRunState): GateProjection {
  const { id, kind, generation, state, approvers, barred, isOverride = false, quorum } = gate;
  const projection: GateProjection = { gate: id, kind, generation, state, approvers, barred, isOverride, quorum };
  for (const key of ['step', 'phase', 'prompt', 'openedAtMs', 'deadlineMs', 'decision', 'decidedAtMs', 'reason'] as const) {
    if (gate[key] !== undefined) Object.assign(projection, { [key]: gate[key] });
  }
  return projection;
}
