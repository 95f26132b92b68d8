import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { AppError } from '../core/contract/errors';
import { searchAttributes } from '../core/contract/names';
import type { StartInput } from '../core/contract/start-input';
import type { RunStatus } from '../core/contract/states';
import type { VaporaClient } from './connect';
import { callTemporal } from './temporal-errors';

export interface StartRunRequest {
  /** The definition's id: it becomes the Temporal workflow type. Without `input.source` the newest published version runs. */
  definition: string;
  /** The run's id (Temporal workflow id); by default the definition's. */
  id?: string | undefined;
  input?: StartInput | undefined;
  /** Where the caller compiled the source already: searchable before the worker has compiled it too. */
  planHash?: string | undefined;
  /** Shown in Temporal's Web UI. */
  title?: string | undefined;
}

export interface StartedRun {
  id: string;
  runId: string;
  definition: string;
  /** Where to watch it, when this environment has a Web UI. */
  webUiUrl?: string;
}

const keys = {
  definition: defineSearchAttributeKey(searchAttributes.definition, SearchAttributeType.KEYWORD),
  planHash: defineSearchAttributeKey(searchAttributes.planHash, SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD),
};

/** Temporal refuses a request of 4 MiB and a payload of 2 MiB. */
const maxInputBytes = 2 * 1024 * 1024;

/**
 * Starts a run. A closed id may run again; AppError `already_running` for one that is running, `bad_usage` for an input that is
 * too large, `not_registered` where the namespace was not set up, `unavailable` without a server.
 */
export async function startRun(client: VaporaClient, request: StartRunRequest): Promise<StartedRun> {
  const { definition, id = definition, input = {} } = request;
  refuseTooLarge(input);
  const status: RunStatus = 'created';
  const { taskQueue, webUiUrl, namespace } = client.environment;
  const temporal = await client.temporal();
  try {
    const handle = await callTemporal(client, () =>
      temporal.workflow.start(definition, {
        taskQueue,
        workflowId: id,
        args: [input],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        typedSearchAttributes: [
          { key: keys.definition, value: definition },
          { key: keys.status, value: status },
          ...(request.planHash === undefined ? [] : [{ key: keys.planHash, value: request.planHash }]),
        ],
        memo: {
          ...(input.initiator !== undefined && { initiator: input.initiator }),
          ...(input.timeScale !== undefined && { timeScale: input.timeScale }),
        },
        ...(request.title !== undefined && { staticSummary: request.title.slice(0, 200) }),
      }),
    );
    const runId = handle.firstExecutionRunId;
    const link =
      webUiUrl === undefined ? {} : { webUiUrl: `${webUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}/${runId}` };
    return { id, runId, definition, ...link };
  } catch (error) {
    if ((error as Error | null)?.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    throw new AppError('already_running', `${id} is running already`, {
      hint: `look at it with 'vapora workflow status --id ${id}', or start another one with --id`,
      cause: error,
      details: { id },
    });
  }
}

function refuseTooLarge(input: StartInput): void {
  const sizeBytes = Buffer.byteLength(JSON.stringify(input));
  if (sizeBytes < maxInputBytes) return;
  throw new AppError(
    'bad_usage',
    `the workflow, its agents and inputs are ${(sizeBytes / 1024 / 1024).toFixed(1)} MiB together, and 2 MiB is the limit`,
    {
      hint: "publish the workflow ('vapora publish FILE') and start it by its id, or pass less input",
    },
  );
}
