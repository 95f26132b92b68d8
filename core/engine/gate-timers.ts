import type { Actor } from '../contract/local-activities';
import type { PlanApproval } from '../plan/types';
import { expandPeople, findDecisionMakers } from './approvers';
import { audit, cancelTimer, engineActor, realMs, realMsForPeople, startTimer, type Run } from './run';
import type { GateRunState } from './run-state';

const defaultEscalateAfterMs = 3_600_000;

/** Deadline and reminder of a gate that has opened. */
export function startGateTimers(run: Run, gate: GateRunState, approval: PlanApproval | undefined): void {
  // An override has no deadline: nothing is overridden because nobody answers.
  if (approval === undefined || gate.isOverride === true) {
    if (gate.isOverride !== true) return;
    const isUrgent = gate.kind === 'blocked' && run.index.byId.get(gate.step ?? '')?.plan.ifBlocked?.kind === 'escalate';
    if (isUrgent && escalateOverride(run, gate, { actor: engineActor, reason: 'if_blocked: escalate' })) return;
    remindAt(run, gate, run.now + escalateAfterMs(run, gate));
    return;
  }
  const timeoutMs = realMsForPeople(run, approval.timeoutMs, approval.timeoutIsExplicit);
  startDeadline(run, gate, timeoutMs);
  remindAt(run, gate, run.now + timeoutMs / 2);
}

function startDeadline(run: Run, gate: GateRunState, afterMs: number): void {
  const atMs = run.now + afterMs;
  // While deadlines stand still nobody knows when it will be.
  if (run.state.paused?.frozen === undefined) gate.deadlineMs = atMs;
  startTimer(run, timerId(gate, 'deadline'), { atMs, kind: 'gateDeadline', target: gate.id, summary: `deadline of ${gate.id}` });
}

function escalateAfterMs(run: Run, gate: GateRunState): number {
  const planMs = run.index.byId.get(gate.step ?? '')?.plan.escalateAfterMs ?? run.plan.escalateAfterMs;
  return planMs === undefined ? realMsForPeople(run, defaultEscalateAfterMs, false) : realMs(run, planMs);
}

function remindAt(run: Run, gate: GateRunState, atMs: number): void {
  startTimer(run, timerId(gate, 'reminder'), { atMs, kind: 'gateReminder', target: gate.id, summary: `reminder of ${gate.id}` });
}

/** Nobody has to be reminded any more. */
export function cancelGateTimers(run: Run, gate: GateRunState): void {
  cancelTimer(run, timerId(gate, 'deadline'));
  cancelTimer(run, timerId(gate, 'reminder'));
}

export interface EscalationLevel {
  /** Its place in the plan, from 0. */
  at: number;
  /** As the plan names them. */
  to: string[];
  people: string[];
  /** How long it lasts. Absent: as long as what is held back waits before it is escalated. */
  afterMs?: number;
}

/** The level that an approval comes to when its time is over. */
export function nextLevel(run: Run, gate: GateRunState): EscalationLevel | undefined {
  return findLevel(run, gate, gate.level);
}

/** A level of the plan; for what is held back the first are the decision-makers where the plan names none. */
function findLevel(run: Run, gate: GateRunState, at: number): EscalationLevel | undefined {
  const level = run.plan.escalation[at];
  if (level !== undefined) return { ...level, at, people: expandPeople(run.plan.approvers, level.to) };
  if (gate.isOverride !== true || at > 0) return undefined;
  const people = findDecisionMakers(run);
  return { at, to: people, people };
}

/** The next level of which somebody is not asked yet: one that adds nobody does not end the escalation. None where anyone may decide. */
function findLevelWithNewcomers(run: Run, gate: GateRunState): EscalationLevel | undefined {
  if (gate.approvers.length === 0) return undefined;
  for (let at = gate.level; ; at += 1) {
    const level = findLevel(run, gate, at);
    if (level === undefined || findNewcomers(gate, level).length > 0) return level;
  }
}

function findNewcomers({ approvers }: GateRunState, level: EscalationLevel): string[] {
  return level.people.filter((person) => !approvers.includes(person));
}

/**
 * What is held back is put before those of the next level too. False where nobody would be added. Silence never overrides: after the
 * last level the gate stays open.
 */
export function escalateOverride(run: Run, gate: GateRunState, why: { actor: Actor; reason: string }): boolean {
  const level = findLevelWithNewcomers(run, gate);
  if (level === undefined) return false;
  escalateGate(run, gate, { ...level, ...why });
  startLevelTimer(run, gate, level);
  return true;
}

/** Who `escalateNow` would ask. */
export function findNextDeciders(run: Run, gate: GateRunState): string[] {
  const level = findLevelWithNewcomers(run, gate);
  return level === undefined ? [] : findNewcomers(gate, level);
}

/** Asks the next level before its time: somebody wants it so. */
export function escalateNow(run: Run, gate: GateRunState, why: { actor: Actor; reason: string }): void {
  const level = findLevelWithNewcomers(run, gate);
  if (level === undefined) return;
  escalateGate(run, gate, { ...level, ...why });
  if (gate.isOverride === true || approvalOf(run, gate) !== undefined) startLevelTimer(run, gate, level);
}

/** How long the level has that the gate has come to. */
export function startLevelTimer(run: Run, gate: GateRunState, { afterMs }: EscalationLevel): void {
  cancelTimer(run, timerId(gate, 'reminder'));
  if (gate.isOverride === true) {
    remindAt(run, gate, run.now + (afterMs === undefined ? escalateAfterMs(run, gate) : realMs(run, afterMs)));
    return;
  }
  cancelTimer(run, timerId(gate, 'deadline'));
  startDeadline(run, gate, realMsForPeople(run, afterMs ?? defaultEscalateAfterMs, approvalOf(run, gate)?.timeoutIsExplicit ?? false));
}

/** Those of a level may vote too; earlier ones still may. */
export function escalateGate(
  run: Run,
  gate: GateRunState,
  { at, to, people, actor, reason }: EscalationLevel & { actor: Actor; reason: string },
): void {
  gate.level = at + 1;
  if (gate.approvers.length > 0) gate.approvers = [...new Set([...gate.approvers, ...people])];
  touchGate(run, gate);
  audit(run, {
    actor,
    action: 'gate.escalated',
    object: gate.id,
    generation: gate.generation,
    reason,
    details: { to },
  });
}

export function approvalOf(run: Run, gate: GateRunState): PlanApproval | undefined {
  if (gate.kind === 'phase') return run.index.phaseById.get(gate.phase ?? '')?.plan.approval;
  return gate.kind === 'approval' ? run.index.byId.get(gate.step ?? '')?.plan.approval : undefined;
}

export function touchGate(run: Run, gate: GateRunState): void {
  run.changes.gates.add(gate);
  run.changes.urgent = true;
  run.changes.run = true;
}

function timerId(gate: GateRunState, which: 'deadline' | 'reminder'): string {
  return `gate/${gate.id}#${gate.generation}/${which}`;
}

export function timerActor(id: string): Actor {
  return { kind: 'timer', id };
}
