import type { Migration } from './migration';

/**
 * Which execution of the run (Temporal's run id) an effect belongs to: what an execution before a reset recorded as not done may be
 * done again by the one after it. Null: recorded before this migration, then it is the first.
 */
export const executionOwner: Migration = {
  version: 4,
  name: 'execution-owner',
  sql: `
alter table executions add column run_id text;
`,
};
