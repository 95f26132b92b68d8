import type { AgentDocument, AgentProgress } from '../../core/contract/agent-document';
import type { AgentSpec, ExecutorKind } from '../../core/contract/agents';
import type { AgentActivityControl } from '../../core/contract/local-activities';
import type { AgentLog } from '../agent-log';
import type { Secrets } from '../secrets';

/** One attempt of one agent at one effect. */
export interface ExecutorCall {
  /** As the workflow sent it, with this attempt's number: inputs may still be references. */
  document: AgentDocument;
  agent: AgentSpec;
  control: AgentActivityControl;
  /** From 1, over all attempts of this effect. */
  attempt: number;
  /** Aborted on cancel and on worker shutdown; its reason is what the executor rejects with once the agent has stopped. */
  signal: AbortSignal;
  onProgress: (progress: AgentProgress) => void;
  /** The effect's own directory, made on first use and shared by its attempts. */
  workspace: () => Promise<string>;
  /** The document with every reference loaded, as an agent on this machine gets it. */
  resolvedDocument: () => Promise<AgentDocument>;
  secrets: Secrets;
  /** For people: what the agent prints. The caller closes it. */
  log: AgentLog;
}

/**
 * Runs one agent. Resolves with what the agent returned, not yet checked against the result contract; rejects with one of the
 * failures of `agent-failures.ts`, or with `signal.reason` after a cancel. When it settles, nothing of the agent is running.
 */
export type Executor = (call: ExecutorCall) => Promise<unknown>;

export type Executors = Partial<Record<ExecutorKind, Executor>>;
