import type { Migration } from './migration';

/** What a reader of a gate must know beside its approvers. */
export const gateViews: Migration = {
  version: 5,
  name: 'gate-views',
  sql: `
alter table approvals add column barred jsonb not null default '[]', add column is_override boolean not null default false;
`,
};
