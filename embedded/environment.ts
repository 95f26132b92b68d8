import { AppError, isAppError } from '../core/contract/errors';
import { parseEnvironmentFile, removeEnvironmentFile, writeEnvironmentFile, type EnvironmentFile } from './environment-file';
import { acquireEnvironmentLock, type EnvironmentLock } from './environment-lock';
import { createStateDir, environmentPaths, type EnvironmentPaths } from './paths';
import { appRole } from './postgres-cluster';
import { startPostgres, type RunningPostgres } from './postgres';
import { terminateProcess, type ProcessIdentity } from './process-identity';
import type { ProgressListener } from './progress';
import type { ProcessGuard, SupervisedProcess } from './supervised-process';
import { startTemporalServer, type RunningTemporal } from './temporal-server';

export interface EnvironmentOptions {
  /** The folder whose `.vapora` holds the data. */
  projectDir: string;
  /** Try the well-known ports first (7233, 8233, 15432). False: any free ones. Default true. */
  usualPorts?: boolean | undefined;
  /** False: Temporal in memory and Postgres without fsync, for tests. Default true. */
  durable?: boolean | undefined;
  /** Brings the database up to date and makes the app's role: `migrateDatabase` of db/. */
  migrate?: ((target: MigrationTarget) => Promise<unknown>) | undefined;
  /** Registers the search attributes and waits until they can be used. */
  registerSearchAttributes?: ((target: TemporalTarget) => Promise<unknown>) | undefined;
  onProgress?: ProgressListener | undefined;
  /** A part ended by itself. Everything else is being stopped already; `stop()` waits for that. */
  onCrash?: ((crash: EnvironmentCrash) => void) | undefined;
  /** Aborting it while starting undoes everything and rejects with `interrupted`. */
  signal?: AbortSignal | undefined;
  /** How children notice our death; by default the best way that works here. */
  guard?: ProcessGuard | undefined;
}

export interface MigrationTarget {
  /** The owner's URL, to the database `vapora`. */
  adminUrl: string;
  /** The role the app works as. */
  appRole: string;
  appPassword: string;
}

export interface TemporalTarget {
  temporalAddress: string;
  temporalNamespace: string;
}

export interface EnvironmentCrash {
  /** Which part, as in `PostgreSQL`. */
  part: string;
  /** How it ended, with the end of its log. */
  message: string;
  logFile: string;
}

export interface Environment extends TemporalTarget {
  uiUrl: string;
  metricsUrl: string;
  /** As the app's role if there is a `migrate` to make it, else the owner's. */
  databaseUrl: string;
  adminDatabaseUrl: string;
  /** `.vapora` */
  dataDir: string;
  environmentFile: string;
  versions: Record<string, string>;
  /** The servers' processes. */
  processes: ProcessIdentity[];
  /** Ends everything, cleanly and completely; may be called again. */
  stop(): Promise<void>;
}

const usualPorts = { temporal: 7233, ui: 8233, postgres: 15432 } as const;
const leftoverGraceMs = 10_000;

