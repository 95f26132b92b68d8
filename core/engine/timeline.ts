import type { StepNode } from './plan-index';
import { RankHeap } from './rank-heap';
import type { Run } from './run';
import { isSettled } from './transitions';

/** Lengths from the start of the run, in plan time (real time × time scale): comparable with `plannedMs`. */
export interface Projection {
  plannedMs: number | null;
  elapsedMs: number;
  /** Projected total; null while nobody knows how long what remains takes. */
  etaP50: number | null;
  etaP90: number | null;
}

/** How far a step's duration strays from its estimate (standard deviation as a share of it): a monitor's does not. */
const spread = 0.3;
/** 90 % of a normal distribution lies below the mean + this many standard deviations. */
const p90Deviations = 1.2816;

export function projectTimeline(run: Run, nowMs: number): Projection {
  const elapsedMs = planElapsedMs(run, run.options.startedAtMs, run.state.endedAtMs ?? nowMs);
  const plannedMs = findPlannedMs(run);
  if (run.state.endedAtMs !== undefined) return { plannedMs, elapsedMs, etaP50: elapsedMs, etaP90: elapsedMs };
  const guessMs = meanDurationMs(run);
  const remaining = run.index.steps.filter((node) => !isSettled(node.run.state));
  if (run.state.ending !== undefined || (guessMs === undefined && remaining.some((node) => !node.estimateIsKnown))) {
    return { plannedMs, elapsedMs, etaP50: null, etaP90: null };
  }
  const { ms, variance } = scheduleRemainder(run, remaining, { nowMs, guessMs: guessMs ?? 0 });
  return {
    plannedMs,
    elapsedMs,
    etaP50: Math.round(elapsedMs + ms),
    etaP90: Math.round(elapsedMs + ms + p90Deviations * Math.sqrt(variance)),
  };
}

/** Real time between two moments, as plan time. */
export function planElapsedMs(run: Run, fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs) * run.options.timeScale;
}

function findPlannedMs(run: Run): number | null {
  if (run.plan.plannedMs !== undefined) return run.plan.plannedMs;
  const phases = run.plan.phases.map((phase) => phase.plannedMs);
  if (phases.length > 0 && phases.every((ms) => ms !== undefined)) return phases.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  if (!run.index.steps.every((node) => node.estimateIsKnown)) return null;
  return run.index.steps.reduce((longest, node) => Math.max(longest, node.pathMs), 0);
}

/** What the finished steps of this run took on average: the guess for those of which nothing is known. */
function meanDurationMs(run: Run): number | undefined {
  let sum = 0;
  let n = 0;
  for (const { plan, run: step } of run.index.steps) {
    if (step.state !== 'passed' || plan.monitor !== undefined || step.startedAtMs === undefined || step.endedAtMs === undefined) continue;
    sum += planElapsedMs(run, step.startedAtMs, step.endedAtMs);
    n += 1;
  }
  return n === 0 ? undefined : sum / n;
}

interface Running {
  /** When it ends, from now on: what the heap orders by. */
  rank: number;
  /** Of the chain of steps that leads to its end. */
  variance: number;
  node: StepNode;
}

/**
 * List scheduling of what remains, under the run's limit and behind its phases, in the order in which the engine starts ready steps;
 * people are taken to answer at once. The variance is that of the chain that ends last.
 */
function scheduleRemainder(
  run: Run,
  remaining: StepNode[],
  { nowMs, guessMs }: { nowMs: number; guessMs: number },
): { ms: number; variance: number } {
  const unmet = new Map<StepNode, number>();
  const left = run.index.phases.map(() => 0);
  const opened = run.index.phases.map((phase) => phase.open);
  for (const node of remaining) {
    const before = new Set(node.plan.dependsOn.map(({ step }) => step));
    const unsettled = [...before].filter((id) => !isSettled(run.index.byId.get(id)?.run.state ?? 'passed')).length;
    unmet.set(node, unsettled + (node.phase.open ? 0 : 1));
    if (!node.plan.async) left[node.phase.index] = (left[node.phase.index] ?? 0) + 1;
  }
  const ready = new RankHeap<StepNode>();
  const running = new RankHeap<Running>();
  let slots = run.plan.maxConcurrentSteps;
  let clock = { ms: 0, variance: 0 };
  const start = (node: StepNode): void => {
    const ms = remainingMs(run, node, { nowMs, guessMs });
    const isMonitor = node.plan.monitor !== undefined;
    if (!isMonitor) slots -= 1;
    running.push({ rank: clock.ms + ms, variance: clock.variance + (isMonitor ? 0 : (spread * ms) ** 2), node });
  };
  const meet = (node: StepNode): void => {
    const count = unmet.get(node);
    if (count === undefined || count === 0) return;
    unmet.set(node, count - 1);
    if (count === 1) ready.push(node);
  };
  for (const node of remaining) {
    if (node.holdsSlot) start(node);
    else if (unmet.get(node) === 0) ready.push(node);
  }
  for (;;) {
    while (ready.size > 0 && slots > 0) start(ready.pop() as StepNode);
    const next = running.pop();
    if (next === undefined) return clock;
    clock = { ms: next.rank, variance: next.variance };
    if (next.node.plan.monitor === undefined) slots += 1;
    for (const dependent of next.node.dependents) meet(dependent);
    if (next.node.plan.async) continue;
    left[next.node.phase.index] = (left[next.node.phase.index] ?? 0) - 1;
    for (const phase of run.index.phases) {
      if (opened[phase.index] !== true) {
        opened[phase.index] = true;
        for (const node of phase.steps) meet(node);
      }
      if ((left[phase.index] ?? 0) > 0) break;
    }
  }
}

function remainingMs(run: Run, node: StepNode, { nowMs, guessMs }: { nowMs: number; guessMs: number }): number {
  const { state, startedAtMs, slots } = node.run;
  const estimateMs = node.estimateIsKnown ? node.estimateMs : guessMs;
  // Its work is done, only people are waited for.
  if ((state === 'waiting_approval' || state === 'blocked') && slots.length > 0) return 0;
  if (state !== 'running' || startedAtMs === undefined) return estimateMs;
  return Math.max(0, estimateMs - planElapsedMs(run, startedAtMs, nowMs));
}
