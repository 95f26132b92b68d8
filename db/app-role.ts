import type pg from 'pg';
import { AppError } from '../core/contract/errors';

/** What the application may do with each table. What it may not do is the guarantee: nobody edits what was published or audited. */
const tableRights: Record<string, string> = {
  schema_migrations: 'select',
  definitions: 'select, insert',
  plans: 'select, insert',
  agent_sets: 'select, insert',
  agents: 'select, insert, update',
  runs: 'select, insert, update',
  recordings: 'select, insert, update',
  recording_refusals: 'select, insert',
  run_steps: 'select, insert, update',
  agent_leases: 'select, insert, update, delete',
  executions: 'select, insert, update',
  execution_attempts: 'select, insert, update',
  approvals: 'select, insert, update',
  approval_votes: 'select, insert, update',
  tasks: 'select, insert, update',
  artifacts: 'select, insert',
  monitor_samples: 'select, insert',
  alerts: 'select, insert',
  budget_ledger: 'select, insert',
  signing_keys: 'select',
  start_tokens: 'select, insert',
  audit_events: 'select',
};

/**
 * Creates the application's role if it is not there and sets exactly its rights. Roles belong to the whole server, so two
 * databases that are migrated at once may collide here: then it tries again.
 */
export async function grantToAppRole(client: pg.Client, role: string, password: string | undefined): Promise<{ appRoleIsOwner: boolean }> {
  const { rows } = await client.query<{ is_owner: boolean; role_exists: boolean; database: string }>(
    `select current_user = $1 as is_owner, exists (select from pg_roles where rolname = $1) as role_exists, current_database() as database`,
    [role],
  );
  const facts = rows[0];
  if (facts === undefined || facts.is_owner) return { appRoleIsOwner: true };
  const name = client.escapeIdentifier(role);
  if (!facts.role_exists) await createRole(client, role);
  const statements = [
    ...(password === undefined ? [] : [`alter role ${name} login password ${client.escapeLiteral(password)}`]),
    `grant connect on database ${client.escapeIdentifier(facts.database)} to ${name}`,
    `grant usage on schema public to ${name}`,
    `revoke all on all tables in schema public from ${name}`,
    ...Object.entries(tableRights).map(([table, rights]) => `grant ${rights} on ${table} to ${name}`),
    `grant usage on all sequences in schema public to ${name}`,
    `grant execute on function append_audit(text, text[], uuid[], bigint) to ${name}`,
  ];
  await retryCollision(() => client.query(`begin; ${statements.join('; ')}; commit`), client);
  return { appRoleIsOwner: false };
}

async function createRole(client: pg.Client, role: string): Promise<void> {
  try {
    await client.query(`create role ${client.escapeIdentifier(role)} login`);
  } catch (error) {
    const { code } = error as { code?: string };
    // duplicate_object, unique_violation: another migration was faster.
    if (code === '42710' || code === '23505') return;
    throw new AppError('refused', `cannot create the database role ${role}: ${(error as Error).message}`, {
      hint: `Create it as a superuser ('create role ${role} login password …'), then migrate again.`,
      cause: error,
    });
  }
}

async function retryCollision(work: () => Promise<unknown>, client: pg.Client): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      await work();
      return;
    } catch (error) {
      await client.query('rollback');
      const { code, message } = error as { code?: string; message: string };
      const collided = code === 'XX000' && message.includes('concurrently updated');
      if (!collided && code !== '40P01') throw error;
      if (round === 20) throw error;
      await client.query('select pg_sleep(0.02)');
    }
  }
}
