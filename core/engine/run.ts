import type { AdjustVerdict } from '../contract/adjustments';
import { activityIdOf, type EffectKey } from '../contract/ids';
import type { Actor, AlertRecord, AuditEntry, EffectEnd, EffectRef, VoteRecord } from '../contract/local-activities';
import type { Plan } from '../plan/types';
import { dependencyIds, phasesDependedOn, type PhaseNode, type PlanIndex, type ReadyEntry, type StepNode } from './plan-index';
import type { RankHeap } from './rank-heap';
import { isSettled } from './transitions';
import type { GateRunState, OpenTask, RunState, SlotRunState, TimerRunState } from './run-state';
import type { Decision, EngineEvent, EngineOptions, PersonalEvent } from './types';

/** A run in memory: plan and state, the indexes over them, and what has been decided since the last `decide`. */
export interface Run {
  readonly options: EngineOptions;
  readonly plan: Plan;
  readonly state: RunState;
  readonly index: PlanIndex;
  /** Time of the `decide` that is under way. */
  now: number;
  /** Events since the last `decide`. */
  inbox: EngineEvent[];
  decisions: Decision[];
  readonly changes: ChangeLog;
  readonly work: Work;
  /** Ready steps without a slot; monitors, which need none, apart. */
  readonly ready: RankHeap<ReadyEntry>;
  readonly readyMonitors: RankHeap<ReadyEntry>;
  /** Steps in work that want another agent for a slot of theirs. */
  readonly wanting: Set<StepNode>;
  readonly serialToOffer: Set<PhaseNode>;
  /** Ready steps whose agents all were busy, by agent key. */
  readonly busy: Map<string, ReadyEntry[]>;
  /** Steps whose end check waits for the end of another step. */
  readonly waitingForStep: Map<string, StepNode[]>;
  slotsInUse: number;
  unsettledSteps: number;
  unsettledWithoutAsync: number;
  unpassedPhases: number;
  /** Steps in each of the states that decide the run's status. */
  readonly counts: { moving: number; held: number; deferred: number };
  readonly weight: { total: number; done: number; byEstimate: boolean };
  readonly openGates: Set<string>;
  /** What people are asked to do, by step. */
  readonly tasks: Map<string, OpenTask[]>;
  readonly blockedSteps: Set<StepNode>;
  /** The rules that it follows. */
  readonly version: number;
  /** Steps that undo themselves and are to ask for an agent for the next part. */
  readonly undoing: Set<StepNode>;
  /** The plan has changed: the indexes are built anew, from these, before the next event. */
  outdated: EngineOptions | undefined;
  isDraining: boolean;
  /** Who is told which agents were added, or steps edited. Not part of the state: while somebody waits, the run does not continue as new. */
  tellLater?: (verdict: AdjustVerdict) => void;
  /** What is signed and waits to be verified, and what is being verified. Not part of the state, as above. */
  unverified: PersonalEvent[];
  verifying?: PersonalEvent[];
  /** Until the first `decide` after a restore, which starts the saved timers again. */
  restored: boolean;
}

/** What happened since the last `takeChanges`. */
export interface ChangeLog {
  urgent: boolean;
  steps: Set<StepNode>;
  gates: Set<GateRunState>;
  /** By id. */
  tasks: Map<string, { flight: OpenTask; isOpen: boolean }>;
  votes: VoteRecord[];
  alerts: AlertRecord[];
  audit: AuditEntry[];
  ends: EffectEnd[];
  run: boolean;
}

/** What one thing sets going in another: drained before anything is decided. */
export interface Work {
  settled: StepNode[];
  /** Steps of which an agent's work has ended. */
  judge: StepNode[];
  start: StepNode[];
  end: StepNode[];
  gates: string[];
  phases: Set<PhaseNode>;
  /** Tasks of people that nobody wants any more: they end like an activity that is cancelled, after all that follows from their cause. */
  withdrawn: { id: string; reason: string }[];
}

export const engineActor: Actor = { kind: 'engine', id: 'vapora' };

export function createChangeLog(): ChangeLog {
  return { urgent: false, steps: new Set(), gates: new Set(), tasks: new Map(), votes: [], alerts: [], audit: [], ends: [], run: false };
}

/** Unsettled dependencies + unpassed phases it depends on + 1 while its own phase is closed. */
export function countUnmet(run: Run, node: StepNode): number {
  let unmet = node.phase.open ? 0 : 1;
  for (const id of dependencyIds(node.plan.dependsOn)) if (!isSettled(findStep(run, id).run.state)) unmet += 1;
  for (const id of phasesDependedOn(node.plan)) if (run.index.phaseById.get(id)?.run.state !== 'passed') unmet += 1;
  return unmet;
}

