import { ApplicationFailure } from '@temporalio/common';
import type { Continuation } from '../core/contract/continuation';
import type { LoadRunInput, SaveRunInput } from '../core/contract/local-activities';
import type { Database } from '../db/connect';
import { insertArtifact, loadArtifact } from '../db/queries/artifacts';
import { noteContinuation } from '../db/queries/continuations';
import type { TextPieces } from './text-pieces';

/** Keeps a run until its next execution reads it. */
export async function saveRun(db: Database, pieces: TextPieces, { text }: SaveRunInput): Promise<Continuation> {
  const saved = await insertArtifact(db, Buffer.from(text, 'utf8'), 'application/json');
  return { schemaVersion: 1, saved, pieces: pieces.count(saved, text) };
}

/** One piece of it. With the first one the execution is known to continue the run, which a reset does not. */
export async function loadRun(db: Database, pieces: TextPieces, { run, saved, piece, atMs }: LoadRunInput): Promise<Uint8Array> {
  const artifact = await loadArtifact(db, saved);
  if (artifact === undefined) {
    throw ApplicationFailure.create({
      type: 'NotFound',
      message: `what the run was when it was continued (${saved}) is missing in the database`,
      nonRetryable: true,
    });
  }
  if (piece === 0) await noteContinuation(db, run, atMs);
  return pieces.piece(saved, artifact.bytes.toString('utf8'), piece);
}
