import type { ExecutionData } from '../../../core/learning/expertise';
import { freeOf } from '../baseline/selection-policy';
import type { Contender, SelectionPolicy } from '../baseline/selection-policy';

/** What an agent would make of a task, were it chosen. */
export interface Prospect {
  agentId: string;
  succeeds: boolean;
  /** Its success rate on tasks of this type at this time: what regret is counted in. */
  rate: number;
}

export interface ReplayTask {
  taskType: string;
  atMs: number;
  durationMs: number;
  /** The agents that are there at this time. */
  prospects: Prospect[];
}

/** Tasks in the order in which they come. */
export interface World {
  tasks: ReplayTask[];
  /** Tasks that an agent can do at once. */
  capacity: number;
}

export interface ReplayResult {
  /** Σ (highest rate of those present − rate of the chosen one). The expectation, not the luck: pseudo-regret. */
  regret: number;
  succeeded: number;
  tasks: number;
  /** Share of the tasks that the busiest agent got. */
  largestShare: number;
}

/** Gives each task to whom the policy chooses. A task for which nobody is free waits for the first one who is. */
export function replay(world: World, policy: SelectionPolicy): ReplayResult {
  const running = new Map<string, number>();
  const given = new Map<string, number>();
  /** By their end. */
  const inFlight: ExecutionData[] = [];
  let nowMs = 0;
  let regret = 0;
  let succeeded = 0;

  const endFirst = (): void => {
    const ended = inFlight.shift();
    if (ended === undefined) throw new RangeError('nobody is free and nothing runs: a task without agents, or agents without capacity');
    nowMs = Math.max(nowMs, ended.finishedAtMs);
    running.set(ended.agentId, (running.get(ended.agentId) ?? 0) - 1);
    policy.learn(ended);
  };
  const contendersOf = ({ prospects }: ReplayTask): Contender[] =>
    prospects.map(({ agentId }) => ({ agentId, running: running.get(agentId) ?? 0, capacity: world.capacity }));

  for (const task of world.tasks) {
    nowMs = Math.max(nowMs, task.atMs);
    while ((inFlight[0]?.finishedAtMs ?? Infinity) <= nowMs) endFirst();
    let contenders = contendersOf(task);
    while (freeOf(contenders).length === 0) {
      endFirst();
      contenders = contendersOf(task);
    }
    const chosen = policy.choose(task.taskType, contenders, nowMs);
    const prospect = task.prospects.find(({ agentId }) => agentId === chosen);
    if (prospect === undefined) throw new RangeError(`${chosen} is not there`);
    regret += Math.max(...task.prospects.map(({ rate }) => rate)) - prospect.rate;
    if (prospect.succeeds) succeeded += 1;
    running.set(chosen, (running.get(chosen) ?? 0) + 1);
    given.set(chosen, (given.get(chosen) ?? 0) + 1);
    const outcome = prospect.succeeds ? ('success' as const) : ('failure' as const);
    const finishedAtMs = nowMs + task.durationMs;
    const place = inFlight.findLastIndex((other) => other.finishedAtMs <= finishedAtMs) + 1;
    inFlight.splice(place, 0, { agentId: chosen, taskType: task.taskType, outcome, finishedAtMs });
  }
  const tasks = world.tasks.length;
  return { regret, succeeded, tasks, largestShare: Math.max(0, ...given.values()) / Math.max(1, tasks) };
}
