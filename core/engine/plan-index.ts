import type { Plan, PlanDependency, PlanPhase, PlanStep } from '../plan/types';
import { RankHeap } from './rank-heap';
import type { PhaseRunState, StepRunState } from './run-state';

/** A step with what is derived from the plan (fixed) and from the state (counters): never saved. */
export interface StepNode {
  readonly index: number;
  readonly plan: PlanStep;
  readonly phase: PhaseNode;
  readonly dependents: StepNode[];
  /** Place in the order in which ready steps start: priority, longest remaining path, file order. */
  readonly rank: number;
  readonly estimateMs: number;
  /** False where nobody knows: the estimate is then a constant. */
  readonly estimateIsKnown: boolean;
  /** Longest way to the end of the plan, itself included. */
  readonly pathMs: number;
  /** What answers "busy" for one step answers it for all with the same key. */
  agentKey: string;
  run: StepRunState;
  /** Unsettled dependencies, phases it depends on that have not passed, and 1 while its own phase is closed. */
  unmet: number;
  /** Effects of it that run, those of older generations included. */
  inFlight: number;
  holdsSlot: boolean;
  /** Counts the places where it was put to wait for a slot: only the newest is true. */
  ticket: number;
}

/** A ready step in one of the places where it may wait; void as soon as it is put into another, or starts. */
export interface ReadyEntry {
  readonly rank: number;
  readonly node: StepNode;
  readonly ticket: number;
}

export interface PhaseNode {
  readonly index: number;
  readonly plan: PlanPhase;
  readonly steps: StepNode[];
  /** Steps that depend on the phase as a whole, its gate included. */
  readonly dependents: StepNode[];
  run: PhaseRunState;
  open: boolean;
  /** Steps that the phase waits for: unsettled and not `async`. */
  unsettled: number;
  /** Steps that are neither pending nor settled. */
  active: number;
  slotsInUse: number;
  /** Of a serial phase: the steps in work (one, but for those that came back from being blocked), and the one that may start next. */
  readonly inTurn: Set<StepNode>;
  offered: StepNode | undefined;
  /** Ready steps of a serial phase, in file order. */
  readonly serialReady: RankHeap<ReadyEntry>;
  /** Ready steps that found the phase full. */
  readonly parked: ReadyEntry[];
}

export interface PlanIndex {
  readonly steps: StepNode[];
  readonly byId: Map<string, StepNode>;
  readonly phases: PhaseNode[];
  readonly phaseById: Map<string, PhaseNode>;
  readonly blockersOfMerge: StepNode[];
  readonly blockersOfDeployment: StepNode[];
}

/** What a step counts with when neither history, nor the file, nor its phase says how long it takes. */
const unknownEstimateMs = 15 * 60_000;
const priorities = { critical: 0, high: 1, normal: 2, low: 3 };

/** Builds the index of a plan: O(steps + dependencies), once. The steps of a plan stand in topological order. */
export function indexPlan(
  plan: Plan,
  historyEstimatesMs: Record<string, number>,
  stateOf: { step: (id: string) => StepRunState; phase: (id: string) => PhaseRunState },
): PlanIndex {
  const phases = plan.phases.map((phase, index) => createPhaseNode(phase, index, stateOf.phase(phase.id)));
  const phaseById = new Map(phases.map((phase) => [phase.plan.id, phase]));
  const position = new Map(plan.steps.map((step, index) => [step.id, index]));
  const dependencyIndexes = plan.steps.map((step) => uniqueDependencies(step, position));
  const estimates = estimateSteps(plan, historyEstimatesMs, dependencyIndexes);
  const paths = longestPaths(dependencyIndexes, estimates);
  const ranks = rankSteps(plan, paths);

  const steps = plan.steps.map((step, index): StepNode => {
    const phase = phaseById.get(step.phase);
    if (phase === undefined) throw new Error(`Internal error: step ${step.id} is of the unknown phase ${step.phase}`);
    const estimate = estimates[index] as Estimate;
    const stepRun = stateOf.step(step.id);
    const node: StepNode = {
      index,
      plan: step,
      phase,
      dependents: [],
      rank: ranks[index] as number,
      estimateMs: estimate.ms,
      estimateIsKnown: estimate.isKnown,
      pathMs: paths[index] as number,
      agentKey: agentKeyOf(step, stepRun.agentId),
      run: stepRun,
      unmet: 0,
      inFlight: 0,
      holdsSlot: false,
      ticket: 0,
    };
    phase.steps.push(node);
    return node;
  });
  steps.forEach((node, index) => {
    for (const dependency of dependencyIndexes[index] as number[]) (steps[dependency] as StepNode).dependents.push(node);
    for (const phaseId of phasesDependedOn(node.plan)) {
      const phase = phaseById.get(phaseId);
      if (phase === undefined) throw new Error(`Internal error: step ${node.plan.id} depends on the unknown phase ${phaseId}`);
      phase.dependents.push(node);
    }
  });
  return {
    steps,
    byId: new Map(steps.map((node) => [node.plan.id, node])),
    phases,
    phaseById,
    blockersOfMerge: steps.filter((node) => node.plan.canBlockMerge),
    blockersOfDeployment: steps.filter((node) => node.plan.canBlockDeployment),
  };
}

