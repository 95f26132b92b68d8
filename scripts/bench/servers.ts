import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { startBenchEnvironment } from './environment';
import type { BenchEnvironment } from './environment';
import { spawnWorker } from './spawned-worker';
import type { SpawnedWorker } from './spawned-worker';
import type { WorkerProcessOptions } from './worker-process';

export interface ServersOptions {
  /** One worker process of each. */
  kinds: readonly WorkerProcessOptions['kind'][];
  durable: boolean;
  overrides: Partial<WorkerOptions>;
  signal: AbortSignal;
}

export interface Servers {
  environment: BenchEnvironment;
  client: Client;
  workers: SpawnedWorker[];
}

/** Starts servers, workers and a client, and stops them when `use` ends, fails or is interrupted. */
export async function withServers<Result>(
  { kinds, durable, overrides, signal }: ServersOptions,
  use: (servers: Servers) => Promise<Result>,
): Promise<Result> {
  const environment = await startBenchEnvironment({ durable, signal });
  const cleanups: (() => Promise<unknown>)[] = [environment.stop];
  try {
    const { temporalAddress, databaseUrl, dataDir } = environment;
    const workers: SpawnedWorker[] = [];
    for (const kind of kinds) {
      const worker = await spawnWorker({ kind, temporalAddress, databaseUrl, dataDir, overrides });
      cleanups.push(worker.stop);
      workers.push(worker);
    }
    const connection = await Connection.connect({ address: temporalAddress });
    cleanups.push(() => connection.close());
    return await Promise.race([use({ environment, client: new Client({ connection }), workers }), rejectedOn(signal)]);
  } finally {
    for (const cleanUp of cleanups.reverse()) await cleanUp();
  }
}

export async function rejectedOn(signal: AbortSignal): Promise<never> {
  while (!signal.aborted) await delay(100, undefined, { ref: false });
  throw signal.reason;
}
