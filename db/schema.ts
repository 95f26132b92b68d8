import type { ColumnType, GeneratedAlways } from 'kysely';
import type { AgentSpec } from '../core/contract/agents';
import type { AgentResult, MetricValue } from '../core/contract/agent-document';
import type { EffectMode } from '../core/contract/ids';
import type { AssignmentExplanation } from '../core/learning/explanation';
import type { GateStateName, Outcome, RunStatus, StepState } from '../core/contract/states';
import type { BarredPerson, TaskView } from '../core/contract/views';

/** The tables as the queries see them. The truth is in migrations/; columns are described there. */
export interface DatabaseSchema {
  schema_migrations: SchemaMigrationsTable;
  definitions: DefinitionsTable;
  plans: PlansTable;
  agent_sets: AgentSetsTable;
  agents: AgentsTable;
  runs: RunsTable;
  recordings: RecordingsTable;
  recording_refusals: RecordingRefusalsTable;
  run_steps: RunStepsTable;
  agent_leases: AgentLeasesTable;
  executions: ExecutionsTable;
  execution_attempts: ExecutionAttemptsTable;
  approvals: ApprovalsTable;
  approval_votes: ApprovalVotesTable;
  tasks: TasksTable;
  artifacts: ArtifactsTable;
  monitor_samples: MonitorSamplesTable;
  alerts: AlertsTable;
  budget_ledger: BudgetLedgerTable;
  signing_keys: SigningKeysTable;
  start_tokens: StartTokensTable;
  audit_events: AuditEventsTable;
}

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** Read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>;
type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;

export interface SchemaMigrationsTable {
  version: number;
  name: string;
  checksum: string;
  applied_at: Defaulted<Date>;
}

export interface DefinitionsTable {
  id: string;
  version: number;
  plan_hash: string;
  source: string;
  format: 'yaml' | 'toml';
  published_at: Defaulted<Date>;
}

export interface PlansTable {
  sha256: string;
  text: string;
  created_at: Defaulted<Date>;
}

export interface AgentSetsTable {
  sha256: string;
  specs: Json<AgentSpec[]>;
  created_at: Defaulted<Date>;
}

export interface AgentsTable {
  id: string;
  role: string;
  skills: Json<string[]>;
  capacity: number;
  cost: Json<AgentSpec['cost']>;
  executor: Json<AgentSpec['executor']>;
  compensate: string | null;
  registered_at: Defaulted<Date>;
  updated_at: Defaulted<Date>;
  retired_at: NullableTimestamp;
}

export interface RunsTable {
  root_run_id: string;
  run_id: string;
  workflow_id: string;
  definition: string;
  version: number | null;
  plan_hash: string;
  agent_set: string;
  initiator: string;
  inputs: Json<Record<string, unknown>>;
  time_scale: number;
  seed: string;
  status: RunStatus;
  phase: string | null;
  progress: number;
  waits_for: Json<string[]>;
  reason: string | null;
  started_at: Timestamp;
  ended_at: NullableTimestamp;
  updated_at: Defaulted<Date>;
  ordinal: GeneratedAlways<number>;
  rollback_requested_at: NullableTimestamp;
  strict: Defaulted<boolean>;
}

export interface RecordingsTable {
  root_run_id: string;
  run_id: string;
  history_length: number;
  ordinal: GeneratedAlways<number>;
}

/** Which part of a recording was refused. */
export type RefusedKind = 'run' | 'step' | 'gate' | 'task' | 'vote' | 'alert' | 'audit' | 'end' | 'assignment';

export interface RecordingRefusalsTable {
  id: GeneratedAlways<number>;
  key: string;
  root_run_id: string;
  run_id: string;
  kind: RefusedKind;
  object: string;
  item: string;
  code: string | null;
  error: string;
  refused_at: Defaulted<Date>;
}

export interface RunStepsTable {
  root_run_id: string;
  step: string;
  phase: string;
  state: StepState;
  generation: number;
  agent: string | null;
  role: string;
  reason: string | null;
  waits_for: Json<string[]>;
  started_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  updated_at: Defaulted<Date>;
}

