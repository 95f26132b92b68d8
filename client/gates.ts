import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { GateView, TaskView } from '../core/contract/views';
import { listOpenGates as listRecordedGates } from '../db/queries/gates';
import { listOpenTasks } from '../db/queries/tasks';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { isWorkflowNotFound } from './temporal-errors';

/** A gate and the run it belongs to. */
export interface RunGate {
  run: string;
  gate: GateView;
}

/** What a person is asked to do, and the run it belongs to. */
export interface RunTask {
  run: string;
  task: TaskView;
}

export interface OpenGates {
  /** The longest waiting first. */
  gates: RunGate[];
  /** The longest open first. */
  tasks: RunTask[];
  /** Runs of which Temporal did not say in time whether they still go on: their gates and tasks are as they were recorded. */
  unconfirmed: string[];
}

/** Runs that Temporal is asked about at once. */
const batchSize = 50;

/**
 * Everything that waits for a person, over all runs, as Postgres has it: no worker has to answer, and none can hold the others up.
 * Temporal is asked, within one deadline for all, only whether the runs still go on: one that was terminated could record nothing.
 * AppError `unavailable` without Postgres.
 */
export async function listOpenGates(client: VaporaClient): Promise<OpenGates> {
  const recorded = await callDatabase(client, listRecordedGates);
  const tasks = await callDatabase(client, listOpenTasks);
  const runs = [...new Map([...recorded, ...tasks].map((one) => [one.rootRunId, one])).values()];
  const states = await askWhetherOpen(client, runs);
  const goesOn = ({ rootRunId }: OpenRun): boolean => states.get(rootRunId) !== 'ended';
  return {
    gates: recorded.filter(goesOn).map(({ run, gate }) => ({ run, gate })),
    tasks: tasks.filter(goesOn).map(({ run, task }) => ({ run, task })),
    unconfirmed: runs.filter(({ rootRunId }) => states.get(rootRunId) === undefined).map(({ run }) => run),
  };
}

interface OpenRun {
  run: string;
  rootRunId: string;
}

async function askWhetherOpen(client: VaporaClient, runs: readonly OpenRun[]): Promise<Map<string, 'open' | 'ended'>> {
  const states = new Map<string, 'open' | 'ended'>();
  if (runs.length === 0) return states;
  const deadlineMs = Date.now() + client.queryTimeoutMs;
  // Without Temporal the record is all there is to know.
  const temporal = await client.temporal().catch(() => undefined);
  if (temporal === undefined) return states;
  for (let from = 0; from < runs.length && Date.now() < deadlineMs; from += batchSize) {
    const batch = runs.slice(from, from + batchSize).map(async ({ run, rootRunId }) => {
      try {
        const described = await temporal.connection.withDeadline(deadlineMs, () => temporal.workflow.getHandle(run).describe());
        states.set(rootRunId, isOpen(described, rootRunId) ? 'open' : 'ended');
      } catch (error) {
        // Past its retention Temporal does not know it any more.
        if (isWorkflowNotFound(error)) states.set(rootRunId, 'ended');
      }
    });
    await Promise.all(batch);
  }
  return states;
}

/** The newest execution of the id may be of another run already. */
function isOpen({ status, raw }: WorkflowExecutionDescription, rootRunId: string): boolean {
  const firstRunId = raw.workflowExecutionInfo?.firstRunId;
  return (status.name === 'RUNNING' || status.name === 'PAUSED') && (!firstRunId || firstRunId === rootRunId);
}
