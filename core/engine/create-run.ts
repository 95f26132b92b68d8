import { engineVersion } from '../contract/engine-version';
import type { Plan } from '../plan/types';
import { applyEdits } from './plan-edits';
import { indexPlan, type StepNode } from './plan-index';
import { RankHeap } from './rank-heap';
import { countState, countUnmet, createChangeLog, waitsToStart, weightOf, type Run } from './run';
import { enqueueReady, keepsTurn, pushReady, releaseRunSlot, takeSlot } from './slots';
import { resumeStepUndos } from './step-undo';
import { isOnlyWithPeople, isTask } from './tasks';
import { isDone, isSettled } from './transitions';
import type { RunState } from './run-state';
import type { EngineOptions } from './types';

/** A run in memory, from its plan, or from its plan and what was saved of it. */
export function createRun(options: EngineOptions): Run {
  return indexRun(options, options.saved === undefined ? createState(options.plan) : adoptState(options.saved));
}

/** The same run, indexed anew after its plan was changed: nothing may be left in `work`. */
export function reindexRun(before: Run, options: EngineOptions): Run {
  const { changes, now, inbox, decisions, restored, tellLater, unverified, verifying, isDraining } = before;
  const run = indexRun(options, before.state);
  const steps = [...changes.steps].flatMap((node) => run.index.byId.get(node.plan.id) ?? []);
  Object.assign(run.changes, changes, { steps: new Set(steps) });
  Object.assign(run, { now, inbox, decisions, restored, tellLater, unverified, verifying, isDraining });
  return run;
}

function indexRun(options: EngineOptions, state: RunState): Run {
  const plan = applyEdits(options.plan, state.edits);
  const index = indexPlan(plan, options.historyEstimatesMs, {
    step: (id) => (state.steps[id] ??= { state: 'pending', generation: 1, slots: [] }),
    phase: (id) => (state.phases[id] ??= { state: 'pending', generation: 0 }),
  });
  const run: Run = {
    options,
    plan,
    state,
    index,
    now: options.startedAtMs,
    inbox: [],
    decisions: [],
    changes: createChangeLog(),
    work: { settled: [], judge: [], start: [], end: [], gates: [], phases: new Set(), withdrawn: [] },
    ready: new RankHeap(),
    readyMonitors: new RankHeap(),
    wanting: new Set(),
    serialToOffer: new Set(),
    busy: new Map(),
    waitingForStep: new Map(),
    slotsInUse: 0,
    unsettledSteps: 0,
    unsettledWithoutAsync: 0,
    unpassedPhases: 0,
    counts: { moving: 0, held: 0, deferred: 0 },
    weight: { total: 0, done: 0, byEstimate: index.steps.every((node) => node.estimateIsKnown || node.plan.monitor !== undefined) },
    openGates: new Set(),
    tasks: new Map(),
    blockedSteps: new Set(),
    version: options.version ?? engineVersion,
    undoing: new Set(),
    outdated: undefined,
    isDraining: false,
    unverified: [],
    restored: options.saved !== undefined,
  };
  countAll(run);
  return run;
}

function createState(plan: Plan): RunState {
  return {
    schemaVersion: 1,
    status: 'created',
    phase: plan.phases[0]?.id ?? null,
    steps: withoutPrototype({}),
    phases: withoutPrototype({}),
    gates: withoutPrototype({}),
    compensations: [],
    inFlight: withoutPrototype({}),
    timers: withoutPrototype({}),
    alerts: [],
    alertCount: 0,
    ignoredSignals: 0,
    sequence: 0,
  };
}

function adoptState(saved: RunState): RunState {
  return {
    ...saved,
    steps: withoutPrototype(saved.steps),
    phases: withoutPrototype(saved.phases),
    gates: withoutPrototype(saved.gates),
    inFlight: withoutPrototype(saved.inFlight),
    timers: withoutPrototype(saved.timers),
  };
}

/** Ids may be names of Object.prototype's properties. */
function withoutPrototype<T>(record: Record<string, T>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, record);
}

/** Every counter from the state, from nothing: O(steps + dependencies). */
function countAll(run: Run): void {
  const { state, index } = run;
  for (const flight of Object.values(state.inFlight)) {
    const node = index.byId.get(flight.step);
    if (node !== undefined) node.inFlight += 1;
    if (isTask(flight)) run.tasks.set(flight.step, [...(run.tasks.get(flight.step) ?? []), flight]);
  }
  let allBefore = true;
  for (const phase of index.phases) {
    phase.open = !phase.plan.barrier || allBefore;
    if (phase.run.state !== 'passed') {
      allBefore = false;
      run.unpassedPhases += 1;
    }
  }
  for (const node of index.steps) {
    const { phase } = node;
    const { state: stepState } = node.run;
    run.weight.total += weightOf(run, node);
    if (isDone(stepState)) run.weight.done += weightOf(run, node);
    if (!isSettled(stepState)) {
      run.unsettledSteps += 1;
      if (!node.plan.async) {
        run.unsettledWithoutAsync += 1;
        phase.unsettled += 1;
      }
    }
    countState(run, node, 1);
    if (stepState === 'blocked') run.blockedSteps.add(node);
    if (waitsToStart(node)) node.unmet = countUnmet(run, node);
    const isInWork = stepState === 'assigned' || stepState === 'running';
    if (isInWork && node.run.slots.some((slot) => slot.state === 'wanted' || slot.state === 'busy')) run.wanting.add(node);
    const { withoutSlot } = node.run.undoing ?? {};
    if (withoutSlot !== undefined) {
      if (withoutSlot.keepsTurn) phase.inTurn.add(node);
    } else if (isInWork || node.run.slots.some((slot) => slot.state === 'requested')) resumeWork(run, node);
    else if (stepState === 'ready' && node.run.slots.some((slot) => slot.state === 'busy')) resumeAsking(run, node);
    else if (stepState === 'ready') enqueueReady(run, node);
    if (keepsTurn(node, stepState)) node.phase.inTurn.add(node);
  }
  resumeStepUndos(run);
  for (const gate of Object.values(state.gates)) if (gate.state === 'open') run.openGates.add(gate.id);
}

/** It has its slot, or, where only people work on it, its turn in a serial phase. */
function resumeWork(run: Run, node: StepNode): void {
  takeSlot(run, node);
  if (isOnlyWithPeople(run, node)) releaseRunSlot(run, node);
}

/** Its agents were busy when it was asked for: it keeps its turn, and `state.busy` says for how long it waits. */
function resumeAsking(run: Run, node: StepNode): void {
  if (node.phase.plan.serial) node.phase.inTurn.add(node);
  pushReady(run, node);
}
