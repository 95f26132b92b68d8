import type { Verdict } from '../../core/contract/states';
import type { PlanApproval, PlanPhase, PlanStep } from '../../core/plan/types';
import type { EffectOf, OutsideEvent, RunScript } from './run-script';
import { canHold, conditionHolds, findDependents, startOrder, type Voice } from './reference-rules';
import type { Condition } from '../../core/plan/condition';

/** What the reference model knows of a run at one moment: plain rows, nothing counted, nothing indexed. */
export interface World {
  script: RunScript;
  /** Which of two ready steps starts first. */
  inOrder: (a: Step, b: Step) => number;
  nowMs: number;
  steps: Step[];
  phases: Phase[];
  /** Every gate that was opened, the newest last. */
  gates: Gate[];
  /** Votes that came before their gate. */
  early: (Voice & { gate: string })[];
  /** Everything that was launched; what has no end yet is at work. */
  effects: Effect[];
  undos: Undo[];
  /** Ends of work so far. */
  ends: number;
  agenda: { atMs: number; event: OutsideEvent }[];
  decisions: string[];
  isPaused: boolean;
  /** When busy agents are asked for again, how long it is to be the next time, and the roles of which nobody is asked for until then. */
  askAgainMs?: number;
  busyDelayMs: number;
  busyRoles: Set<string>;
  /** Since when deadlines and reminders stand still, and for how long they did before. */
  frozenSinceMs?: number;
  frozenMs: number;
  ending?: { kind: 'fail' | 'cancel'; rollback: 'all' | 'production' | 'steps' | 'none'; steps?: string[] };
  status?: string;
}

export type Check = 'requires' | 'failure' | 'verdict' | 'gate' | 'security' | 'approval' | 'unknown';
export interface Report {
  isRisky?: boolean;
  verdict?: Verdict;
  coverage?: number;
  errors?: number;
}

export interface Slot {
  slot: number;
  assignment: number;
  /** Who has failed. */
  excluded: string[];
  agent?: string;
  state: 'wanted' | 'busy' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  report?: Report;
  /** A failure that has not been judged yet. */
  newFailure?: string;
}

export interface Step {
  plan: PlanStep;
  /** `reworking`: sent back, and not begun again. */
  state: 'pending' | 'reworking' | 'ready' | 'running' | 'waiting_approval' | 'blocked' | 'deferred' | (typeof settledStates)[number];
  generation: number;
  slots: Slot[];
  /** Some of its work has ended and was not judged yet. */
  hasNews: boolean;
  report?: Report;
  blockedBy?: Check;
  overridden: Check[];
  isApproved: boolean;
  isStarted: boolean;
  isSkippedByFailure: boolean;
  isHeldNoLonger: boolean;
  /** In a serial phase: its agents were asked for, and those after it wait, while it is ready. */
  holdsTurn: boolean;
  reworkRounds: number;
  deferredUntilMs?: number;
  /** Of a monitor between two samples. */
  nextSampleMs?: number;
  /** Of a deployment: the sub-step that is next, or runs, from 0. */
  part: number;
  /** Of a canary that waits. */
  nextPartMs?: number;
  /** Who did the sub-step before. */
  lastAgent?: string;
  /** It undoes itself, and what it becomes then. */
  undoing?: { becomes: 'failed' | 'skipped'; isFinal: boolean; holdsSlot: boolean; holdsTurn: boolean };
}

export interface Phase {
  plan: PlanPhase;
  state: 'unfinished' | 'passed' | 'failed';
  isOverridden: boolean;
  isApproved: boolean;
}

export interface Gate {
  id: string;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  step?: Step;
  phase?: Phase;
  generation: number;
  approval?: PlanApproval;
  isOverride: boolean;
  votes: Voice[];
  /** Who may vote, those of the levels it has come to included; empty: anyone. */
  approvers: string[];
  barred: string[];
  /** Levels of escalation so far. */
  level: number;
  /** Both by the clock of `gateClock`. */
  deadlineMs?: number | undefined;
  reminderMs?: number | undefined;
  decision?: 'approved' | 'rejected' | 'timed_out' | 'withdrawn';
  isCarriedOut: boolean;
}

export interface Effect extends EffectOf {
  action?: string | undefined;
  percent?: number | undefined;
  isSample: boolean;
  launchedAtMs: number;
  endsAtMs: number;
  end: 'success' | 'cancelled' | 'failed' | 'unknown' | 'not_runnable';
  report: Report;
  agent: string;
  hasEnded: boolean;
  isStopping: boolean;
}

export interface Undo extends Pick<Effect, 'step' | 'path' | 'generation' | 'slot' | 'assignment' | 'agent' | 'action' | 'percent'> {
  /** What it undoes: one effect, or all of a deployment. */
  effects: Effect[];
  /** The how-manieth end of work the last of them was; absent where nobody knows what that did. */
  place?: number | undefined;
  /** Its step undoes itself: that is done to the end, however the run ends. */
  isDue: boolean;
  /** Its agent was asked for in vain. */
  isBusy: boolean;
  state: 'registered' | 'dropped' | 'running' | 'done' | 'failed';
}

export const settledStates = ['passed', 'failed', 'skipped', 'cancelled', 'compensating', 'compensated', 'compensation_failed'] as const;

