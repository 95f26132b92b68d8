import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { GateView } from '../core/contract/views';
import { listOpenGates as listRecordedGates, type OpenGate } from '../db/queries/gates';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { isWorkflowNotFound } from './temporal-errors';

/** A gate and the run it belongs to. */
export interface RunGate {
  run: string;
  gate: GateView;
}

export interface OpenGates {
  /** The longest waiting first. */
  gates: RunGate[];
  /** Runs of which Temporal did not say in time whether they still go on: their gates are as they were recorded. */
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
  const runs = [...new Map(recorded.map((gate) => [gate.rootRunId, gate])).values()];
  const states = await askWhetherOpen(client, runs);
  return {
    gates: recorded.filter(({ rootRunId }) => states.get(rootRunId) !== 'ended').map(({ run, gate }) => ({ run, gate })),
    unconfirmed: runs.filter(({ rootRunId }) => states.get(rootRunId) === undefined).map(({ run }) => run),
  };
}

async function askWhetherOpen(client: VaporaClient, runs: readonly OpenGate[]): Promise<Map<string, 'open' | 'ended'>> {
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
