import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { dataFolders, keptRunDays } from '../core/contract/data-folders';
import type { Database } from '../db/connect';
import { findRunsInUse } from '../db/queries/runs-in-use';

const dayMs = 24 * 60 * 60 * 1_000;
/** Asked of the database at once. */
const batchSize = 500;

/**
 * Removes the workspaces and logs of runs that ended long ago and in which nothing was made since; runs that the database does not
 * know count by that alone. Gives the folders it removed.
 */
export async function sweepRunFolders({
  db,
  dataDir,
  nowMs = Date.now(),
}: {
  db: Database | null;
  dataDir: string;
  nowMs?: number;
}): Promise<string[]> {
  const untilMs = nowMs - keptRunDays * dayMs;
  const removed: string[] = [];
  for (const parent of Object.values(dataFolders).map((name) => resolve(dataDir, name))) {
    const old: string[] = [];
    for (const run of await listFolders(parent)) if ((await newestChangeMs(join(parent, run))) < untilMs) old.push(run);
    for (let from = 0; from < old.length; from += batchSize) {
      const batch = old.slice(from, from + batchSize);
      const inUse = db === null ? new Set<string>() : await findRunsInUse(db, batch, { endedAfterMs: untilMs });
      for (const run of batch.filter((candidate) => !inUse.has(candidate))) {
        await rm(join(parent, run), { recursive: true, force: true });
        removed.push(join(parent, run));
      }
    }
  }
  return removed;
}

async function listFolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** When something was last made, or written, directly below the folder or one level deeper. */
async function newestChangeMs(folder: string): Promise<number> {
  let newestMs = (await stat(folder)).mtimeMs;
  for (const entry of await readdir(folder)) {
    // What is removed meanwhile was not old.
    const changedMs = await stat(join(folder, entry)).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    newestMs = Math.max(newestMs, changedMs);
  }
  return newestMs;
}
