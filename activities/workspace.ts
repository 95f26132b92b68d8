import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';

/** In UTF-16 units, three bytes each at most: file systems allow 255 bytes. */
const maxNameLength = 60;

/** A file name that any id can become: no separators, no leading dot, never empty. */
export function fileNameOf(id: string): string {
  const name = id.replace(/[^\p{L}\p{N}_.-]/gu, '_').slice(0, maxNameLength);
  return name === '' || name.startsWith('.') ? `_${name}` : name;
}

/**
 * The directory of one effect: the same for all its attempts, so that an agent can go on where it was killed. Ids that differ
 * only in what a file name cannot hold get different directories by the hash of the key.
 */
export function workspacePathOf(dataDir: string, idempotencyKey: string): string {
  const [rootRunId = '', ...rest] = idempotencyKey.split('/');
  const digest = createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 8);
  const folder = isAbsolute(dataDir) ? dataDir : resolve(dataDir);
  return join(folder, 'workspaces', fileNameOf(rootRunId), `${fileNameOf(rest.join('/'))}-${digest}`);
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