/**
 * Starts PostgreSQL and the Temporal dev server for one project, in parallel, and writes `.vapora/dev.json`. Whatever
 * happens to this process, its servers end with it. Rejects with an `AppError` and leaves nothing running:
 * `refused` if another process already does this here, `interrupted` by `signal`, `unavailable` if a part cannot start.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const paths = environmentPaths(options.projectDir);
  createStateDir(paths);
  const lock = acquireEnvironmentLock(paths.lockFile);
  if ('heldBy' in lock) throw alreadyRunning(paths, lock.heldBy);
  try {
    await endLeftovers(paths, options.onProgress);
    return await startHoldingLock(options, paths, lock);
  } catch (error) {
    removeEnvironmentFile(paths.environmentFile);
    lock.release();
    throw options.signal?.aborted === true && !isAppError(error)
      ? new AppError('interrupted', 'interrupted while starting', { cause: error })
      : error;
  }
}

async function startHoldingLock(options: EnvironmentOptions, paths: EnvironmentPaths, lock: EnvironmentLock): Promise<Environment> {
  const file: EnvironmentFile = {
    schemaVersion: 1,
    state: 'starting',
    projectDir: paths.projectDir,
    startedAt: new Date().toISOString(),
    owner: lock.owner,
    processes: [],
  };
  const servers: SupervisedProcess[] = [];
  // Written at each spawn: a kill in the middle of starting must not lose track of a process.
  const onSpawn = (server: SupervisedProcess): void => {
    servers.push(server);
    file.processes = servers
      .filter((each) => !each.hasExited())
      .map(({ name, identity, stopSignal }) => ({ ...identity, name, stopSignal }));
    writeEnvironmentFile(paths.environmentFile, file);
  };
  writeEnvironmentFile(paths.environmentFile, file);

  const { postgres, databaseUrl, temporal } = await startParts(options, paths, onSpawn);
  const parts = [postgres, temporal];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= Promise.all(parts.map((part) => part.stop())).then(() => {
      removeEnvironmentFile(paths.environmentFile);
      lock.release();
    });
    return stopping;
  };
  for (const { process: server } of parts) {
    void server.exited.then(({ code, signal }) => {
      if (stopping !== undefined) return;
      void stop();
      options.onCrash?.({
        part: server.name,
        message: `${server.name} ended with ${code ?? signal}: ${server.readLog('end')}`,
        logFile: server.logFile,
      });
    });
  }

  const addresses = {
    temporalAddress: temporal.address,
    temporalNamespace: temporal.namespace,
    uiUrl: temporal.uiUrl,
    metricsUrl: temporal.metricsUrl,
    databaseUrl,
    adminDatabaseUrl: postgres.adminDatabaseUrl,
    versions: { temporal: temporal.binary.version, postgres: postgres.version, node: process.versions.node },
  };
  const running = parts.map((part) => part.process);
  Object.assign(file, addresses, {
    state: 'ready',
    processes: running.map(({ name, identity, stopSignal }) => ({ ...identity, name, stopSignal })),
  });
  writeEnvironmentFile(paths.environmentFile, file);
  return {
    ...addresses,
    dataDir: paths.stateDir,
    environmentFile: paths.environmentFile,
    processes: running.map(({ identity }) => identity),
    stop,
  };
}

/** Both at once; if one fails, the other is stopped before the failure is told. */
async function startParts(
  options: EnvironmentOptions,
  paths: EnvironmentPaths,
  onSpawn: (server: SupervisedProcess) => void,
): Promise<{ postgres: RunningPostgres; databaseUrl: string; temporal: RunningTemporal }> {
  const failure = new AbortController();
  const signal = options.signal === undefined ? failure.signal : AbortSignal.any([options.signal, failure.signal]);
  const ports = options.usualPorts === false ? undefined : usualPorts;
  const durable = options.durable ?? true;
  const shared = { paths, onSpawn, signal, onProgress: options.onProgress, guard: options.guard };
  const started: { stop(): Promise<void> }[] = [];

  const startDatabase = async (): Promise<{ postgres: RunningPostgres; databaseUrl: string }> => {
    const postgres = await startPostgres({ ...shared, usualPort: ports?.postgres, durable });
    started.push(postgres);
    if (options.migrate === undefined) return { postgres, databaseUrl: postgres.adminDatabaseUrl };
    options.onProgress?.({ part: 'postgres', message: 'migrating' });
    await options.migrate({ adminUrl: postgres.adminDatabaseUrl, appRole, appPassword: postgres.appPassword });
    return { postgres, databaseUrl: postgres.appDatabaseUrl };
  };
  const startTemporal = async (): Promise<RunningTemporal> => {
    const temporal = await startTemporalServer({ ...shared, usualPort: ports?.temporal, usualUiPort: ports?.ui, inMemory: !durable });
    started.push(temporal);
    await options.registerSearchAttributes?.({ temporalAddress: temporal.address, temporalNamespace: temporal.namespace });
    return temporal;
  };

  let firstError: unknown;
  const orAbort = async <T>(part: Promise<T>): Promise<T | undefined> => {
    try {
      return await part;
    } catch (error) {
      firstError ??= error;
      failure.abort();
      return undefined;
    }
  };
  const [database, temporal] = await Promise.all([orAbort(startDatabase()), orAbort(startTemporal())]);
  if (database !== undefined && temporal !== undefined && options.signal?.aborted !== true) return { ...database, temporal };
  await Promise.all(started.map((part) => part.stop()));
  throw firstError ?? options.signal?.reason;
}

/** What a killed predecessor left running: signalled only if it is the very process that was written down. */
async function endLeftovers(paths: EnvironmentPaths, onProgress: ProgressListener | undefined): Promise<void> {
  const previous = parseEnvironmentFile(paths.environmentFile);
  if (previous === undefined) return;
  onProgress?.({ part: 'environment', message: `cleaning up after a 'vapora dev' that was killed (pid ${previous.owner.pid})` });
  await Promise.all(previous.processes.map((leftover) => terminateProcess(leftover, leftover.stopSignal, leftoverGraceMs)));
}

function alreadyRunning(paths: EnvironmentPaths, holder: ProcessIdentity): AppError {
  const running = parseEnvironmentFile(paths.environmentFile);
  const where =
    running?.state === 'ready'
      ? `Temporal ${running.temporalAddress}, Web UI ${running.uiUrl}, since ${running.startedAt}`
      : 'it is starting or stopping at this moment';
  return new AppError('refused', `an environment already runs in ${paths.projectDir} (pid ${holder.pid}): ${where}`, {
    hint: `use it, or stop it with Ctrl-C in its terminal or 'kill ${holder.pid}'`,
    details: { pid: holder.pid, environmentFile: paths.environmentFile },
  });
}
