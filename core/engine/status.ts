import { isTerminalRunStatus, type RunStatus } from '../contract/states';
import { isRollingBack } from './ending';
import type { StepNode } from './plan-index';
import { audit, engineActor, type Run } from './run';
import { currentSubStep } from './rollout';
import { countResting, describeTasks } from './tasks';
import { deferTimerId } from './setbacks';
import { checkRunTransition, isSettled } from './transitions';

/** What the run as a whole is doing, from its counters: O(phases), not O(steps). */
export function updateStatus(run: Run): void {
  setStatus(run, findStatus(run));
  // An ending run stays in the phase in which its end began: steps that are stopped do not move it on.
  const phase = run.state.ending === undefined ? findPhase(run) : run.state.phase;
  if (phase !== run.state.phase) {
    run.state.phase = phase;
    run.changes.run = true;
  }
}

export function setStatus(run: Run, status: RunStatus): void {
  const before = run.state.status;
  if (before === status) return;
  checkRunTransition(before, status);
  run.state.status = status;
  run.changes.run = true;
  run.changes.urgent = true;
  // `run.planned` says by whom and what: see `begin`.
  if (status === 'planning') return;
  const reason = status === 'paused' ? run.state.paused?.reason : isTerminalRunStatus(status) ? run.state.reason : undefined;
  audit(run, {
    actor: engineActor,
    action: `run.${auditNames[status] ?? status}`,
    object: run.options.run.id,
    ...(reason === undefined ? {} : { reason }),
  });
}

const auditNames: Partial<Record<RunStatus, string>> = {
  in_progress: 'started',
  waiting_approval: 'held_for_approval',
  completing: 'nearly_completed',
  rolling_back: 'rollback_started',
};

/** Waiting, for a decision or for a person's work, wins over blocked, and both count only when nothing else runs or is ready. */
function findStatus(run: Run): RunStatus {
  const { state } = run;
  if (isTerminalRunStatus(state.status)) return state.status;
  if (state.ending !== undefined) return isRollingBack(run) ? 'rolling_back' : state.status === 'created' ? 'planning' : state.status;
  if (state.paused !== undefined) return 'paused';
  const resting = countResting(run);
  if (run.counts.moving > resting) return run.unsettledWithoutAsync === 0 && run.unpassedPhases === 0 ? 'completing' : 'in_progress';
  if (resting > 0) return 'waiting_approval';
  let isBlocked = run.blockedSteps.size > 0;
  for (const id of run.openGates) {
    const gate = state.gates[id];
    if (gate?.isOverride === true) isBlocked = true;
    else return 'waiting_approval';
  }
  if (isBlocked) return 'blocked';
  return run.counts.deferred > 0 ? 'deferred' : 'in_progress';
}

/** The first phase with something under way, else the first unfinished one, else the last. */
function findPhase(run: Run): string | null {
  const { phases } = run.index;
  const active = phases.find((phase) => phase.active > 0 || phase.run.state === 'gated');
  if (active !== undefined) return active.plan.id;
  const unfinished = phases.find((phase) => phase.unsettled > 0) ?? phases.at(-1);
  return unfinished?.plan.id ?? null;
}

/** What only a person, or another step's end, can move: open gates, `<step>:task` of what people do, and blocked steps that have no gate. */
export function waitsFor(run: Run): string[] {
  const waiting = [...run.openGates, ...[...run.tasks.keys()].map(waitOfTask)];
  for (const node of run.blockedSteps) if (!hasOpenGate(run, node)) waiting.push(node.plan.id);
  return waiting.sort();
}

function waitOfTask(step: string): string {
  return `${step}:task`;
}

function hasOpenGate(run: Run, node: StepNode): boolean {
  return run.openGates.has(`${node.plan.id}:blocked`) || run.openGates.has(`${node.plan.id}:unknown`);
}

/** 0..1: what passed or was skipped, by the estimates where all have one, else by number. Only a completed run has all of it. */
export function progressOf(run: Run): number {
  const { done, total } = run.weight;
  if (run.state.status === 'completed' || (run.unsettledSteps === 0 && done >= total)) return 1;
  return total === 0 ? 0 : Math.min(0.999, Math.round((done / total) * 1000) / 1000);
}

/** Why a step is as it is; of one that waits for an agent: whom for. */
export function stepReason(run: Run, node: StepNode): string | undefined {
  const until = node.run.state === 'deferred' ? run.state.timers[deferTimerId(node)]?.atMs : undefined;
  if (until !== undefined) return `${node.run.reason ?? 'deferred'}; it runs again at ${new Date(until).toISOString()}`;
  const asked = describeTasks(run, node.plan.id);
  if (node.run.undoing !== undefined || (node.run.state !== 'ready' && node.run.state !== 'running')) return asked ?? node.run.reason;
  const isFree = node.run.state === 'running' || run.state.busy?.keys.includes(node.agentKey) !== true;
  const why =
    findBusy(node) ??
    (isFree
      ? undefined
      : run.busy
          .get(node.agentKey)
          ?.flatMap((entry) => findBusy(entry.node) ?? [])
          .at(0));
  if (why !== undefined) return `waiting for an agent: ${why}`;
  const sub = node.run.state === 'running' ? currentSubStep(run, node) : undefined;
  const part = sub === undefined ? undefined : `${sub.part.name}, ${sub.at + 1} of ${sub.of}`;
  if (asked !== undefined) return part === undefined ? asked : `${part}: ${asked}`;
  return part ?? node.run.reason;
}

function findBusy({ run: step }: StepNode): string | undefined {
  return step.slots.find((slot) => slot.state === 'busy')?.why;
}

/** What a step waits for: its gate, the steps it still needs, its phase. */
export function stepWaitsFor(run: Run, node: StepNode): string[] {
  const { state } = node.run;
  const { id } = node.plan;
  if (run.tasks.has(id)) return [waitOfTask(id)];
  if (isSettled(state) || run.state.endedAtMs !== undefined) return [];
  const gates = [id, `${id}:start`, `${id}:blocked`, `${id}:unknown`].filter((gate) => run.openGates.has(gate));
  if (gates.length > 0) return gates;
  if (state === 'blocked')
    return node.plan.securityReviewers.filter((other) => !isSettled(run.index.byId.get(other)?.run.state ?? 'passed'));
  if (state !== 'pending') return [];
  const waiting = new Set<string>();
  for (const { step } of node.plan.dependsOn) if (!isSettled(run.index.byId.get(step)?.run.state ?? 'passed')) waiting.add(step);
  if (waiting.size === 0)
    for (const { phase } of node.plan.dependsOn)
      if (phase !== undefined && run.index.phaseById.get(phase)?.run.state !== 'passed') waiting.add(phase);
  if (waiting.size === 0 && !node.phase.open) {
    const before = run.index.phases.slice(0, node.phase.index).find((phase) => phase.run.state !== 'passed');
    if (before !== undefined) waiting.add(before.plan.id);
  }
  for (const [blocker, nodes] of run.waitingForStep) if (nodes.includes(node)) waiting.add(blocker);
  return [...waiting];
}
