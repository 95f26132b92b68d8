import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';

import { AppError } from '../core/contract/errors';
import { findFreePort } from './free-port';
import type { EnvironmentPaths } from './paths';
import {
  adminRole,
  appRole,
  checkDataVersion,
  initialiseCluster,
  isInitialised,
  locateCluster,
  postgresEnvironment,
  readOrCreateSecrets,
  resetAdminPassword,
  stopLeftoverPostgres,
  tightenDataDir,
  type PostgresCluster,
} from './postgres-cluster';
import { preparePostgresInstallation, type PostgresInstallation } from './postgres-installation';
import type { ProgressListener } from './progress';
import { startSupervised, type ProcessGuard, type SupervisedProcess } from './supervised-process';

export interface PostgresOptions {
  paths: EnvironmentPaths;
  /** Taken if free; otherwise, and without it, any free port. */
  usualPort?: number | undefined;
  /** False trades safety of the data on a crash of the machine for speed: tests only. */
  durable?: boolean | undefined;
  guard?: ProcessGuard | undefined;
  onProgress?: ProgressListener | undefined;
  /** Called as soon as the server process exists, so that it can be written down. */
  onSpawn?: ((process: SupervisedProcess) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface RunningPostgres {
  port: number;
  version: string;
  dataDir: string;
  /** The owner's URL, to the database `vapora`. Migrations run with it. */
  adminDatabaseUrl: string;
  /** For the role the migrations make for the app. */
  appPassword: string;
  /** The URL of that role, which works once they have run. */
  appDatabaseUrl: string;
  process: SupervisedProcess;
  stop(): Promise<void>;
}

export const databaseName = 'vapora';
const maxStarts = 5;
const readyTimeoutMs = 120_000;

/**
 * Starts PostgreSQL on this project's data, which is made on first use, and waits until it answers.
 * The environment's lock must be held. Rejects with an `AppError`, leaving no process behind.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { paths, durable = true } = options;
  const report = (message: string): void => options.onProgress?.({ part: 'postgres', message });
  const cluster = locateCluster(paths);
  const installation = await preparePostgresInstallation(cluster.user, cluster.copyDir);
  const { secrets, isNew } = readOrCreateSecrets(paths);
  const logFile = `${paths.logDir}/postgres.log`;

  if (isInitialised(cluster)) {
    checkDataVersion(cluster, installation);
    await stopLeftoverPostgres(cluster);
    tightenDataDir(cluster);
    if (isNew) resetAdminPassword(cluster, installation, secrets.adminPassword);
  } else {
    report('creating the database cluster');
    await initialiseCluster(cluster, installation, { password: secrets.adminPassword, logFile, durable });
  }

  report('starting');
  const { server, port } = await startServer(cluster, installation, { ...options, durable, logFile, password: secrets.adminPassword });
  const stop = (): Promise<void> => stopServer(server, durable);
  const url = (role: string, password: string, database = databaseName): string =>
    `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
  try {
    await createDatabaseIfMissing(url(adminRole, secrets.adminPassword, 'postgres'), databaseName);
  } catch (error) {
    await stop();
    throw error;
  }
  report(`ready on 127.0.0.1:${port}`);
  return {
    port,
    version: installation.version,
    dataDir: cluster.dataDir,
    adminDatabaseUrl: url(adminRole, secrets.adminPassword),
    appPassword: secrets.appPassword,
    appDatabaseUrl: url(appRole, secrets.appPassword),
    process: server,
    stop,
  };
}

interface ServerOptions extends PostgresOptions {
  durable: boolean;
  logFile: string;
  password: string;
}

/** Between finding a port free and binding it, somebody else may: then again with another one. */
async function startServer(
  cluster: PostgresCluster,
  installation: PostgresInstallation,
  options: ServerOptions,
): Promise<{ server: SupervisedProcess; port: number }> {
  const tried = new Set<number>();
  for (let start = 1; ; start++) {
    options.signal?.throwIfAborted();
    const port = await findFreePort(options.usualPort, tried);
    tried.add(port);
    const server = await startSupervised({
      name: 'PostgreSQL',
      command: installation.postgres,
      args: ['-D', cluster.dataDir, '-p', String(port), ...serverSettings(options.durable)],
      env: postgresEnvironment(),
      user: cluster.user,
      logFile: options.logFile,
      // A fast shutdown rather than a kill: it leaves clean data and no orphaned backends.
      deathSignal: 'SIGINT',
      stopSignal: 'SIGINT',
      guard: options.guard,
    });
    options.onSpawn?.(server);
    try {
      await waitUntilReady(server, port, options);
      return { server, port };
    } catch (error) {
      const log = server.readLog('end');
      await stopServer(server, options.durable);
      if (start < maxStarts && /address already in use|could not create any TCP\/IP sockets/i.test(log)) continue;
      throw error;
    }
  }
}

function serverSettings(durable: boolean): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // loopback TCP only: no socket files to collide or to leave behind
    max_connections: '200',
    max_wal_size: '512MB',
    jit: 'off', // our queries are short; compiling them costs more than it saves
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function waitUntilReady(server: SupervisedProcess, port: number, options: ServerOptions): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  let refusedSince: number | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    if (server.hasExited()) {
      const { code, signal } = await server.exited;
      throw new AppError('unavailable', `PostgreSQL ended with ${code ?? signal} while starting: ${server.readLog('end')}`, {
        hint: `see ${server.logFile}`,
      });
    }
    const problem = await findConnectProblem(`postgresql://${adminRole}:${options.password}@127.0.0.1:${port}/postgres`);
    if (problem === undefined) return;
    // A wrong password at first means another server on this port: ours is about to fail to bind, and to exit.
    if (problem.code === '28P01') {
      refusedSince ??= Date.now();
      if (Date.now() - refusedSince > 2_000) {
        throw new AppError('unavailable', 'the embedded PostgreSQL does not accept the password kept in .vapora/postgres.json', {
          hint: 'remove .vapora/postgres.json: the next start sets a new password',
          cause: problem,
        });
      }
    }
    if (Date.now() > deadline) {
      throw new AppError('unavailable', `PostgreSQL did not answer within ${readyTimeoutMs / 1000} s: ${problem.message}`, {
        hint: `see ${server.logFile}`,
        cause: problem,
      });
    }
    await delay(25);
  }
}

async function findConnectProblem(connectionString: string): Promise<(Error & { code?: string }) | undefined> {
  const client = new Client({ connectionString, ssl: false, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // the promise below tells
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    return error as Error & { code?: string };
  }
}

async function createDatabaseIfMissing(connectionString: string, name: string): Promise<void> {
  const client = new Client({ connectionString, ssl: false });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** Fast shutdown; the immediate one if that takes too long, or if nobody needs the data afterwards. */
async function stopServer(server: SupervisedProcess, durable: boolean): Promise<void> {
  if (durable) {
    const timeout = new AbortController();
    const stopped = server.stop({ signal: 'SIGINT', graceMs: 60_000 });
    await Promise.race([stopped, delay(10_000, undefined, { signal: timeout.signal }).catch(() => undefined)]);
    timeout.abort();
  }
  await server.stop({ signal: 'SIGQUIT', graceMs: 5_000 });
}