/**
 * A step for which `unmet` counts: not started, whatever else it waits for, be it an agent. One that is deferred counts anew when its time
 * has come.
 */
export function waitsToStart({ run: { state, slots } }: StepNode): boolean {
  return slots.every(isUntouched) && !isSettled(state) && state !== 'deferred';
}

/** Nobody had it yet. */
function isUntouched({ state, assignment, agent }: SlotRunState): boolean {
  return assignment === 1 && agent === undefined && (state === 'wanted' || state === 'requested' || state === 'busy');
}

export function findStep(run: Run, id: string): StepNode {
  const node = run.index.byId.get(id);
  if (node === undefined) throw new Error(`Internal error: no step ${id} in the plan`);
  return node;
}

/** Counts a step in, or out of, the numbers that decide the run's status. */
export function countState(run: Run, node: StepNode, by: 1 | -1): void {
  const { state } = node.run;
  if (state === 'pending' || isSettled(state)) return;
  node.phase.active += by;
  if (state === 'waiting_approval' || state === 'blocked') run.counts.held += by;
  else if (state === 'deferred') run.counts.deferred += by;
  else run.counts.moving += by;
}

/** What a step counts with in the progress. */
export function weightOf(run: Run, node: StepNode): number {
  return run.weight.byEstimate ? node.estimateMs : 1;
}

/** More agents, or another plan, are on their way: nobody is assigned until they have come. */
export function isBeingChanged({ state: { adding, editing } }: Run): boolean {
  return adding !== undefined || editing !== undefined;
}

// --- gates ----------------------------------------------------------------------------------------------------------

/** In an order that a run which was saved and goes on has too; earlier runs keep theirs. */
export function openGateIds(run: Run): string[] {
  const ids = [...run.openGates];
  return run.version >= 4 ? ids.sort() : ids;
}

// --- effects --------------------------------------------------------------------------------------------------------

export function effectId(effect: Omit<EffectKey, 'rootRunId'>): string {
  return activityIdOf(effect);
}

/** Asks the driver to cancel what runs; the end still has to come. A task of a person ends by itself. */
export function cancelEffects(run: Run, node: StepNode, reason: string, only?: (effect: EffectRef) => boolean): void {
  if (node.inFlight === 0) return;
  for (const flight of Object.values(run.state.inFlight)) {
    if (flight.step !== node.plan.id || flight.kind === 'undo' || flight.cancelling === true) continue;
    if (only !== undefined && !only(flight.effect)) continue;
    flight.cancelling = true;
    if (flight.task !== undefined) run.work.withdrawn.push({ id: effectId(flight.effect), reason });
    else run.decisions.push({ type: 'cancelEffect', effect: flight.effect, reason });
  }
}

// --- timers and time ------------------------------------------------------------------------------------------------

/** A timer by its id. While the run is paused with `freeze`, one of a gate or a task does not run: what is left of it is kept. */
export function startTimer(run: Run, id: string, timer: TimerRunState): void {
  const frozen = run.state.paused?.frozen;
  if (frozen !== undefined && isPeoplesTimer(timer)) {
    frozen[id] = { leftMs: Math.max(0, timer.atMs - run.now), timer };
    return;
  }
  run.state.timers[id] = timer;
  run.decisions.push({ type: 'startTimer', id, atMs: timer.atMs, summary: timer.summary });
}

/** It counts the time that people have. */
export function isPeoplesTimer({ kind }: TimerRunState): boolean {
  return kind === 'gateDeadline' || kind === 'gateReminder' || kind === 'taskDeadline' || kind === 'taskReminder';
}

export function cancelTimer(run: Run, id: string): void {
  if (run.state.paused?.frozen !== undefined) delete run.state.paused.frozen[id];
  if (run.state.timers[id] === undefined) return;
  delete run.state.timers[id];
  run.decisions.push({ type: 'cancelTimer', id });
}

/** Plan time → real time. */
export function realMs(run: Run, planMs: number): number {
  return planMs / run.options.timeScale;
}

/** Time for a person: the scale never makes it shorter than ten real minutes (or the plan's own time, if that is shorter). */
export function realMsForPeople(run: Run, planMs: number, isExplicit: boolean): number {
  const scaled = realMs(run, planMs);
  return isExplicit ? scaled : Math.max(scaled, Math.min(planMs, 10 * 60_000));
}

// --- audit ----------------------------------------------------------------------------------------------------------

export function audit(run: Run, entry: Omit<AuditEntry, 'atMs'>): void {
  run.changes.audit.push({ atMs: run.now, ...entry });
}
