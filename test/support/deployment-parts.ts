import type { PlanStep } from '../../core/plan/types';

/** What a deployment consists of, for the reference model and for the scripts: written down once more, apart from the engine. */

export interface Part {
  name: string;
  action: string;
  percent?: number;
  /** Before it begins. */
  waitMs?: number;
  /** It has to answer `abort_if`. */
  isJudged?: true;
}

const strategies = {
  blue_green: ['deploy', 'health_check', 'traffic_switch'],
  rolling: ['deploy', 'health_check'],
  recreate: ['stop', 'deploy', 'health_check'],
  canary: ['deploy'],
};

/** The sub-steps of a deployment in their order; none where several agents do it side by side. */
export function partsOf({ deployment, actions, count }: PlanStep): Part[] {
  if (deployment === undefined || count > 1) return [];
  const parts: Part[] = (actions.length > 0 ? actions : strategies[deployment.strategy]).map((action) => ({ name: action, action }));
  if (deployment.strategy !== 'canary') return parts;
  const { steps, waitMs } = deployment;
  const shares = steps.map((percent): Part[] => [
    { name: `traffic_${percent}`, action: 'traffic_shift', percent },
    { name: `health_check_${percent}`, action: 'health_check', percent, waitMs, isJudged: true },
  ]);
  return [...parts, ...shares.flat()];
}
