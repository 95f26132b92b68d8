import pg from 'pg';
import { AppError } from '../core/contract/errors';
import { grantToAppRole } from './app-role';
import { cannotConnect } from './connect';
import { sha256Hex } from './hash';
import { migrations } from './migrations';
import type { Migration } from './migrations/migration';

export interface MigrateOptions {
  /** Connection of the owner: it may create tables and, once, the application's role. */
  adminUrl: string;
  /** The role that DATABASE_URL uses. */
  appRole?: string | undefined;
  /** Set on the role when given; otherwise the role's password stays as it is (none for a new one). */
  appPassword?: string | undefined;
}

export interface MigrationReport {
  /** Applied by this call. */
  applied: { version: number; name: string }[];
  version: number;
  /** True when the application connects as the owner: then nothing but good manners protects the audit trail. */
  appRoleIsOwner: boolean;
}

export interface MigrationStatus {
  applied: { version: number; name: string; appliedAt: string }[];
  pending: { version: number; name: string }[];
  /** Applied by a newer vapora than this one. */
  unknown: { version: number; name: string }[];
  /** Applied with another text than this vapora has. */
  changed: { version: number; name: string }[];
  upToDate: boolean;
}

/** Any number, the same in every vapora: two migrations of one database wait for each other. */
const lockKey = 8_672_101;

/**
 * Brings the database to the newest schema and gives the application's role its rights. Two at once are safe: the second waits
 * and finds nothing to do. Throws AppError `unavailable`, or `refused` when the database was migrated by another vapora.
 */
export async function migrateDatabase(options: MigrateOptions): Promise<MigrationReport> {
  const appRole = options.appRole ?? 'vapora_app';
  return withClient(options.adminUrl, async (client) => {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    try {
      await client.query(`set client_min_messages = warning; create table if not exists schema_migrations (
        version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`);
      const status = await readStatus(client);
      refuseForeignHistory(status);
      for (const { version } of status.pending) await applyMigration(client, migrationOf(version));
      const { appRoleIsOwner } = await grantToAppRole(client, appRole, options.appPassword);
      return { applied: status.pending, version: migrations.at(-1)?.version ?? 0, appRoleIsOwner };
    } finally {
      await client.query('select pg_advisory_unlock($1)', [lockKey]);
    }
  });
}

/** What is applied and what is not; works with the application's role too. */
export async function migrationStatus(url: string): Promise<MigrationStatus> {
  return withClient(url, readStatus);
}

interface AppliedRow {
  version: number;
  name: string;
  checksum: string;
  applied_at: Date;
}

async function readStatus(client: pg.Client): Promise<MigrationStatus> {
  const { rows: found } = await client.query<{ found: boolean }>(`select to_regclass('schema_migrations') is not null as found`);
  const { rows } =
    found[0]?.found === true
      ? await client.query<AppliedRow>('select version, name, checksum, applied_at from schema_migrations order by version')
      : { rows: [] };
  const applied = new Map(rows.map((row) => [row.version, row]));
  const label = ({ version, name }: { version: number; name: string }) => ({ version, name });
  const pending = migrations.filter((migration) => !applied.has(migration.version)).map(label);
  const unknown = rows.filter((row) => !migrations.some((migration) => migration.version === row.version)).map(label);
  const changed = migrations.filter(
    (migration) => (applied.get(migration.version)?.checksum ?? checksumOf(migration)) !== checksumOf(migration),
  );
  return {
    applied: rows.map((row) => ({ ...label(row), appliedAt: row.applied_at.toISOString() })),
    pending,
    unknown,
    changed: changed.map(label),
    upToDate: pending.length === 0 && changed.length === 0,
  };
}

function refuseForeignHistory(status: MigrationStatus): void {
  const changed = status.changed[0];
  if (changed !== undefined) {
    throw new AppError('refused', `migration ${changed.version} (${changed.name}) was applied with another text than this vapora has`, {
      hint: 'Use the vapora version that made this database, or a new database.',
    });
  }
  const unknown = status.unknown[0];
  if (unknown !== undefined && status.pending.length > 0) {
    throw new AppError('refused', `the database has migration ${unknown.version} (${unknown.name}), which this vapora does not know`, {
      hint: 'Update vapora to at least the version that made this database.',
    });
  }
}

async function applyMigration(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      checksumOf(migration),
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new AppError('internal', `migration ${migration.version} (${migration.name}) failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function migrationOf(version: number): Migration {
  const migration = migrations.find((candidate) => candidate.version === version);
  if (migration === undefined) throw new AppError('internal', `no migration ${version}`);
  return migration;
}

function checksumOf(migration: Migration): string {
  return sha256Hex(migration.sql);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'vapora-migrate', connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
  } catch (error) {
    throw cannotConnect(url, error);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
