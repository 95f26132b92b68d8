import { findRun, type RunRecord } from '../db/queries/runs';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { runNotFound } from './temporal-errors';

/** What Postgres knows of the newest run of an id, or of the run with that run id. AppError `not_found`, `unavailable`. */
export async function requireRun(client: VaporaClient, id: string): Promise<RunRecord> {
  const run = await callDatabase(client, (db) => findRun(db, id));
  if (run === null) throw runNotFound(id);
  return run;
}
