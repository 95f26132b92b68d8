import type { Migration } from './migration';

/** How long a step takes is not told by the parts of a deployment, which are executions of their own. */
export const estimatesOfSteps: Migration = {
  version: 6,
  name: 'estimates-of-steps',
  sql: `
drop index executions_of_role;
create index executions_of_role on executions (role, task_type, finished_at desc) include (duration_ms)
  where outcome = 'success' and mode = 'do' and path = step;
`,
};
