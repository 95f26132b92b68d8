import { AppError, isAppError } from '../core/contract/errors';
import type { Database } from '../db/connect';
import type { VaporaClient } from './connect';

/** SQLSTATEs. */
const undefinedTable = '42P01';
const undefinedColumn = '42703';
const undefinedFunction = '42883';
const insufficientPrivilege = '42501';
const connectionCodes: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P03', '08006', '08003']);

/** Runs a query and explains its failure: AppError `unavailable`, or `not_registered` where the database was not migrated. */
export async function callDatabase<T>(client: VaporaClient, call: (db: Database) => Promise<T>): Promise<T> {
  const db = await client.database();
  try {
    return await call(db);
  } catch (error) {
    throw explainDatabaseError(error);
  }
}

export function explainDatabaseError(error: unknown): unknown {
  if (isAppError(error)) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code === undefinedTable || code === undefinedColumn || code === undefinedFunction || code === insufficientPrivilege) {
    return new AppError('not_registered', `the database is not set up for this vapora: ${message ?? code}`, {
      hint: "run 'vapora db migrate'",
      cause: error,
    });
  }
  if (code !== undefined && connectionCodes.has(code)) {
    return new AppError('unavailable', `Postgres went away: ${message || code}`, {
      hint: 'try again; vapora doctor shows what runs',
      cause: error,
    });
  }
  return error;
}
