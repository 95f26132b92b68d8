import { sql, type Selectable } from 'kysely';
import type { Database } from '../connect';
import { jsonText, storableText } from '../json-text';
import type { SigningKeysTable } from '../schema';

/** A public key and whose it is. Times are ISO 8601. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  id: string;
  person: string;
  /** JSON Web Key: kty OKP, crv Ed25519 (RFC 8037). */
  publicKey: Record<string, unknown>;
  registeredAt: string;
  /** The database role that registered it. */
  registeredBy: string;
  revokedAt: string | null;
  revokedBy: string | null;
}

/** Adds a key. False where this person has it already; `taken` where it is somebody else's. A revoked key stays revoked. */
export async function insertSigningKey(
  db: Database,
  { id, person, publicKey }: Pick<SigningKey, 'id' | 'person' | 'publicKey'>,
): Promise<'added' | 'known' | 'taken' | 'revoked'> {
  const added = await db
    .insertInto('signing_keys')
    .values({ kid: id, person, public_key: jsonText(publicKey) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('kid')
    .executeTakeFirst();
  if (added !== undefined) return 'added';
  const present = await db.selectFrom('signing_keys').selectAll().where('kid', '=', id).executeTakeFirst();
  if (present?.person !== person) return 'taken';
  return present.revoked_at === null ? 'known' : 'revoked';
}

export async function listSigningKeys(db: Database, filter: { person?: string; includeRevoked?: boolean } = {}): Promise<SigningKey[]> {
  let query = db.selectFrom('signing_keys').selectAll().orderBy('person').orderBy('registered_at');
  if (filter.person !== undefined) query = query.where('person', '=', storableText(filter.person));
  if (filter.includeRevoked !== true) query = query.where('revoked_at', 'is', null);
  return (await query.execute()).map(keyOfRow);
}

/** Those of the ids that are registered, revoked ones too. */
export async function findSigningKeys(db: Database, ids: readonly string[]): Promise<Map<string, SigningKey>> {
  const known = ids.filter((id) => storableText(id) === id);
  if (known.length === 0) return new Map();
  const rows = await db.selectFrom('signing_keys').selectAll().where('kid', 'in', known).execute();
  return new Map(rows.map((row) => [row.kid, keyOfRow(row)]));
}

/** What it signs counts no more; what it has signed stands. False where there is no such key, or it is revoked already. */
export async function revokeSigningKey(db: Database, id: string): Promise<boolean> {
  const revoked = await db
    .updateTable('signing_keys')
    .set({ revoked_at: sql`now()`, revoked_by: sql`session_user` })
    .where('kid', '=', storableText(id))
    .where('revoked_at', 'is', null)
    .returning('kid')
    .executeTakeFirst();
  return revoked !== undefined;
}

/** Marks the token of a start as used by a run. False where another run has used it. */
export async function useStartToken(db: Database, jti: string, rootRunId: string): Promise<boolean> {
  await db
    .insertInto('start_tokens')
    .values({ jti, root_run_id: rootRunId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { root_run_id: user } = await db.selectFrom('start_tokens').select('root_run_id').where('jti', '=', jti).executeTakeFirstOrThrow();
  return user === rootRunId;
}

function keyOfRow(row: Selectable<SigningKeysTable>): SigningKey {
  return {
    id: row.kid,
    person: row.person,
    publicKey: row.public_key,
    registeredAt: row.registered_at.toISOString(),
    registeredBy: row.registered_by,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    revokedBy: row.revoked_by,
  };
}
