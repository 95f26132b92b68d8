/** One agent of the registry, as `agents.yaml` says it and as Postgres keeps it. */
export interface AgentSpec {
  id: string;
  /** `*` = any role. */
  role: string;
  skills: string[];
  /** Steps at once, across all runs. */
  capacity: number;
  cost: { usdPerHour?: number; usdPerMtokIn?: number; usdPerMtokOut?: number };
  executor: ExecutorSpec;
  /** How its steps are undone, where the step does not say: an action name. */
  compensate?: string;
}

export const executorKinds = ['command', 'http', 'llm', 'human', 'worker', 'simulate'] as const;
export type ExecutorKind = (typeof executorKinds)[number];

interface ExecutorCommon {
  /** A second call with the same idempotency key has no second effect: unknown outcomes may be retried. */
  idempotent?: boolean;
}

export interface CommandExecutorSpec extends ExecutorCommon {
  kind: 'command';
  /** Never a shell. `{{workspace}}`, `{{folder}}` and `{{inputs.<name>}}`-style placeholders are replaced in each element. */
  argv: string[];
  cwd?: string;
  /** Names copied from the worker's environment; nothing else is. */
  env?: string[];
  timeoutMs?: number;
  /** The folder of the agents file, where the run knows it: what `{{folder}}` stands for. */
  folder?: string;
  /** The text is the artifact and the exit code the status. */
  plain?: boolean;
}

export interface SimulateExecutorSpec extends ExecutorCommon {
  kind: 'simulate';
  /** Probability 0..1 that a generation succeeds. */
  success?: number;
  /** Fixed, a range, or the step's estimate. */
  duration?: { minMs: number; maxMs: number } | 'estimate';
  metrics?: Record<string, SimulatedMetric>;
  verdict?: string;
  /** Per step id: one entry per generation, the last one repeats. */
  script?: Record<string, SimulatedOutcome[]>;
  /** Writes the idempotency key of each call to this file (append): evidence for tests of exactly-once. */
  journal?: string;
}
/** A value, or a range drawn from deterministically; percents are written `91%`. */
export type SimulatedMetric = number | boolean | { value: number; unit: string } | { min: number; max: number; unit?: string };
export interface SimulatedOutcome {
  status?: 'success' | 'failure';
  verdict?: string;
  summary?: string;
  metrics?: Record<string, SimulatedMetric>;
  durationMs?: number;
  /** The first N attempts fail, then this outcome. */
  failAttempts?: number;
}

export interface WorkerExecutorSpec extends ExecutorCommon {
  kind: 'worker';
  taskQueue: string;
}

/** `human`: a person, who is asked and reports. http and llm are accepted and kept; they arrive later and are refused when a run would need them. */
export interface OtherExecutorSpec extends ExecutorCommon {
  kind: 'http' | 'llm' | 'human';
  [key: string]: unknown;
}

/** What the engine has to know of an executor: how it is reached, and whether calling it twice does harm. */
export function executorFactsOf(executor: ExecutorSpec): { executor: ExecutorKind; taskQueue?: string; idempotent: boolean } {
  return {
    executor: executor.kind,
    ...(executor.kind === 'worker' && { taskQueue: String(executor.taskQueue) }),
    idempotent: executor.idempotent ?? executor.kind === 'simulate',
  };
}

/** A command's programs lie beside the agents file: its folder goes with the agent. */
export function placeAgent(agent: AgentSpec, folder: string): AgentSpec {
  return agent.executor.kind === 'command' ? { ...agent, executor: { ...agent.executor, folder } } : agent;
}

export type ExecutorSpec = CommandExecutorSpec | SimulateExecutorSpec | WorkerExecutorSpec | OtherExecutorSpec;
