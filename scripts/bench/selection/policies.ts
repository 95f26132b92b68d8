import { computeExpertise, dayMs, type ExecutionData, historyDays, newestExecutions } from '../../../core/learning/expertise';
import { addTaskTypeExpertise, createLearningProfile, type LearningProfile } from '../../../core/learning/profile';
import { rankCandidates } from '../../../core/learning/scoring';
import { bestOf, freeOf } from '../baseline/selection-policy';
import type { StartPolicy } from '../baseline/selection-policy';

export const random: StartPolicy = (draw) => ({
  choose: (_, contenders) => {
    const free = freeOf(contenders);
    return free[Math.floor(draw() * free.length)]?.agentId ?? '';
  },
  learn: () => undefined,
});

/** The least loaded; of equals the one that was given a task the longest ago, so that idle agents take turns. */
export const loadOnly: StartPolicy = () => {
  const lastTurns = new Map<string, number>();
  let turn = 0;
  return {
    choose: (_, contenders) => {
      const free = freeOf(contenders);
      const least = Math.min(...free.map(({ running, capacity }) => running / capacity));
      const chosen = bestOf(
        free.filter(({ running, capacity }) => running / capacity === least),
        ({ agentId }) => -(lastTurns.get(agentId) ?? -1),
      );
      lastTurns.set(chosen, (turn += 1));
      return chosen;
    },
    learn: () => undefined,
  };
};

/** vapora's own: `core/learning` ranks, and the first that is free gets the task, as `assignTask` does it. */
export function documented(policy: 'exploit' | 'explore'): StartPolicy {
  return () => {
    const histories = new Map<string, History>();
    const lastAssignedAtMs = new Map<string, number>();
    return {
      choose: (taskType, contenders, atMs) => {
        const candidates = contenders.map((contender) => ({
          ...contender,
          profile: histories.get(contender.agentId)?.profileFor(taskType, atMs) ?? createLearningProfile(contender.agentId),
          lastAssignedAtMs: lastAssignedAtMs.get(contender.agentId) ?? null,
        }));
        const ranked = rankCandidates(candidates, taskType, { policy, recency: true });
        const chosen = ranked.find(({ running, capacity }) => running < capacity)?.agentId ?? '';
        lastAssignedAtMs.set(chosen, atMs);
        return chosen;
      },
      learn: (outcome) => {
        const history = histories.get(outcome.agentId) ?? new History(outcome.agentId);
        histories.set(outcome.agentId, history.add(outcome));
      },
    };
  };
}

/** The same policy, for which all tasks are of one type. */
export function blindToTypes(start: StartPolicy): StartPolicy {
  return (draw) => {
    const policy = start(draw);
    return {
      choose: (_, contenders, atMs) => policy.choose('any', contenders, atMs),
      learn: (outcome) => policy.learn({ ...outcome, taskType: 'any' }),
    };
  };
}

/**
 * One agent's executions, of which only those are kept that a profile is made of. `updateProfileWithLearning` from all of them gives
 * the same, but computes every task type anew for each task.
 */
export class History {
  readonly #agentId: string;
  readonly #byTaskType = new Map<string, ExecutionData[]>();
  readonly #newest: ExecutionData[] = [];

  constructor(agentId: string) {
    this.#agentId = agentId;
  }

  /** Outcomes come in the order of their ends. */
  add(row: ExecutionData): this {
    const rows = this.#byTaskType.get(row.taskType) ?? [];
    this.#byTaskType.set(row.taskType, rows);
    for (const list of [rows, this.#newest]) {
      list.push(row);
      if (list.length > newestExecutions) list.shift();
    }
    return this;
  }

  /** As far as a task of this type asks for it. */
  profileFor(taskType: string, nowMs: number): LearningProfile {
    const newest = readFrom(this.#newest, nowMs);
    const rows = readFrom(this.#byTaskType.get(taskType) ?? [], nowMs);
    const overall = { n: newest.length, successes: newest.filter(({ outcome }) => outcome === 'success').length };
    const profile = { ...createLearningProfile(this.#agentId), overall };
    return rows.length === 0 ? profile : addTaskTypeExpertise(profile, computeExpertise(taskType, rows, nowMs));
  }
}

/** As far back as the history is read from Postgres. `rows` are in the order of their ends. */
function readFrom(rows: readonly ExecutionData[], nowMs: number): readonly ExecutionData[] {
  const oldestMs = nowMs - historyDays * dayMs;
  return (rows[0]?.finishedAtMs ?? Infinity) > oldestMs ? rows : rows.filter(({ finishedAtMs }) => finishedAtMs > oldestMs);
}
