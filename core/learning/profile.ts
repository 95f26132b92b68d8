import { type LearningCurve, computeLearningCurve } from './curve';
import { computeExpertise, type ExecutionData, newestTerminal, type TaskTypeExpertise } from './expertise';

/** What is known of one agent. Immutable: each function returns a new one. */
export interface LearningProfile {
  agentId: string;
  /** By task type. */
  expertise: Readonly<Record<string, TaskTypeExpertise>>;
  /** By task type, where rows were given. */
  curves: Readonly<Record<string, LearningCurve>>;
  /** Over the newest 100 terminal executions of any task type: the base of the score. */
  overall: { n: number; successes: number };
}

/** An agent about whom nothing is known yet. */
export function createLearningProfile(agentId: string): LearningProfile {
  return { agentId, expertise: {}, curves: {}, overall: { n: 0, successes: 0 } };
}

/** Sets (or replaces) what is known of one task type. */
export function addTaskTypeExpertise(profile: LearningProfile, expertise: TaskTypeExpertise): LearningProfile {
  return { ...profile, expertise: { ...profile.expertise, [expertise.taskType]: expertise } };
}

/**
 * The profile as these executions tell it: expertise and curve of every task type in them, and the overall record. Rows of
 * other agents are ignored; the order of the rows does not matter.
 */
export function updateProfileWithLearning(profile: LearningProfile, executions: readonly ExecutionData[], nowMs: number): LearningProfile {
  const own = executions.filter(({ agentId }) => agentId === profile.agentId);
  const newest = newestTerminal(own);
  const byTaskType = new Map<string, ExecutionData[]>();
  for (const row of own) {
    const rows = byTaskType.get(row.taskType);
    if (rows === undefined) byTaskType.set(row.taskType, [row]);
    else rows.push(row);
  }
  const expertise = [...byTaskType].map(([taskType, rows]) => [taskType, computeExpertise(taskType, rows, nowMs)] as const);
  const curves = [...byTaskType].flatMap(([taskType, rows]) =>
    newestTerminal(rows).length === 0 ? [] : [[taskType, computeLearningCurve(rows)] as const],
  );
  return {
    agentId: profile.agentId,
    expertise: { ...profile.expertise, ...Object.fromEntries(expertise) },
    curves: { ...profile.curves, ...Object.fromEntries(curves) },
    overall: { n: newest.length, successes: newest.filter(({ outcome }) => outcome === 'success').length },
  };
}
