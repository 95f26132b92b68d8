import { createAgentLog } from '../../activities/agent-log';
import { createFolderArtifactStore } from '../../activities/artifacts';
import type { ExecutorCall } from '../../activities/executors/types';
import { resolveInputs } from '../../activities/resolve-inputs';
import { createSecrets } from '../../activities/secrets';
import { createWorkspace } from '../../activities/workspace';
import type { AgentDocument, AgentProgress } from '../../core/contract/agent-document';
import type { AgentSpec, ExecutorSpec } from '../../core/contract/agents';
import { idempotencyKeyOf } from '../../core/contract/ids';
import type { AgentActivityControl, EffectRef } from '../../core/contract/local-activities';

export interface AgentCallOptions {
  executor: ExecutorSpec;
  rootRunId?: string;
  document?: Partial<AgentDocument>;
  agent?: Partial<AgentSpec>;
  effect?: Partial<EffectRef>;
  control?: Partial<AgentActivityControl>;
  attempt?: number;
}

/** One step of a run that was never recorded, as the agent activity gets it. */
export function agentArguments(options: AgentCallOptions): {
  document: AgentDocument;
  agent: AgentSpec;
  control: AgentActivityControl;
  attempt: number;
} {
  const { executor, rootRunId = 'run-1', attempt = 1 } = options;
  const effect: EffectRef = { path: 'build', generation: 1, slot: 1, assignment: 1, mode: 'do', ...options.effect };
  const agent: AgentSpec = { id: 'agent-1', role: 'developer', skills: [], capacity: 1, cost: {}, executor, ...options.agent };
  const document: AgentDocument = {
    schemaVersion: 1,
    run: { id: 'feature', definition: 'feature', planHash: 'a'.repeat(64) },
    step: { id: effect.path, role: 'developer', taskType: 'CodeGeneration', phase: 'main', quality: 'Medium' },
    agent: { id: agent.id, role: agent.role, skills: agent.skills },
    generation: effect.generation,
    attempt,
    idempotencyKey: idempotencyKeyOf({ rootRunId, ...effect }),
    mode: effect.mode,
    tasks: [],
    actions: [],
    outputs: [],
    inputs: {},
    ...options.document,
  };
  const control: AgentActivityControl = {
    run: { rootRunId, runId: rootRunId, workflowId: 'feature' },
    effect,
    agentSet: '',
    planHash: document.run.planHash,
    timeScale: 1,
    seed: 'seed',
    onUnknown: 'retry',
    recording: 'none',
    agent,
    ...options.control,
  };
  return { document, agent, control, attempt };
}

export interface RecordedCall extends ExecutorCall {
  progress: AgentProgress[];
  abort(): void;
}

/** The call that the agent activity would make of an executor. */
export function executorCall(options: AgentCallOptions & { dataDir: string; onProgress?: () => void }): RecordedCall {
  const given = agentArguments(options);
  const workspace = createWorkspace(options.dataDir, given.document.idempotencyKey);
  const secrets = createSecrets();
  const onProblem = (error: Error): never => {
    throw error;
  };
  const controller = new AbortController();
  const progress: AgentProgress[] = [];
  return {
    ...given,
    signal: controller.signal,
    progress,
    abort: () => controller.abort(new Error('cancelled by the test')),
    onProgress: (reported) => {
      progress.push(reported);
      options.onProgress?.();
    },
    workspace,
    resolvedDocument: () => resolveInputs(given.document, { artifacts: createFolderArtifactStore(options.dataDir), workspace }),
    secrets,
    log: createAgentLog({ dataDir: options.dataDir, document: given.document, secrets, onProblem }),
  };
}
