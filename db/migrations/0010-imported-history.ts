import type { Migration } from './migration';

/**
 * Executions that were not of a run here: they have no run, and in its place a hash of their id, or of all that is said of them, so that
 * each is imported once. Whatever reads by agent counts them; whatever reads by run cannot meet them.
 */
export const importedHistory: Migration = {
  version: 10,
  name: 'imported-history',
  sql: `
alter table executions alter column root_run_id drop not null;
alter table executions add column import_key text;
alter table executions add column import_id text;
alter table executions add constraint executions_origin check ((root_run_id is null) = (import_key is not null));
create unique index executions_imported on executions (import_key) where import_key is not null;
`,
};