export function createWorld(script: RunScript): World {
  const order = startOrder(script.plan);
  return {
    script,
    inOrder: (a, b) => order(a.plan, b.plan),
    nowMs: 0,
    steps: script.plan.steps.map((plan) => ({
      plan,
      state: 'pending',
      generation: 1,
      slots: [],
      hasNews: false,
      overridden: [],
      isApproved: false,
      isStarted: false,
      isSkippedByFailure: false,
      isHeldNoLonger: false,
      holdsTurn: false,
      reworkRounds: 0,
      part: 0,
    })),
    phases: script.plan.phases.map((plan) => ({ plan, state: 'unfinished', isOverridden: false, isApproved: false })),
    gates: [],
    early: [],
    effects: [],
    undos: [],
    ends: 0,
    agenda: [],
    decisions: [],
    isPaused: false,
    busyDelayMs: 1_000,
    busyRoles: new Set(),
    frozenMs: 0,
  };
}

export function isSettled(step: Step): boolean {
  return (settledStates as readonly string[]).includes(step.state);
}

export function stepOf(world: World, id: string): Step {
  return world.steps.find((step) => step.plan.id === id)!;
}

export function atWork(world: World, step?: Step): Effect[] {
  return world.effects.filter((effect) => !effect.hasEnded && (step === undefined || effect.step === step.plan.id));
}

export function openGates(world: World, owner?: Step | Phase): Gate[] {
  return world.gates.filter((gate) => gate.decision === undefined && (owner === undefined || gate.step === owner || gate.phase === owner));
}

export function stepsOfPhase(world: World, phase: Phase): Step[] {
  return world.steps.filter((step) => step.plan.phase === phase.plan.id);
}

export function phaseOf(world: World, step: Step): Phase {
  return world.phases.find((phase) => phase.plan.id === step.plan.phase)!;
}

/** Behind a barrier, all phases before have passed. */
export function isOpen(world: World, phase: Phase): boolean {
  return !phase.plan.barrier || world.phases.slice(0, world.phases.indexOf(phase)).every((before) => before.state === 'passed');
}

/** All that a step depends on is settled, its phases have passed, its own phase is open, and nothing of an older generation runs or is still to be undone. */
export function mayStart(world: World, step: Step): boolean {
  return (
    (step.state === 'pending' || step.state === 'reworking') &&
    atWork(world, step).length === 0 &&
    !world.undos.some((undo) => undo.isDue && undo.state === 'registered' && undo.step === step.plan.id) &&
    isOpen(world, phaseOf(world, step)) &&
    step.plan.dependsOn.every(
      (dependency) =>
        isSettled(stepOf(world, dependency.step)) &&
        (dependency.phase === undefined || world.phases.find((phase) => phase.plan.id === dependency.phase)!.state === 'passed'),
    )
  );
}

/** An unsettled step that this one waits for, though it does not depend on it: one that can block it, or that it has sent back. */
export function findHolder(world: World, step: Step): Step | undefined {
  const { plan } = world.script;
  if (step.isHeldNoLonger) return undefined;
  const sentBack = step.reworkRounds === 0 ? [] : (step.plan.rework?.steps ?? []);
  const isSentBack = ({ id }: PlanStep): boolean =>
    sentBack.includes(id) && id !== step.plan.id && !findDependents(plan, [step.plan.id]).has(id);
  return world.steps.find((other) => !isSettled(other) && (isSentBack(other.plan) || canHold(plan, other.plan, step.plan)));
}

export function holds(world: World, condition: Condition, of: readonly Step[] = []): boolean {
  return conditionHolds(
    condition,
    {
      coverageOf: (id) => stepOf(world, id).report?.coverage,
      states: of.map((step) => step.state),
    },
    (id) => stepOf(world, id).state,
  );
}

/** Those that may get agents now, one after another: the first in order for which the run, its phase and its turn leave room. */
export function findNextToStart(world: World): Step | undefined {
  const { plan } = world.script;
  const isRunning = (step: Step): boolean => step.state === 'running';
  // A monitor takes its turn, but no slot.
  const takesSlot = (step: Step): boolean => isRunning(step) && step.plan.monitor === undefined && step.undoing?.holdsSlot !== false;
  const takesTurn = (step: Step): boolean =>
    (step.state === 'ready' && step.holdsTurn) ||
    (isRunning(step) && step.undoing?.holdsTurn !== false) ||
    (step.state === 'waiting_approval' && step.slots.length > 0);
  const hasRoom = (step: Step): boolean => {
    const phase = phaseOf(world, step);
    const mates = stepsOfPhase(world, phase);
    const needsSlot = step.plan.monitor === undefined;
    if (needsSlot && world.steps.filter(takesSlot).length >= plan.maxConcurrentSteps) return false;
    if (needsSlot && mates.filter(takesSlot).length >= (phase.plan.maxConcurrentSteps ?? Number.POSITIVE_INFINITY)) return false;
    // Serial: in file order, and a result that waits for approval keeps its turn.
    const first = mates.filter((mate) => mate.state === 'ready').sort((a, b) => a.plan.order - b.plan.order)[0];
    return !phase.plan.serial || step.holdsTurn || (!mates.some(takesTurn) && step === first);
  };
  return world.steps
    .filter((step) => step.state === 'ready' && !world.busyRoles.has(step.plan.role) && hasRoom(step))
    .sort(world.inOrder)
    .at(0);
}
