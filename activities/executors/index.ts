import type { ExecutorKind } from '../../core/contract/agents';
import { notRunnable } from '../agent-failures';
import { command } from './command';
import { simulate } from './simulate';
import type { Executor, Executors } from './types';

/** The executors of this release; `worker` and `human` agents are routed by the workflow and never come here. */
export const builtinExecutors: Executors = { command, simulate };

/** The executor for a kind, or a failure that says what this worker can run. */
export function findExecutor(executors: Executors, kind: ExecutorKind, agentId: string): Executor {
  const executor = executors[kind];
  if (executor) return executor;
  const known = Object.keys(executors).sort().join(', ');
  throw notRunnable(`agent ${agentId} has an executor of kind "${kind}", which this worker cannot run; it runs: ${known}`);
}
