import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { AppError } from '../core/contract/errors';
import type { DatabaseSchema } from './schema';

/** A pool of connections with typed queries. `destroy()` closes it. */
export type Database = Kysely<DatabaseSchema>;

export interface ConnectOptions {
  /** Connections at most; each worker process has its own pool. */
  max?: number | undefined;
  /** Shown in pg_stat_activity. */
  applicationName?: string | undefined;
  /** How long to wait for the first connection. */
  connectTimeoutMs?: number | undefined;
}

/**
 * Opens a pool on `url` and proves with one query that the server answers.
 * Throws AppError `unavailable` when it does not.
 */
export async function connectDatabase(url: string, options: ConnectOptions = {}): Promise<Database> {
  const pool = createPool(url, options);
  try {
    const client = await pool.connect();
    client.release();
  } catch (error) {
    await pool.end();
    throw cannotConnect(url, error);
  }
  return new Kysely<DatabaseSchema>({ dialect: new PostgresDialect({ pool }) });
}

/** The AppError for a server that does not answer; the password never shows. */
export function cannotConnect(url: string, cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message || (cause as { code?: string }).code || cause.name : String(cause);
  return new AppError('unavailable', `cannot connect to Postgres at ${addressOf(url)}: ${why}`, {
    hint: "Start one with 'vapora dev', or set DATABASE_URL to a Postgres that runs.",
    cause,
  });
}

function createPool(url: string, options: ConnectOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'vapora',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    keepAlive: true,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: async (client) => {
      // Our statements are long: planning them anew for the values of each call took longer than running them.
      await client.query('set plan_cache_mode = force_generic_plan');
    },
    types: { getTypeParser },
    Client: NamingClient,
  });
  // A broken idle connection leaves the pool by itself; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

const namePattern = /^\/\* prepared: ([a-z0-9_.-]{1,60}) \*\//;

type Query = (...args: unknown[]) => unknown;

/**
 * Prepares the statements that begin with `/* prepared: name *\/` once per connection: the statements of the hot path are long,
 * and parsing and planning them anew would cost more than running them.
 */
class NamingClient extends pg.Client {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- stands for all overloads of pg's query
  override query(...args: unknown[]): any {
    const [text, values, ...rest] = args;
    const name = typeof text === 'string' && Array.isArray(values) ? namePattern.exec(text)?.[1] : undefined;
    return (super.query as Query).apply(this, name === undefined ? args : [{ name, text, values }, ...rest]);
  }
}

const int8: number = pg.types.builtins.INT8;
const numeric: number = pg.types.builtins.NUMERIC;

/** bigint and numeric become numbers where that loses nothing, else text. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg's own signature
function getTypeParser(oid: number, format?: any): any {
  if (oid === int8) return parseInteger;
  if (oid === numeric) return Number;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-argument -- as above
  return pg.types.getTypeParser(oid, format);
}

function parseInteger(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

function addressOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  } catch {
    return 'the given address';
  }
}
