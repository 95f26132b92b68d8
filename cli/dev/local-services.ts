import { dirname, join } from 'node:path';
import { AppError } from '../../core/contract/errors';
import { defaultTaskQueue } from '../../core/contract/names';
import type { Environment, EnvironmentCrash } from '../../embedded/environment';
import type { RunningWorker } from '../../workers/start-worker';
import type { CommandContext } from '../command';
import { isStrict } from '../sign-requests';
import { createWorkerLog } from '../worker-log';

/** An embedded Postgres, Temporal and worker of this process's own. */
export interface LocalServices {
  environment: Environment;
  /** Rejects when a part ends by itself; never resolves before `stop`. */
  ended: Promise<void>;
  /** Worker first, then the servers. */
  stop(): Promise<void>;
}

/**
 * Starts everything a run needs, in the current folder's `.vapora`. Progress goes to standard error. AppError `refused` where an
 * environment runs here already, `unavailable` where a part cannot start; nothing is left running then.
 */
export async function startLocalServices(context: CommandContext): Promise<LocalServices> {
  const { io, note, options } = context;
  const [{ startEnvironment }, { migrateDatabase }, { ensureSearchAttributes }, { Connection }] = await Promise.all([
    import('../../embedded/environment.js'),
    import('../../db/migrate.js'),
    import('../../client/search-attributes.js'),
    import('@temporalio/client'),
  ]);
  let onCrash: (crash: EnvironmentCrash) => void = () => undefined;
  const crashed = new Promise<never>((_, reject) => {
    onCrash = (crash) => reject(crashError(crash));
  });
  // Whoever waits for `ended` sees it; nobody has to.
  crashed.catch(() => undefined);
  const environment = await startEnvironment({
    projectDir: io.cwd,
    onProgress: ({ part, message }) => note(`${part}: ${message}`),
    onCrash: (crash) => onCrash(crash),
    signal: io.signal,
    migrate: migrateDatabase,
    async registerSearchAttributes({ temporalAddress, temporalNamespace }) {
      const connection = await Connection.connect({ address: temporalAddress });
      try {
        await ensureSearchAttributes(connection, temporalNamespace);
      } finally {
        await connection.close();
      }
    },
  });
  const worker = await startWorkerOn(environment, context, options.text('taskQueue')).catch(async (error: unknown) => {
    await environment.stop();
    throw error;
  });
  const ended = Promise.race([crashed, worker.done]);
  ended.catch(() => undefined);
  let stopping: Promise<void> | undefined;
  return {
    environment,
    ended,
    stop() {
      stopping ??= worker
        .shutdown()
        // A worker that failed has said so through `ended`; the servers must stop all the same.
        .catch(() => undefined)
        .then(() => environment.stop());
      return stopping;
    },
  };
}

async function startWorkerOn(environment: Environment, context: CommandContext, taskQueue: string | undefined): Promise<RunningWorker> {
  const { startWorker } = await import('../../workers/start-worker.js');
  const { temporalAddress, temporalNamespace, databaseUrl, dataDir } = environment;
  context.note('worker: starting');
  return startWorker({
    temporalAddress,
    namespace: temporalNamespace,
    databaseUrl,
    taskQueue: taskQueue ?? defaultTaskQueue,
    strict: context.options.flag('strict') || isStrict(context.io.variables),
    dataDir,
    log: createWorkerLog(context, { file: join(dirname(environment.environmentFile), 'log', 'worker.log') }),
  });
}

function crashError({ part, message, logFile }: EnvironmentCrash): AppError {
  return new AppError('unavailable', `${part} ended by itself: ${message}`, { hint: `see ${logFile}, then start again` });
}
