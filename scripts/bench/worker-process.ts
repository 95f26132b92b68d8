import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';
import pino from 'pino';
import { bundleOptions } from '../../workers/bundle';
import { installRuntime } from '../../workers/logger';
import type { RunningWorker } from '../../workers/start-worker';
import { startWorker } from '../../workers/start-worker';
import { workerTuning } from '../../workers/tuning';
import { startCpuProfile } from './cpu-profile';
import { baselineBundleOptions, startBaselineWorker } from './baseline/worker';

/** One worker in a process of its own, told what to do by its parent: neither side shares a CPU thread with the other. */
export interface WorkerProcessOptions {
  kind: 'ours' | 'baseline';
  temporalAddress: string;
  databaseUrl: string;
  dataDir: string;
  /** Laid over the product's settings, for both kinds alike. */
  overrides: Partial<WorkerOptions>;
  /** Where to leave a CPU profile of what it did between start and stop. */
  profileFile?: string;
}

/** Of the whole process, all threads, since it began. */
export interface WorkerUsage {
  cpuMs: number;
  /** The most memory that it has held at once. */
  peakRssBytes: number;
}

/** Parent to worker. */
export type WorkerRequest = { type: 'usage' } | { type: 'stop' };
/** Worker to parent. */
export type WorkerReply = { type: 'ready' } | ({ type: 'usage' } & WorkerUsage) | { type: 'failed'; message: string };

function reply(message: WorkerReply): void {
  process.send?.(message);
}

async function start(options: WorkerProcessOptions): Promise<RunningWorker> {
  const { kind, temporalAddress, databaseUrl, dataDir, overrides } = options;
  // startWorker reads the shared settings, so that is where an experiment changes them.
  Object.assign(workerTuning.options, overrides);
  const log = pino({ level: 'error' });
  installRuntime(log);
  const workflowBundle = await bundleQuietly(kind === 'ours' ? bundleOptions : baselineBundleOptions, join(dataDir, `bench-${kind}.js`));
  return kind === 'ours'
    ? startWorker({ temporalAddress, databaseUrl, dataDir, log, workflowBundle })
    : startBaselineWorker({ temporalAddress, databaseUrl, workflowBundle, options: workerTuning.options });
}

async function bundleQuietly(options: BundleOptions, codePath: string): Promise<{ codePath: string }> {
  const { code } = await bundleWorkflowCode({ ...options, logger: new DefaultLogger('WARN') });
  writeFileSync(codePath, code);
  return { codePath };
}

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '{}') as WorkerProcessOptions;
  const worker = await start(options);
  const { profileFile } = options;
  const writeProfile = profileFile === undefined ? undefined : await startCpuProfile();
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= worker.shutdown();
  };
  process.on('message', (request: WorkerRequest) => {
    if (request.type === 'stop') stop();
    else {
      const { user, system } = process.cpuUsage();
      reply({ type: 'usage', cpuMs: (user + system) / 1000, peakRssBytes: process.resourceUsage().maxRSS * 1024 });
    }
  });
  // The parent is gone, whatever happened to it.
  process.on('disconnect', stop);
  // Ctrl-C reaches the whole group; the parent stops us in order.
  process.on('SIGINT', () => undefined);
  reply({ type: 'ready' });
  await worker.done;
  if (profileFile !== undefined) await writeProfile?.(profileFile);
  process.disconnect?.();
}

main().catch((error: unknown) => {
  reply({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
});
