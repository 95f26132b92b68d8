import type { ExecutionData } from '../../../core/learning/expertise';

/** An agent that could do a task, as a policy sees it. */
export interface Contender {
  agentId: string;
  /** Tasks it is doing now. */
  running: number;
  /** Tasks it can do at once. */
  capacity: number;
}

/** One team's memory and rule. It hears of an outcome when the task has ended, not when it is given. */
export interface SelectionPolicy {
  /** The id of one of `contenders` with a free slot; there is at least one. */
  choose(taskType: string, contenders: readonly Contender[], atMs: number): string;
  learn(outcome: ExecutionData): void;
}

/** Begins without memory. `draw` gives numbers in [0, 1). */
export type StartPolicy = (draw: () => number) => SelectionPolicy;

export function freeOf(contenders: readonly Contender[]): Contender[] {
  return contenders.filter(({ running, capacity }) => running < capacity);
}

/** The contender of the highest value, the first of equals. */
export function bestOf(contenders: readonly Contender[], valueOf: (contender: Contender) => number): string {
  let best: string | undefined;
  let bestValue = -Infinity;
  for (const contender of contenders) {
    const value = valueOf(contender);
    if (best !== undefined && !(value > bestValue)) continue;
    best = contender.agentId;
    bestValue = value;
  }
  if (best === undefined) throw new RangeError('nobody to choose from');
  return best;
}
