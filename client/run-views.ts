import type { WorkflowExecutionDescription } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { AgentDocument } from '../core/contract/agent-document';
import { AppError } from '../core/contract/errors';
import { searchAttributes } from '../core/contract/names';
import { isTerminalRunStatus, type RunStatus } from '../core/contract/states';
import type { ExplainView, GateView, RunStatusView, TimelineView } from '../core/contract/views';
import type { Database } from '../db/connect';
import { loadArtifact } from '../db/queries/artifacts';
import { loadRunStatus, loadTimeline } from '../db/queries/runs';
import { callDatabase } from './call-database';
import { catchUp } from './catch-up';
import type { VaporaClient } from './connect';
import { addHeartbeats } from './heartbeats';
import { waitForResult } from './run-outcome';
import { explainTemporalError, isWorkflowNotFound, runNotFound } from './temporal-errors';

/** An answer and who gave it: the running workflow, or Postgres when no worker is up. The shape is the same. */
export interface Answer<View> {
  view: View;
  from: 'workflow' | 'database';
}

/**
 * The status of the newest run of an id. AppError `not_found`, or `unavailable` when neither a worker nor Postgres answers.
 */
export async function getStatus(client: VaporaClient, id: string): Promise<Answer<RunStatusView>> {
  const [description, asked] = await Promise.all([describeRun(client, id), askWorkflow<RunStatusView>(client, id, 'status')]);
  if (description === undefined) return { view: await fromDatabase(client, id, loadRunStatus), from: 'database' };
  if (!asked.answered) {
    const view = await fromDatabase(client, id, loadRunStatus, asked.error);
    return { view: await withEnd(client, view, description), from: 'database' };
  }
  const view = asked.view ?? planningView(description);
  const live = catchUp(addHeartbeats(view, description.raw.pendingActivities ?? []), Date.now());
  return { view: await withEnd(client, live, description), from: 'workflow' };
}

/** When each effect of the newest run ran. Errors as `getStatus`. */
export async function getTimeline(client: VaporaClient, id: string): Promise<Answer<TimelineView>> {
  const asked = await askWorkflow<TimelineView>(client, id, 'timeline');
  if (asked.answered) return { view: asked.view ?? { steps: [] }, from: 'workflow' };
  return { view: await fromDatabase(client, id, loadTimeline, asked.error), from: 'database' };
}

/** The gates of the newest run. Errors as `getStatus`. */
export async function getGates(client: VaporaClient, id: string): Promise<Answer<GateView[]>> {
  const asked = await askWorkflow<GateView[]>(client, id, 'gates');
  if (asked.answered) return { view: asked.view ?? [], from: 'workflow' };
  return { view: (await fromDatabase(client, id, loadRunStatus, asked.error)).gates, from: 'database' };
}

/** Why a step is where it is. Only the running workflow knows: AppError `unavailable` without a worker, `not_found` for a step. */
export async function explainStep(client: VaporaClient, id: string, stepId: string): Promise<ExplainView> {
  const asked = await askWorkflow<ExplainView>(client, id, 'explain', { stepId });
  if (!asked.answered) {
    throw isWorkflowNotFound(asked.error)
      ? runNotFound(id, asked.error)
      : new AppError('unavailable', `no worker answers for ${id}`, {
          hint: "start one with 'vapora worker' or 'vapora dev'",
          cause: asked.error,
        });
  }
  if (asked.view === null)
    throw new AppError('not_found', `${id} has no step ${stepId}`, { hint: `'vapora workflow status --id ${id}' shows its steps` });
  return asked.view;
}

/**
 * What a person is asked to do in a step, as any agent gets it. `task` or `agent` says which, where several are asked. Only the running
 * workflow knows all of it: AppError `unavailable` without a worker, `not_found` where nobody is asked, `bad_usage` where several are.
 */
export async function getTask(
  client: VaporaClient,
  id: string,
  { step, task, agent }: { step: string; task?: string | undefined; agent?: string | undefined },
): Promise<AgentDocument> {
  const { tasks = [] } = (await getStatus(client, id)).view;
  const open = tasks.filter((one) => one.step === step && (task ?? one.id) === one.id && (agent ?? one.agent) === one.agent);
  const [first, ...others] = open;
  if (first === undefined)
    throw new AppError('not_found', `${id} asks nobody to do ${task ?? step} now`, {
      hint: "'vapora gates' shows what people are asked to do",
    });
  if (others.length > 0)
    throw new AppError('bad_usage', `several people are asked to do ${step}: ${open.map((one) => `${one.id} (${one.agent})`).join(', ')}`, {
      hint: 'say which with --task ID',
    });
  const asked = await askWorkflow<AgentDocument>(client, id, 'task', { task: first.id });
  if (!asked.answered || asked.view === null)
    throw new AppError('unavailable', `no worker answers for ${id}`, {
      hint: "start one with 'vapora worker' or 'vapora dev'",
      cause: asked.answered ? undefined : asked.error,
    });
  return asked.view;
}

