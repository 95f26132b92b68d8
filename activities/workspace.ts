import { createHash } from 'node:crypto';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { dataFolders } from '../core/contract/data-folders';

/** In UTF-16 units, three bytes each at most: file systems allow 255 bytes. */
const maxNameLength = 60;

/** A file name that any id can become: no separators, no leading dot, never empty. */
export function fileNameOf(id: string): string {
  const name = id.replace(/[^\p{L}\p{N}_.-]/gu, '_').slice(0, maxNameLength);
  return name === '' || name.startsWith('.') ? `_${name}` : name;
}

/**
 * Where one effect's things are kept: a folder of its run, and in it a name of its own. Ids that differ only in what a file name
 * cannot hold get different names by the hash of the key.
 */
export function placeOf(idempotencyKey: string): { run: string; name: string } {
  const [rootRunId = '', ...rest] = idempotencyKey.split('/');
  const digest = createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 8);
  return { run: fileNameOf(rootRunId), name: `${fileNameOf(rest.join('/'))}-${digest}` };
}

/** The directory of one effect: the same for all its attempts, so that an agent can go on where it was killed. */
export function workspacePathOf(dataDir: string, idempotencyKey: string): string {
  const { run, name } = placeOf(idempotencyKey);
  return resolve(dataDir, dataFolders.workspaces, run, name);
}

/** Makes the directory on first use: most agents of a simulated run never need one. */
export function createWorkspace(dataDir: string, idempotencyKey: string): () => Promise<string> {
  let made: Promise<string> | undefined;
  return () => (made ??= makeDirectory(workspacePathOf(dataDir, idempotencyKey)));
}

async function makeDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Removes the directory of an effect at which nobody works any more, and its run's folder when it was the last one. */
export async function removeWorkspace(dataDir: string, idempotencyKey: string): Promise<void> {
  const path = workspacePathOf(dataDir, idempotencyKey);
  await rm(path, { recursive: true, force: true });
  await rmdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
  });
}
