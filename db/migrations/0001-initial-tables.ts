import type { Migration } from './migration';

export const initialTables: Migration = {
  version: 1,
  name: 'initial-tables',
  sql: `
-- What people publish. The same plan is the same version; versions are integers from 1.
create table plans (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  text text not null,
  created_at timestamptz not null default now()
);

create table definitions (
  id text not null,
  version integer not null check (version >= 1),
  plan_hash text not null references plans,
  source text not null,
  format text not null check (format in ('yaml', 'toml')),
  published_at timestamptz not null default now(),
  primary key (id, version),
  unique (id, plan_hash)
);

-- The agents a run may use, frozen when it starts.
create table agent_sets (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  specs jsonb not null,
  created_at timestamptz not null default now()
);

create table agents (
  id text primary key,
  role text not null,
  skills jsonb not null,
  capacity integer not null check (capacity >= 1),
  cost jsonb not null,
  executor jsonb not null,
  compensate text,
  registered_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  retired_at timestamptz
);

-- Projections: what readers see when no worker is up.
create table runs (
  root_run_id text primary key check (root_run_id ~ '^[A-Za-z0-9_.-]{1,200}$'),
  ordinal bigint generated always as identity,
  run_id text not null,
  workflow_id text not null,
  definition text not null,
  version integer,
  plan_hash text not null references plans,
  agent_set text not null references agent_sets,
  initiator text not null,
  inputs jsonb not null,
  time_scale double precision not null check (time_scale > 0),
  seed text not null,
  status text not null check (status in ('created', 'planning', 'in_progress', 'waiting_approval', 'blocked', 'paused', 'deferred',
    'completing', 'completed', 'rolling_back', 'rolled_back', 'rollback_failed', 'failed', 'cancelled')),
  phase text,
  progress double precision not null default 0 check (progress between 0 and 1),
  waits_for jsonb not null default '[]',
  reason text,
  started_at timestamptz not null,
  ended_at timestamptz,
  updated_at timestamptz not null default now()
) with (fillfactor = 70);
create index runs_by_workflow on runs (workflow_id, ordinal desc);
create index runs_by_definition on runs (definition, ordinal desc);
create index runs_by_age on runs (ordinal desc);
create index runs_by_run_id on runs (run_id);

-- One row per applied recording: a local activity runs at least once, its changes are applied once.
create table recordings (
  root_run_id text not null,
  run_id text not null,
  sequence bigint not null,
  primary key (root_run_id, run_id, sequence)
);

create table run_steps (
  root_run_id text not null references runs,
  step text not null,
  phase text not null,
  state text not null check (state in ('pending', 'ready', 'assigned', 'running', 'waiting_approval', 'blocked', 'deferred', 'reworking',
    'passed', 'failed', 'skipped', 'cancelled', 'compensating', 'compensated', 'compensation_failed')),
  generation integer not null check (generation >= 0),
  agent text,
  role text not null,
  reason text,
  waits_for jsonb not null default '[]',
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (root_run_id, step)
) with (fillfactor = 70);

-- The history. One row per effect: exactly one outcome, whatever is retried, reset or continued.
create table executions (
  id bigserial primary key,
  root_run_id text not null references runs,
  path text not null,
  generation integer not null check (generation >= 1),
  slot integer not null check (slot >= 1),
  assignment integer not null check (assignment >= 1),
  mode text not null check (mode in ('do', 'undo')),
  step text not null,
  agent_id text not null,
  role text not null,
  task_type text not null,
  state text not null check (state in ('intended', 'running', 'retrying', 'ended')),
  outcome text check (outcome in ('success', 'failure', 'cancelled', 'unknown')),
  attempts integer not null default 0 check (attempts >= 0),
  assigned_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  duration_ms double precision check (duration_ms >= 0),
  cost_usd numeric(14, 6) check (cost_usd >= 0),
  tokens_in bigint,
  tokens_out bigint,
  metrics jsonb,
  result jsonb,
  failure text,
  explanation jsonb,
  constraint executions_effect unique (root_run_id, path, generation, slot, assignment, mode),
  constraint executions_ended check ((state = 'ended') = (outcome is not null) and (outcome is null) = (finished_at is null))
) with (fillfactor = 70);
-- Learning reads, index only: the newest rows of an agent for a task type, and of an agent for all.
create index executions_learning on executions (task_type, agent_id, finished_at desc) include (outcome, duration_ms, cost_usd)
  where outcome in ('success', 'failure') and mode = 'do';
create index executions_of_agent on executions (agent_id, finished_at desc) include (outcome)
  where outcome in ('success', 'failure') and mode = 'do';
-- Estimates by role, where no agent is chosen yet.
create index executions_of_role on executions (role, task_type, finished_at desc) include (duration_ms)
  where outcome = 'success' and mode = 'do';
-- Ties are decided by who was assigned longest ago.
create index executions_assigned on executions (agent_id, assigned_at desc);

create table execution_attempts (
  execution_id bigint not null references executions,
  attempt integer not null check (attempt >= 1),
  worker text not null,
  state text not null check (state in ('started', 'failed', 'succeeded', 'unknown')),
  started_at timestamptz not null,
  ended_at timestamptz,
  error text,
  primary key (execution_id, attempt)
) with (fillfactor = 70);

-- A slot of an agent, held for 60 s and renewed while its holder works. The primary key is what keeps an agent within its capacity.
create table agent_leases (
  agent_id text not null,
  slot_no integer not null check (slot_no >= 1),
  execution_id bigint not null unique,
  expires_at timestamptz not null,
  primary key (agent_id, slot_no)
) with (fillfactor = 70);

create table approvals (
  root_run_id text not null references runs,
  gate text not null,
  generation integer not null,
  step text,
  phase text,
  kind text not null check (kind in ('approval', 'phase', 'start', 'blocked', 'unknown')),
  state text not null check (state in ('pending', 'open', 'decided')),
  prompt text,
  approvers jsonb not null default '[]',
  quorum integer not null default 1,
  opened_at timestamptz,
  deadline timestamptz,
  decision text check (decision in ('approved', 'rejected', 'timed_out', 'withdrawn')),
  decided_at timestamptz,
  reason text,
  primary key (root_run_id, gate, generation)
);
create index approvals_open on approvals (opened_at) where state = 'open';

-- No reference to approvals: a vote may come before its gate is recorded.
create table approval_votes (
  root_run_id text not null references runs,
  gate text not null,
  generation integer not null,
  voter text not null,
  decision text not null check (decision in ('approve', 'reject')),
  reason text,
  assurance text not null check (assurance in ('local', 'verified')),
  voted_at timestamptz not null,
  primary key (root_run_id, gate, generation, voter)
);

create table artifacts (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  media_type text not null,
  size_bytes bigint generated always as (length(bytes)) stored,
  bytes bytea not null,
  created_at timestamptz not null default now()
);

create table monitor_samples (
  root_run_id text not null references runs,
  step text not null,
  generation integer not null,
  idx integer not null,
  sampled_at timestamptz not null,
  metrics jsonb not null,
  primary key (root_run_id, step, generation, idx)
);

create table alerts (
  id bigserial primary key,
  root_run_id text not null references runs,
  step text not null,
  name text not null,
  severity text not null,
  message text not null,
  state text not null check (state in ('raised', 'cleared')),
  at timestamptz not null
);
create index alerts_of_run on alerts (root_run_id, id);

create table budget_ledger (
  id bigserial primary key,
  root_run_id text not null references runs,
  execution_id bigint references executions,
  kind text not null check (kind in ('reserved', 'settled', 'released')),
  usd numeric(14, 6) not null default 0,
  tokens bigint not null default 0,
  at timestamptz not null
);
create index budget_ledger_of_run on budget_ledger (root_run_id, id);
`,
};
