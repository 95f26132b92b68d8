import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time';

import { keptRunDays } from '../core/contract/data-folders';
import { AppError } from '../core/contract/errors';
import { defaultNamespace, searchAttributes } from '../core/contract/names';
import { findFreePort, isListening } from './free-port';
import type { EnvironmentPaths } from './paths';
import type { ProgressListener } from './progress';
import { startSupervised, type ProcessGuard, type SupervisedProcess } from './supervised-process';
import { resolveTemporalBinary, type TemporalBinary } from './temporal-binary';

export interface TemporalServerOptions {
  paths: EnvironmentPaths;
  /** Taken if free; otherwise, and without them, any free ports. */
  usualPort?: number | undefined;
  usualUiPort?: number | undefined;
  /** Nothing is kept after the server ends: tests. */
  inMemory?: boolean | undefined;
  guard?: ProcessGuard | undefined;
  onProgress?: ProgressListener | undefined;
  /** Called as soon as the server process exists, so that it can be written down. */
  onSpawn?: ((process: SupervisedProcess) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface RunningTemporal {
  /** `host:port` of the gRPC frontend. */
  address: string;
  namespace: string;
  uiUrl: string;
  metricsUrl: string;
  binary: TemporalBinary;
  process: SupervisedProcess;
  stop(): Promise<void>;
}

interface Ports {
  grpc: number;
  ui: number;
  http: number;
  metrics: number;
}

const maxStarts = 5;
const readyTimeoutMs = 60_000;

/** Starts the Temporal dev server and waits until its default namespace answers. Leaves no process behind on failure. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<RunningTemporal> {
  const report = (message: string): void => options.onProgress?.({ part: 'temporal', message });
  const binary = await resolveTemporalBinary({ binDir: options.paths.binDir, onProgress: options.onProgress, signal: options.signal });
  report('starting');
  const { server, ports } = await startServer(binary, options);
  const address = `127.0.0.1:${ports.grpc}`;
  report(`ready on ${address}`);
  return {
    address,
    namespace: defaultNamespace,
    uiUrl: `http://127.0.0.1:${ports.ui}`,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    binary,
    process: server,
    // Nobody will read what an in-memory server knows, so it need not say goodbye.
    stop: () => server.stop(options.inMemory === true ? { signal: 'SIGKILL' } : {}),
  };
}

/** Between finding ports free and binding them, somebody else may: then again with other ones. */
async function startServer(binary: TemporalBinary, options: TemporalServerOptions): Promise<{ server: SupervisedProcess; ports: Ports }> {
  const tried = new Set<number>();
  for (let start = 1; ; start++) {
    options.signal?.throwIfAborted();
    const ports = await choosePorts(options, tried);
    const server = await startSupervised({
      name: 'the Temporal dev server',
      command: binary.path,
      args: serverArguments(ports, options),
      env: temporalEnvironment(),
      logFile: `${options.paths.logDir}/temporal.log`,
      // It has no children, and SQLite's journal survives a kill.
      deathSignal: 'SIGKILL',
      stopSignal: 'SIGTERM',
      guard: options.guard,
    });
    options.onSpawn?.(server);
    try {
      await waitUntilReady(server, ports.grpc, options.signal);
      if (options.inMemory !== true) await keepEndedRuns(ports.grpc);
      return { server, ports };
    } catch (error) {
      const log = server.readLog('beginning');
      await server.stop({ signal: 'SIGKILL' });
      if (start < maxStarts && /address already in use|Failed to start gRPC listener/i.test(log)) continue;
      throw error;
    }
  }
}

async function choosePorts(options: TemporalServerOptions, tried: Set<number>): Promise<Ports> {
  const choose = async (usual?: number): Promise<number> => {
    const port = await findFreePort(usual, tried);
    tried.add(port);
    return port;
  };
  return {
    grpc: await choose(options.usualPort),
    ui: await choose(options.usualUiPort),
    http: await choose(),
    metrics: await choose(),
  };
}

function serverArguments(ports: Ports, options: TemporalServerOptions): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1'],
    ...['--port', String(ports.grpc), '--ui-port', String(ports.ui)],
    ...['--http-port', String(ports.http), '--metrics-port', String(ports.metrics)],
    ...['--log-level', 'error', '--ui-disable-news-fetch'],
    ...(options.inMemory === true ? [] : ['--db-filename', options.paths.temporalDatabaseFile, ...writeAheadLog]),
    // A new database has them from its first moment; an existing one gets missing ones through the API.
    ...Object.values(searchAttributes).flatMap((name) => [
      '--search-attribute',
      `${name}=${name === searchAttributes.blockedOn ? 'KeywordList' : 'Keyword'}`,
    ]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${JSON.stringify(value)}`]),
  ];
}

/**
 * With SQLite's rollback journal every event waits for the disk twice: a chain of 100 steps took 7.2 s instead of 1.9 s. The
 * write-ahead log survives a killed process; a power cut may cost the last moment, never consistency.
 */
const writeAheadLog = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'];

/** Server settings that matter for a busy local server. */
const dynamicConfig: Record<string, unknown> = {
  // Unset it acts as 20 a second: a chain of no-op steps then takes exactly 50 ms a step.
  'history.transferProcessorMaxPollRPS': 2000,
  // Unset it is one second: a timer of a millisecond, a retry's pause or a sample under a time scale fires a second late.
  'history.timerProcessorMaxTimeShift': '10ms',
  // Unset it is 100: as many signals during one workflow task make the server fail the task, and a flood, every task. The SDK may then go
  // on from what a failed task had done, which no replay repeats: the run is stuck. A run takes 10,000 signals at most. That 2 MB of them
  // fail a task stays as it is: a run of which the server must hold 8 MB it terminates.
  'history.maximumBufferedEventsBatch': 10_000,
};

/** Our environment without the variables that would point the CLI elsewhere. */
function temporalEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

async function waitUntilReady(server: SupervisedProcess, port: number, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  const check = (): void => {
    signal?.throwIfAborted();
    if (server.hasExited()) {
      throw new AppError('unavailable', `the Temporal dev server ended while starting: ${firstLines(server.readLog('beginning'))}`, {
        hint: `see ${server.logFile}`,
      });
    }
    if (Date.now() > deadline) {
      throw new AppError('unavailable', `the Temporal dev server did not answer within ${readyTimeoutMs / 1000} s`, {
        hint: `see ${server.logFile}`,
      });
    }
  };
  // The server prints its addresses when it listens. Without this line, an answer may be another server's on our port.
  while (!server.readLog('beginning').includes('Temporal Server:') || !(await isListening(port))) {
    check();
    await delay(20);
  }
  const connection = Connection.lazy({ address: `127.0.0.1:${port}` });
  try {
    for (;;) {
      check();
      const answered = await connection
        .withDeadline(Date.now() + 2_000, () => connection.workflowService.describeNamespace({ namespace: defaultNamespace }))
        .then(
          () => true,
          () => false,
        );
      if (answered) return;
      await delay(20);
    }
  } finally {
    await connection.close();
  }
}

/** The dev server's own; another one is what a user has chosen with `operator namespace update --retention`. */
const defaultRetentionMs = 24 * 60 * 60 * 1_000;

/** Ended runs stay in the Web UI, and can be asked, as long as what else is left of them: the dev server would forget them in a day. */
async function keepEndedRuns(port: number): Promise<void> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  try {
    const namespace = defaultNamespace;
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    if (optionalTsToMs(config?.workflowExecutionRetentionTtl) !== defaultRetentionMs) return;
    const workflowExecutionRetentionTtl = msToTs(keptRunDays * defaultRetentionMs);
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
  } finally {
    await connection.close();
  }
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, 5).join('\n');
}
