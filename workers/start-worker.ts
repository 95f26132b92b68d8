import { hostname } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities';
import type { HistoryLimits } from '../core/contract/history-limits';
import { AppError } from '../core/contract/errors';
import { defaultNamespace, defaultTaskQueue } from '../core/contract/names';
import { connectDatabase } from '../db/connect';
import type { Database } from '../db/connect';
import { loadWorkflowBundle, payloadConverterPath } from './bundle';
import { sweepDaily } from './daily-sweep';
import { installRuntime, toTemporalLogger } from './logger';
import { workerTuning } from './tuning';

export interface StartWorkerOptions {
  temporalAddress: string;
  /** TLS, API key and the like, for servers that want them. */
  connection?: Pick<NativeConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
  namespace?: string;
  /** Null: only runs with recording `none` are served. */
  databaseUrl: string | null;
  taskQueue?: string;
  /** Workspaces of command agents are below it. */
  dataDir: string;
  log: Logger;
  identity?: string;
  /** From where on runs continue as new. Default: somewhat below the server's own limits. */
  historyLimits?: HistoryLimits | undefined;
  /** The runs that it plans take signed requests only. */
  strict?: boolean;
  /** Instead of the built bundle: tests make one for all their workers. */
  workflowBundle?: { codePath: string };
}

export interface RunningWorker {
  /** Settles when the worker has stopped; rejects when it could not go on. */
  done: Promise<void>;
  /** Stops polling, lets what runs finish within the grace time, closes the connections. */
  shutdown(): Promise<void>;
}

export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const { temporalAddress, namespace = defaultNamespace, taskQueue = defaultTaskQueue, databaseUrl, dataDir, log } = options;
  const identity = options.identity ?? `${process.pid}@${hostname()}`;
  installRuntime(log);
  const connection = await NativeConnection.connect({ ...options.connection, address: temporalAddress }).catch((cause: unknown) => {
    throw new AppError('unavailable', `no Temporal server at ${temporalAddress}`, { hint: "start one with 'vapora dev'", cause });
  });
  let db: Database | null = null;
  let stopSweeping: (() => Promise<void>) | undefined;
  const close = async (): Promise<void> => {
    await stopSweeping?.();
    await Promise.allSettled([connection.close(), db?.destroy()]);
  };
  try {
    if (databaseUrl !== null) db = await connectDatabase(databaseUrl, { max: workerTuning.databaseConnections });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      identity,
      workflowBundle: options.workflowBundle ?? (await loadWorkflowBundle()),
      dataConverter: { payloadConverterPath },
      activities: createActivities({
        db,
        dataDir,
        log: toTemporalLogger(log),
        workerIdentity: identity,
        historyLimits: options.historyLimits,
        strict: options.strict,
      }),
      ...workerTuning.options,
    });
    stopSweeping = sweepDaily({ db, dataDir, log });
    const done = worker.run().finally(close);
    return {
      done,
      async shutdown() {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await done;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
