import { sql } from 'kysely';
import type { Database } from '../connect';

export interface NewDefinition {
  id: string;
  /** The file's text, as written. */
  source: string;
  format: 'yaml' | 'toml';
  /** Canonical text of the plan, and its sha256. */
  planText: string;
  planHash: string;
}

export interface Definition {
  id: string;
  version: number;
  planHash: string;
  source: string;
  format: 'yaml' | 'toml';
  publishedAt: Date;
}

/**
 * Publishes a definition under its id. Versions are integers from 1; the same plan is the same version. Several at once are safe:
 * publishers of one id wait for each other.
 */
export async function publishDefinition(db: Database, input: NewDefinition): Promise<{ id: string; version: number; isNew: boolean }> {
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`vapora.definition/${input.id}`}, 0))`.execute(trx);
    await insertPlan(trx, input);
    const rows = await trx.selectFrom('definitions').select(['version', 'plan_hash']).where('id', '=', input.id).execute();
    const same = rows.find((row) => row.plan_hash === input.planHash);
    if (same !== undefined) return { id: input.id, version: same.version, isNew: false };
    const version = Math.max(0, ...rows.map((row) => row.version)) + 1;
    await trx
      .insertInto('definitions')
      .values({ id: input.id, version, plan_hash: input.planHash, source: input.source, format: input.format })
      .execute();
    return { id: input.id, version, isNew: true };
  });
}

/** One version, or the newest. */
export async function findDefinition(db: Database, id: string, version?: number): Promise<Definition | undefined> {
  let query = db.selectFrom('definitions').selectAll().where('id', '=', id).orderBy('version', 'desc').limit(1);
  if (version !== undefined) query = query.where('version', '=', version);
  const row = await query.executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    id: row.id,
    version: row.version,
    planHash: row.plan_hash,
    source: row.source,
    format: row.format,
    publishedAt: row.published_at,
  };
}

export interface DefinitionSummary {
  id: string;
  /** The newest. */
  version: number;
  planHash: string;
  publishedAt: Date;
  versions: number;
}

/** The newest version of each definition, by id. */
export async function listDefinitions(db: Database): Promise<DefinitionSummary[]> {
  const rows = await db
    .selectFrom('definitions')
    .distinctOn('id')
    .select(({ fn }) => [
      'id',
      'version',
      'plan_hash',
      'published_at',
      fn
        .countAll<number>()
        .over((over) => over.partitionBy('id'))
        .as('versions'),
    ])
    .orderBy('id')
    .orderBy('version', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    version: row.version,
    planHash: row.plan_hash,
    publishedAt: row.published_at,
    versions: Number(row.versions),
  }));
}

/** Keeps a plan's canonical text under its sha256. */
export async function insertPlan(db: Database, plan: { planHash: string; planText: string }): Promise<void> {
  await db
    .insertInto('plans')
    .values({ sha256: plan.planHash, text: plan.planText })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Canonical text of a plan, or null. */
export async function findPlanText(db: Database, planHash: string): Promise<string | null> {
  const row = await db.selectFrom('plans').select('text').where('sha256', '=', planHash).executeTakeFirst();
  return row?.text ?? null;
}