export interface AgentLeasesTable {
  agent_id: string;
  slot_no: number;
  execution_id: number;
  expires_at: Timestamp;
}

export type ExecutionState = 'intended' | 'running' | 'retrying' | 'ended';

export interface ExecutionsTable {
  id: Defaulted<number>;
  /** Null of what was imported. */
  root_run_id: string | null;
  path: string;
  generation: number;
  slot: number;
  assignment: number;
  mode: EffectMode;
  step: string;
  agent_id: string;
  role: string;
  task_type: string;
  state: ExecutionState;
  outcome: Outcome | null;
  attempts: Defaulted<number>;
  assigned_at: Timestamp;
  started_at: NullableTimestamp;
  finished_at: NullableTimestamp;
  duration_ms: number | null;
  cost_usd: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  metrics: NullableJson<Record<string, MetricValue>>;
  result: NullableJson<AgentResult>;
  failure: string | null;
  explanation: NullableJson<AssignmentExplanation>;
  run_id: string | null;
  import_key: string | null;
  import_id: string | null;
}

export interface ExecutionAttemptsTable {
  execution_id: number;
  attempt: number;
  worker: string;
  state: 'started' | 'failed' | 'succeeded' | 'unknown';
  started_at: Timestamp;
  ended_at: NullableTimestamp;
  error: string | null;
}

export interface ApprovalsTable {
  root_run_id: string;
  gate: string;
  generation: number;
  step: string | null;
  phase: string | null;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  state: GateStateName;
  prompt: string | null;
  approvers: Json<string[]>;
  barred: Json<BarredPerson[]>;
  is_override: boolean;
  quorum: number;
  opened_at: NullableTimestamp;
  deadline: NullableTimestamp;
  decision: 'approved' | 'rejected' | 'timed_out' | 'withdrawn' | null;
  decided_at: NullableTimestamp;
  reason: string | null;
}

export interface ApprovalVotesTable {
  root_run_id: string;
  gate: string;
  generation: number;
  voter: string;
  decision: 'approve' | 'reject';
  reason: string | null;
  assurance: 'local' | 'verified';
  voted_at: Timestamp;
}

export interface TasksTable {
  root_run_id: string;
  /** Its effect, as the id of an activity would be. */
  task: string;
  step: string;
  agent_id: string;
  is_open: boolean;
  view: Json<TaskView>;
  opened_at: Timestamp;
  deadline: NullableTimestamp;
}

export interface ArtifactsTable {
  sha256: string;
  media_type: string;
  size_bytes: GeneratedAlways<number>;
  bytes: Buffer;
  created_at: Defaulted<Date>;
}

export interface MonitorSamplesTable {
  root_run_id: string;
  step: string;
  generation: number;
  idx: number;
  sampled_at: Timestamp;
  metrics: Json<Record<string, MetricValue>>;
}

export interface AlertsTable {
  id: Defaulted<number>;
  root_run_id: string;
  step: string;
  name: string;
  severity: string;
  message: string;
  state: 'raised' | 'cleared';
  at: Timestamp;
  key: string | null;
}

export interface BudgetLedgerTable {
  id: Defaulted<number>;
  root_run_id: string;
  execution_id: number | null;
  kind: 'reserved' | 'settled' | 'released';
  usd: number;
  tokens: number;
  at: Timestamp;
}

export interface AuditEventsTable {
  root_run_id: string;
  seq: number;
  prev: string;
  hash: string;
  body: string;
  key: string | null;
}

export interface SigningKeysTable {
  kid: string;
  person: string;
  public_key: Json<Record<string, unknown>>;
  registered_at: Defaulted<Date>;
  registered_by: Defaulted<string>;
  revoked_at: NullableTimestamp;
  revoked_by: string | null;
}

export interface StartTokensTable {
  jti: string;
  root_run_id: string;
  used_at: Defaulted<Date>;
}
