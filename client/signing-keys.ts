import { AppError } from '../core/contract/errors';
import { personName } from '../core/contract/person-name';
import { connectDatabase, type Database } from '../db/connect';
import {
  insertSigningKey,
  listSigningKeys as listKeyRows,
  revokeSigningKey as revokeKeyRow,
  type SigningKey,
} from '../db/queries/signing-keys';
import { callDatabase, explainDatabaseError } from './call-database';
import type { VaporaClient } from './connect';
import { identifyPublicKey } from './signing';

export type { SigningKey } from '../db/queries/signing-keys';

/** Keys by person. AppError `unavailable` without Postgres. */
export async function listSigningKeys(
  client: VaporaClient,
  filter: { person?: string | undefined; includeRevoked?: boolean | undefined } = {},
): Promise<SigningKey[]> {
  const { person, includeRevoked = false } = filter;
  return callDatabase(client, (db) => listKeyRows(db, { includeRevoked, ...(person !== undefined && { person: personName(person) }) }));
}

/**
 * Says whose a public key is, as the owner of the tables: the application's role may not. AppError `refused` without that right, or
 * where the key is another person's or was revoked; `bad_usage` where it is none.
 */
export async function registerSigningKey(
  ownerUrl: string,
  { person, publicKey }: { person: string; publicKey: unknown },
): Promise<{
  id: string;
  isNew: boolean;
}> {
  const identified = await identifyPublicKey(publicKey);
  const name = personName(person);
  const outcome = await asOwner(ownerUrl, 'register a key', (db) => insertSigningKey(db, { ...identified, person: name }));
  if (outcome === 'taken') {
    throw new AppError('refused', `the key ${identified.id} is another person's`, {
      hint: 'everybody makes a key of their own: vapora keys create',
    });
  }
  if (outcome === 'revoked') {
    throw new AppError('refused', `the key ${identified.id} was revoked`, { hint: 'make a new one: vapora keys create' });
  }
  return { id: identified.id, isNew: outcome === 'added' };
}

/** What the key signs counts no more; what it has signed stands. AppError `refused` without the right, `not_found` without such a key. */
export async function revokeSigningKey(ownerUrl: string, id: string): Promise<void> {
  if (await asOwner(ownerUrl, 'revoke a key', (db) => revokeKeyRow(db, id))) return;
  throw new AppError('not_found', `there is no key ${id} that is not revoked`, { hint: "'vapora keys list' shows them" });
}

async function asOwner<T>(ownerUrl: string, what: string, call: (db: Database) => Promise<T>): Promise<T> {
  const db = await connectDatabase(ownerUrl, { max: 1, applicationName: 'vapora-keys', connectTimeoutMs: 5_000 });
  try {
    return await call(db);
  } catch (error) {
    if ((error as { code?: string }).code === '42501') {
      throw new AppError('refused', `this role of the database may not ${what}`, {
        hint: 'connect as the owner of the tables: --migrate-url or VAPORA_MIGRATE_URL',
        cause: error,
      });
    }
    throw explainDatabaseError(error);
  } finally {
    await db.destroy();
  }
}
