import type { ExecutorSpec } from '../contract/agents';
import type { NoticeChannel, NoticeEvent } from '../contract/notice';
import type { Condition } from './condition';

/**
 * The plan: what a workflow file compiles to, and all that the engine follows. Plain JSON, every default explicit, durations
 * in milliseconds, conditions as ASTs. Its identity is the sha256 of its RFC 8785 canonical form (core/plan/canonical.ts).
 */
export interface Plan {
  schemaVersion: 1;
  id: string;
  title?: string;
  description?: string;
  owner?: string;
  createdAt?: string;
  form: 'steps' | 'agents' | 'phases';
  phases: PlanPhase[];
  /** Topologically ordered; ties by place in the file. */
  steps: PlanStep[];
  inputs: PlanInput[];
  /** Steps running at once in the run. */
  maxConcurrentSteps: number;
  /** Planned length. */
  plannedMs?: number;
  onFailure: FailurePolicy;
  policy: SelectionPolicy;
  approvers: Record<string, string[]>;
  escalation: { afterMs: number; to: string[] }[];
  escalateAfterMs?: number;
  timezone: string;
  notify: PlanNotification[];
  schedule?: { cron?: string; everyMs?: number; timezone?: string; overlap?: string; catchupMs?: number };
  budget?: { usd?: number; tokens?: number; onExceed: 'block' | 'fail' };
  onLate?: { addAgent?: { role: string; count: number }; notify?: string[]; escalate?: boolean };
  agentsFile?: string;
  /** Snapshot keys of running documents (`Status`, `Progress`, `Release_notes`…): kept, never acted on. */
  metadata: Record<string, unknown>;
}

export type FailurePolicy = 'rollback' | 'fail' | 'block' | 'continue';
export type SelectionPolicy = 'exploit' | 'explore';

export interface PlanNotification extends NoticeChannel {
  on: NoticeEvent[];
}

export interface PlanInput {
  name: string;
  type: 'string' | 'number' | 'boolean' | 'list' | 'duration' | 'file';
  required: boolean;
  default?: unknown;
}

export interface PlanPhase {
  id: string;
  title?: string;
  /** True: its steps start only when the phase before has passed its gate (phases form). False: a label. */
  barrier: boolean;
  serial: boolean;
  optional: boolean;
  plannedMs?: number;
  maxConcurrentSteps?: number;
  gate?: Condition;
  /** The gate's text as written, for people. */
  gateText?: string;
  approval?: PlanApproval;
}

export interface PlanDependency {
  step: string;
  /** `holds` = passed or skipped: a plain `depends_on`. */
  when: 'holds' | 'passed' | 'failed' | 'skipped' | 'done';
  /** The phase it was written as, when it was (its gate must have passed too). */
  phase?: string;
}

export interface PlanRetry {
  /** Total tries by one agent. */
  attempts: number;
  initialIntervalMs: number;
  backoff: number;
  maxIntervalMs: number;
  /** Failure kinds that are retried; absent = all. */
  on?: string[];
}

export interface PlanApproval {
  /** `after`: the agent works first and its result is what the approver reads. */
  when: 'before' | 'after';
  approvers: string[];
  quorum: number;
  distinctFrom: ('initiator' | 'author')[];
  timeoutMs: number;
  /** The step named its own timeout: then no time-scale floor applies. */
  timeoutIsExplicit: boolean;
  onTimeout: 'escalate' | 'reject' | 'approve' | 'block';
  prompt?: string;
}

export interface PlanMonitor {
  durationMs: number;
  intervalMs: number;
  /** True when the file named the interval: a default one has a floor of 100 ms of real time under a time scale. */
  intervalIsExplicit: boolean;
  metrics: string[];
  alerts: { condition: Condition; text: string }[];
  forSamples: number;
  onAlert: 'continue' | 'fail' | 'rollback';
  autoRollbackIf?: Condition;
  autoRollbackText?: string;
}

export interface PlanStep {
  id: string;
  title?: string;
  description?: string;
  /** Place in the file, from 0: decides ties. */
  order: number;
  phase: string;
  role: string;
  /** A single agent named by `agent`. */
  agentId?: string;
  skills: string[];
  dependsOn: PlanDependency[];
  /** Artifact names. `from` = the step whose output it is; absent = a run input (or nobody's). */
  inputs: { name: string; from?: string; output?: string }[];
  outputs: string[];
  tasks: string[];
  actions: string[];
  taskType: string;
  testType?: string;
  quality: 'Low' | 'Medium' | 'High' | 'Critical';
  priority: 'critical' | 'high' | 'normal' | 'low';
  estimateMs?: number;
  /** Limit of one attempt. */
  timeoutMs: number;
  /** Limit over all attempts of one assignment. */
  maxDurationMs?: number;
  retry: PlanRetry;
  /** Other agents tried after the first one's attempts are used up. */
  reassign: number;
  /** Agents that work on it side by side. */
  count: number;
  /** Of `count`, how many must approve (a bare number in `must_pass`, default all). */
  mustPassCount: number;
  /** `must_pass: N` was written: then only an agent without a negative verdict counts. Else a negative verdict is advice. */
  mustPassIsExplicit?: boolean;
  parallelizable: boolean;
  parallelWith: string[];
  approval?: PlanApproval;
  requires?: Condition;
  requiresText?: string;
  /** `must_pass` / `gate` as a condition on its own result. */
  gate?: Condition;
  gateText?: string;
  /** `must_pass: all`. */
  mustPassAll: boolean;
  /** Steps of role security that must have approved too. */
  securityReviewers: string[];
  canBlockMerge: boolean;
  canBlockDeployment: boolean;
  /** Derived: an action's first word is `merge`. */
  merges: boolean;
  /** Derived: strategy, a deploy action, or an environment with an acting role. */
  deploys: boolean;
  environments: string[];
  escalationIf: string[];
  ifBlocked?: { kind: 'defer'; untilNextWeek: true } | { kind: 'defer'; forMs: number } | { kind: 'escalate' | 'skip' | 'fail' };
  escalateAfterMs?: number;
  onUnknown?: 'retry' | 'ask';
  deployment?: PlanDeployment;
  rollbackOn?: { condition: Condition; text: string };
  /** An action of the agent that did the work, or another way to call it. */
  compensate?: { action: string } | { executor: ExecutorSpec };
  monitor?: PlanMonitor;
  automatic: boolean;
  async: boolean;
  optional: boolean;
  onFailure?: FailurePolicy;
  rework?: { steps: string[]; maxRounds: number };
  forEach?: { items: unknown[] } | { input: string } | { step: string; output: string };
  if?: Condition;
  ifText?: string;
  policy?: SelectionPolicy;
  with?: unknown;
  /** Steps next to each other in a serial phase with the same number take their turn together. No file says so, only an adjustment. */
  turn?: number;
}

export type PlanDeployment =
  | { strategy: 'blue_green' | 'rolling' | 'recreate' }
  | { strategy: 'canary'; steps: number[]; waitMs: number; abortIf?: { condition: Condition; text: string } };
