import type { Logger } from 'pino';
import { sweepRunFolders } from '../activities/sweep-run-folders';
import type { Database } from '../db/connect';

const dayMs = 24 * 60 * 60 * 1_000;

/** Removes what old runs have left in the data folder: now, and once a day. Gives what ends it. */
export function sweepDaily({ db, dataDir, log }: { db: Database | null; dataDir: string; log: Logger }): () => Promise<void> {
  const sweep = async (): Promise<void> => {
    try {
      const removed = await sweepRunFolders({ db, dataDir });
      if (removed.length > 0) log.info({ folders: removed.length }, 'removed what runs that ended long ago had left');
    } catch (error) {
      log.warn({ cause: String(error) }, 'the data folder could not be swept');
    }
  };
  let sweeping = sweep();
  const timer = setInterval(() => void (sweeping = sweep()), dayMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await sweeping;
  };
}