/** An artifact's bytes, by the reference that documents and results have. AppError `not_found` where Postgres has none such. */
export async function getArtifact(client: VaporaClient, reference: string): Promise<Uint8Array> {
  const artifact = await callDatabase(client, (db) => loadArtifact(db, reference));
  if (artifact === undefined)
    throw new AppError('not_found', `there is no artifact ${reference}`, { hint: 'a run without a record keeps none' });
  return artifact.bytes;
}

/** What Temporal says of the newest execution of an id; undefined where it knows none. */
export async function describeRun(client: VaporaClient, id: string): Promise<WorkflowExecutionDescription | undefined> {
  const temporal = await client.temporal();
  try {
    return await temporal.workflow.getHandle(id).describe();
  } catch (error) {
    if (isWorkflowNotFound(error)) return undefined;
    throw explainTemporalError(error, client);
  }
}

const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

/** The status word alone, without a worker: cheap enough to ask every second. Undefined where Temporal knows no such run. */
export async function peekStatus(client: VaporaClient, id: string): Promise<{ status: RunStatus; isClosed: boolean } | undefined> {
  const description = await describeRun(client, id);
  if (description === undefined) return undefined;
  const isClosed = description.status.name !== 'RUNNING' && description.status.name !== 'PAUSED';
  return { status: (description.typedSearchAttributes.get(statusKey) as RunStatus | undefined) ?? 'created', isClosed };
}

type Asked<View> = { answered: true; view: View | null } | { answered: false; error: unknown };

/** Queries the workflow. Whatever goes wrong but an unreachable server means that nobody answers. */
async function askWorkflow<View>(client: VaporaClient, id: string, query: string, ...args: unknown[]): Promise<Asked<View>> {
  const temporal = await client.temporal();
  try {
    const view = await temporal.connection.withDeadline(Date.now() + client.queryTimeoutMs, () =>
      temporal.workflow.getHandle(id).query<View | null, unknown[]>(query, ...args),
    );
    return { answered: true, view };
  } catch (error) {
    return { answered: false, error };
  }
}

async function fromDatabase<View>(
  client: VaporaClient,
  id: string,
  load: (db: Database, id: string) => Promise<View | null>,
  workflowError?: unknown,
): Promise<View> {
  let view: View | null;
  try {
    view = await callDatabase(client, (db) => load(db, id));
  } catch (error) {
    if (workflowError === undefined || isWorkflowNotFound(workflowError)) throw error;
    throw new AppError('unavailable', `no worker answers for ${id}, and Postgres does not either: ${(error as Error).message}`, {
      hint: "start a worker with 'vapora worker' or 'vapora dev'",
      cause: error,
    });
  }
  if (view !== null) return view;
  if (workflowError === undefined || isWorkflowNotFound(workflowError)) throw runNotFound(id, workflowError);
  throw new AppError('unavailable', `${id} was started, and no worker has taken it up yet`, {
    hint: "start one with 'vapora worker' or 'vapora dev'",
    cause: workflowError,
  });
}

/** Before the plan is resolved the workflow has nothing to say yet. */
function planningView(description: WorkflowExecutionDescription): RunStatusView {
  const startedAt = description.startTime;
  const { memo } = description;
  return {
    schemaVersion: 1,
    id: description.workflowId,
    runId: description.runId,
    definition: description.type,
    planHash: '',
    status: 'planning',
    phase: null,
    phaseIndex: 0,
    phaseCount: 0,
    phases: [],
    progress: 0,
    waitsFor: [],
    startedAt: startedAt.toISOString(),
    timeScale: typeof memo?.['timeScale'] === 'number' ? memo['timeScale'] : 1,
    steps: [],
    gates: [],
    alerts: [],
    adjustments: [],
    ignoredSignals: 0,
    totals: { steps: 0, gates: 0, alerts: 0 },
    timeline: { plannedMs: null, elapsedMs: 0, etaP50: null, etaP90: null },
  };
}

/** A run that Temporal closed without the engine's doing (terminated, invalid start) has ended, whatever the engine thought last. */
async function withEnd(client: VaporaClient, view: RunStatusView, description: WorkflowExecutionDescription): Promise<RunStatusView> {
  const isOpen = description.status.name === 'RUNNING' || description.status.name === 'PAUSED';
  // A continued run is the same run.
  if (isOpen || isTerminalRunStatus(view.status) || description.status.name === 'CONTINUED_AS_NEW') return view;
  const outcome = await waitForResult(client, view.id, { runId: description.runId });
  return {
    ...view,
    status: outcome.status,
    ...(outcome.reason !== undefined && { reason: outcome.reason }),
    ...(description.closeTime !== undefined && { endedAt: description.closeTime.toISOString() }),
  };
}
