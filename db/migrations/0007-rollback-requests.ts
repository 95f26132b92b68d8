import type { Migration } from './migration';

/** A run that was terminated and is to be undone: from then on nothing of it begins but what undoes. */
export const rollbackRequests: Migration = {
  version: 7,
  name: 'rollback-requests',
  sql: `
alter table runs add column rollback_requested_at timestamptz;
`,
};