export function agentKeyOf(step: PlanStep, agentId = step.agentId): string {
  return agentId === undefined ? [step.role, ...step.skills].join(' ') : `=${agentId}`;
}

export function phasesDependedOn(step: PlanStep): Set<string> {
  const phases = new Set<string>();
  for (const dependency of step.dependsOn) if (dependency.phase !== undefined) phases.add(dependency.phase);
  return phases;
}

/** The steps it depends on, each once. */
export function dependencyIds(dependencies: readonly PlanDependency[]): Set<string> {
  return new Set(dependencies.map((dependency) => dependency.step));
}

/** All steps that rest on `start`, by dependency, transitively; `start` itself is not among them unless others lead to it. */
export function findDescendants(start: readonly StepNode[]): Set<StepNode> {
  const found = new Set<StepNode>();
  const open = [...start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const dependent of node.dependents) {
      if (found.has(dependent)) continue;
      found.add(dependent);
      open.push(dependent);
    }
  }
  return found;
}

function createPhaseNode(plan: PlanPhase, index: number, run: PhaseRunState): PhaseNode {
  return {
    index,
    plan,
    steps: [],
    dependents: [],
    run,
    open: false,
    unsettled: 0,
    active: 0,
    slotsInUse: 0,
    inTurn: new Set(),
    offered: undefined,
    serialReady: new RankHeap(),
    parked: [],
  };
}

function uniqueDependencies(step: PlanStep, position: Map<string, number>): number[] {
  const indexes: number[] = [];
  for (const id of dependencyIds(step.dependsOn)) {
    const index = position.get(id);
    if (index === undefined) throw new Error(`Internal error: step ${step.id} depends on the unknown step ${id}`);
    indexes.push(index);
  }
  return indexes;
}

interface Estimate {
  ms: number;
  isKnown: boolean;
}

/** History, else the file, else the monitor's duration, else the phase's planned hours over its longest chain, else a constant. */
function estimateSteps(plan: Plan, historyEstimatesMs: Record<string, number>, dependencies: number[][]): Estimate[] {
  const chainOfPhase = new Map<string, number>();
  const depths: number[] = [];
  plan.steps.forEach((step, index) => {
    let depth = 1;
    for (const dependency of dependencies[index] as number[]) {
      if (plan.steps[dependency]?.phase === step.phase) depth = Math.max(depth, (depths[dependency] ?? 0) + 1);
    }
    depths.push(depth);
    chainOfPhase.set(step.phase, Math.max(depth, chainOfPhase.get(step.phase) ?? 0));
  });
  const plannedMs = new Map(plan.phases.map((phase) => [phase.id, phase.plannedMs]));
  return plan.steps.map((step) => {
    const history = Object.hasOwn(historyEstimatesMs, step.id) ? historyEstimatesMs[step.id] : undefined;
    const known = step.monitor?.durationMs ?? history ?? step.estimateMs;
    if (known !== undefined) return { ms: known, isKnown: true };
    const phaseMs = plannedMs.get(step.phase);
    if (phaseMs !== undefined) return { ms: phaseMs / (chainOfPhase.get(step.phase) ?? 1), isKnown: true };
    return { ms: unknownEstimateMs, isKnown: false };
  });
}

function longestPaths(dependencies: number[][], estimates: Estimate[]): number[] {
  const paths = estimates.map((estimate) => estimate.ms);
  for (let index = paths.length - 1; index >= 0; index -= 1) {
    for (const dependency of dependencies[index] as number[]) {
      const through = (estimates[dependency] as Estimate).ms + (paths[index] as number);
      if (through > (paths[dependency] as number)) paths[dependency] = through;
    }
  }
  return paths;
}

function rankSteps(plan: Plan, paths: number[]): number[] {
  const order = plan.steps.map((_, index) => index);
  order.sort((a, b) => {
    const left = plan.steps[a] as PlanStep;
    const right = plan.steps[b] as PlanStep;
    return (
      priorities[left.priority] - priorities[right.priority] ||
      (paths[b] as number) - (paths[a] as number) ||
      left.order - right.order ||
      a - b
    );
  });
  const ranks = new Array<number>(order.length);
  order.forEach((index, rank) => (ranks[index] = rank));
  return ranks;
}
