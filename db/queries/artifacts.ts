import type { Database } from '../connect';
import { sha256Hex } from '../hash';

/** Keeps bytes under their sha256 (64 hex digits), which it gives back; the same bytes are kept once. */
export async function insertArtifact(db: Database, bytes: Uint8Array, mediaType: string): Promise<string> {
  const sha256 = sha256Hex(bytes);
  await db
    .insertInto('artifacts')
    .values({ sha256, media_type: mediaType, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return sha256;
}

export interface Artifact {
  sha256: string;
  mediaType: string;
  bytes: Buffer;
}

/** Takes `sha256:<hex>` too: the form in which results refer to artifacts. */
export async function loadArtifact(db: Database, reference: string): Promise<Artifact | undefined> {
  const sha256 = reference.startsWith('sha256:') ? reference.slice('sha256:'.length) : reference;
  const row = await db.selectFrom('artifacts').select(['sha256', 'media_type', 'bytes']).where('sha256', '=', sha256).executeTakeFirst();
  return row === undefined ? undefined : { sha256: row.sha256, mediaType: row.media_type, bytes: row.bytes };
}
