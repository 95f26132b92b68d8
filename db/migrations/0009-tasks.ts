import type { Migration } from './migration';

/** What people are asked to do, one row per effect. `view` is what they are shown. */
export const tasks: Migration = {
  version: 9,
  name: 'tasks',
  sql: `
create table tasks (
  root_run_id text not null references runs,
  task text not null,
  step text not null,
  agent_id text not null,
  is_open boolean not null,
  view jsonb not null,
  opened_at timestamptz not null,
  deadline timestamptz,
  primary key (root_run_id, task)
);
create index tasks_open on tasks (opened_at) where is_open;

alter table recording_refusals drop constraint recording_refusals_kind_check;
alter table recording_refusals add constraint recording_refusals_kind_check
  check (kind in ('run', 'step', 'gate', 'task', 'vote', 'alert', 'audit', 'end', 'assignment'));
`,
};
