import type { ActivityOptions } from '@temporalio/workflow';
import { proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { AgentResult } from '../../../core/contract/agent-document';
import type { RunRef } from '../../../core/contract/local-activities';
import type { BaselineInput, EndedStep, RecordingActivities, WorkActivities, WorkStep } from './contract';

const limits: ActivityOptions = { startToCloseTimeout: '1 hour', retry: { maximumAttempts: 3 } };
const plainActivities = proxyActivities<WorkActivities>(limits);
const beatingActivities = proxyActivities<WorkActivities>({ ...limits, heartbeatTimeout: '10s' });
const { openRun, assign, recordApproval, closeRun } = proxyLocalActivities<RecordingActivities>({ startToCloseTimeout: '30s' });

export interface Monitoring {
  sample(index: number): Promise<AgentResult>;
  end(result: AgentResult): void;
}

/** How a hand-written workflow does a step: the plain way, or assigned and recorded. */
export interface StepRunner {
  perform(step: WorkStep): Promise<AgentResult>;
  monitor(step: WorkStep): Promise<Monitoring>;
  approved(gate: string, by: string): Promise<void>;
  close(): Promise<void>;
}

export async function openStepRunner(input: BaselineInput): Promise<StepRunner> {
  const activities = input.heartbeats ? beatingActivities : plainActivities;
  return input.recorded ? openRecordedRunner(activities, input.definition) : createBareRunner(activities);
}

function createBareRunner({ work }: WorkActivities): StepRunner {
  return {
    perform: work,
    monitor: async (step) => ({ sample: () => work(step), end: () => undefined }),
    approved: async () => undefined,
    close: async () => undefined,
  };
}

async function openRecordedRunner({ recordedWork, recordedSample }: WorkActivities, definition: string): Promise<StepRunner> {
  const { firstExecutionRunId, runId, workflowId } = workflowInfo();
  const run: RunRef = { rootRunId: firstExecutionRunId, runId, workflowId };
  const { agentSet } = await openRun({ run, definition, atMs: Date.now() });
  let ended: EndedStep[] = [];
  const takeEnded = (): EndedStep[] => {
    const taken = ended;
    ended = [];
    return taken;
  };
  const begin = async (step: WorkStep) => {
    const startedAtMs = Date.now();
    const { agentId } = await assign({ run, agentSet, step, atMs: startedAtMs, ended: takeEnded() });
    return { run, agentId, startedAtMs };
  };
  return {
    async perform(step) {
      const { agentId, startedAtMs } = await begin(step);
      const result = await recordedWork(step, { run, agentId });
      ended.push({ id: step.id, role: step.role, agentId, startedAtMs, endedAtMs: Date.now() });
      return result;
    },
    async monitor(step) {
      const { agentId, startedAtMs } = await begin(step);
      return {
        sample: (index) => recordedSample(step, { run, agentId }, index),
        end: (unrecordedResult) => ended.push({ ...step, agentId, startedAtMs, endedAtMs: Date.now(), unrecordedResult }),
      };
    },
    approved: (gate, by) => recordApproval({ run, gate, by, atMs: Date.now(), ended: takeEnded() }),
    close: () => closeRun({ run, atMs: Date.now(), ended: takeEnded() }),
  };
}
