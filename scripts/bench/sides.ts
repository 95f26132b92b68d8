import { defaultTaskQueue } from '../../core/contract/names';
import type { StartInput } from '../../core/contract/start-input';
import { baselineTaskQueue } from './baseline/contract';
import type { BaselineInput } from './baseline/contract';
import type { Scenario } from './scenarios';

/** What is compared: the same steps, four ways. */
export const sides = ['bare', 'unrecorded', 'handRecorded', 'recorded'] as const;
export type Side = (typeof sides)[number];

export const sideTitles: Record<Side, string> = {
  bare: 'hand-written, bare',
  unrecorded: 'vapora, assignment and recording off',
  handRecorded: 'hand-written, assigns and records',
  recorded: 'vapora, assignment and recording on',
};

export interface WorkflowStart {
  workflowType: string;
  taskQueue: string;
  args: [unknown];
}

export interface StartSettings {
  /** The agents file's text. */
  agentsSource: string;
  /** Whether the hand-written side has the same heartbeat timeouts as ours. */
  baselineHeartbeats: boolean;
}

/** How a scenario is started on a side. Recorded runs of ours take the published definition and the registered agents. */
export function startOf(side: Side, scenario: Scenario, { agentsSource, baselineHeartbeats }: StartSettings): WorkflowStart {
  const { definition, source, timeScale } = scenario;
  if (side === 'bare' || side === 'handRecorded') {
    const input: BaselineInput = {
      ...scenario.baseline.input,
      recorded: side === 'handRecorded',
      definition,
      heartbeats: baselineHeartbeats,
    };
    return { workflowType: scenario.baseline.workflowType, taskQueue: baselineTaskQueue, args: [input] };
  }
  const input: StartInput = { initiator: 'bench', timeScale, autoApprove: true };
  if (side === 'unrecorded') Object.assign(input, { recording: 'none', source, agents: { source: agentsSource } } satisfies StartInput);
  return { workflowType: definition, taskQueue: defaultTaskQueue, args: [input] };
}

/** Which sides are set against each other, by what, and how much is allowed. */
export interface Comparison {
  name: string;
  numerator: Side;
  denominator: Side;
  measure: 'wallMs' | 'events';
  goal?: number;
}

export function comparisonsOf({ eventGoal }: Scenario): Comparison[] {
  return [
    { name: 'off : bare', numerator: 'unrecorded', denominator: 'bare', measure: 'wallMs', goal: 1 },
    { name: 'on : hand-recorded', numerator: 'recorded', denominator: 'handRecorded', measure: 'wallMs', goal: 1.05 },
    { name: 'on : bare', numerator: 'recorded', denominator: 'bare', measure: 'wallMs' },
    {
      name: 'events, on : bare',
      numerator: 'recorded',
      denominator: 'bare',
      measure: 'events',
      ...(eventGoal !== undefined && { goal: eventGoal }),
    },
  ];
}
