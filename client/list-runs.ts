import type { WorkflowExecutionInfo } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { AppError, isAppError } from '../core/contract/errors';
import { searchAttributes } from '../core/contract/names';
import { isTerminalRunStatus, type RunStatus } from '../core/contract/states';
import { listRunRows } from '../db/queries/runs';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { callTemporal } from './temporal-errors';

export interface RunFilter {
  status?: RunStatus | undefined;
  definition?: string | undefined;
  /** Only runs that have not ended. */
  isOpen?: boolean | undefined;
  /** Default 50, newest first. */
  limit?: number | undefined;
}

export interface RunSummary {
  id: string;
  runId: string;
  definition: string;
  status: RunStatus;
  phase: string | null;
  planHash: string;
  /** ISO 8601. */
  startedAt: string;
  endedAt: string | null;
}

const defaultLimit = 50;

/**
 * The runs, newest first, from Temporal's visibility (eventually consistent), or from Postgres where Temporal cannot be asked.
 */
export async function listRuns(client: VaporaClient, filter: RunFilter = {}): Promise<RunSummary[]> {
  try {
    return await listFromTemporal(client, filter);
  } catch (error) {
    if (!isAppError(error) || (error.code !== 'unavailable' && error.code !== 'not_registered')) throw error;
    try {
      return await listFromDatabase(client, filter);
    } catch {
      // What is missing first is what the user has to mend first.
      throw error;
    }
  }
}

async function listFromDatabase(client: VaporaClient, filter: RunFilter): Promise<RunSummary[]> {
  const rows = await callDatabase(client, (db) =>
    listRunRows(db, { status: filter.status, definition: filter.definition, limit: filter.limit ?? defaultLimit }),
  );
  return rows
    .filter(({ endedAt }) => filter.isOpen !== true || endedAt === null)
    .map(({ id, runId, definition, status, phase, planHash, startedAt, endedAt }) => ({
      id,
      runId,
      definition,
      status,
      phase,
      planHash,
      startedAt,
      endedAt,
    }));
}

async function listFromTemporal(client: VaporaClient, filter: RunFilter): Promise<RunSummary[]> {
  const temporal = await client.temporal();
  const limit = filter.limit ?? defaultLimit;
  return callTemporal(client, async () => {
    const found: RunSummary[] = [];
    for await (const execution of temporal.workflow.list({ query: visibilityQuery(filter), pageSize: Math.min(limit, 1_000) })) {
      const summary = summarize(execution);
      // A run that was terminated keeps the status it had: what is shown is what must match.
      if (filter.status !== undefined && summary.status !== filter.status) continue;
      found.push(summary);
      if (found.length >= limit) break;
    }
    return found;
  });
}

/** The query in Temporal's list-filter language. */
export function visibilityQuery({ status, definition, isOpen }: RunFilter): string {
  const parts = [`${searchAttributes.definition} IS NOT NULL`, `ExecutionStatus != "ContinuedAsNew"`];
  if (isOpen === true) parts.push(`ExecutionStatus = "Running"`);
  if (definition !== undefined) parts.push(`${searchAttributes.definition} = ${quote(definition)}`);
  if (status === 'failed' || status === 'cancelled') {
    parts.push(`(${searchAttributes.status} = ${quote(status)} OR ExecutionStatus IN ("Terminated", "TimedOut", "Canceled", "Failed"))`);
  } else if (status !== undefined) parts.push(`${searchAttributes.status} = ${quote(status)}`);
  return parts.join(' AND ');
}

function quote(value: string): string {
  if (/["\\]/.test(value)) throw new AppError('bad_usage', `${value} cannot be a definition's id`);
  return `"${value}"`;
}

const keys = {
  status: defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey(searchAttributes.phase, SearchAttributeType.KEYWORD),
  definition: defineSearchAttributeKey(searchAttributes.definition, SearchAttributeType.KEYWORD),
  planHash: defineSearchAttributeKey(searchAttributes.planHash, SearchAttributeType.KEYWORD),
};

const closedBadlyStatuses: readonly WorkflowExecutionInfo['status']['name'][] = ['CANCELLED', 'FAILED', 'TERMINATED', 'TIMED_OUT'];

function summarize(execution: WorkflowExecutionInfo): RunSummary {
  const attributes = execution.typedSearchAttributes;
  return {
    id: execution.workflowId,
    runId: execution.runId,
    definition: attributes.get(keys.definition) ?? execution.type,
    status: statusOf(execution.status.name, attributes.get(keys.status) as RunStatus | undefined),
    phase: attributes.get(keys.phase) ?? null,
    planHash: attributes.get(keys.planHash) ?? '',
    startedAt: execution.startTime.toISOString(),
    endedAt: execution.closeTime?.toISOString() ?? null,
  };
}

/** The run's own word, unless Temporal closed it without the run's doing: what did not close well has not completed. */
export function statusOf(execution: WorkflowExecutionInfo['status']['name'], recorded: RunStatus = 'created'): RunStatus {
  const closedBadly = closedBadlyStatuses.includes(execution);
  if (isTerminalRunStatus(recorded) && !(recorded === 'completed' && closedBadly)) return recorded;
  switch (execution) {
    case 'CANCELLED':
      return 'cancelled';
    case 'FAILED':
    case 'TERMINATED':
    case 'TIMED_OUT':
      return 'failed';
    case 'COMPLETED':
      return 'completed';
    default:
      return recorded;
  }
}
