import { Client, Connection } from '@temporalio/client';
import { AppError } from '../core/contract/errors';
import { connectDatabase, type Database } from '../db/connect';
import { resolveEnvironment, type Environment, type EnvironmentOptions } from './environment';

/** What the functions of this library work on: one environment, its connections opened when first used. */
export interface VaporaClient {
  readonly environment: Environment;
  /** How long a question to a running workflow may take before Postgres is asked instead. */
  readonly queryTimeoutMs: number;
  /** Throws AppError `unavailable`. */
  temporal(): Promise<Client>;
  /** Throws AppError `unavailable`. */
  database(): Promise<Database>;
  /** Closes what was opened. The client must not be used afterwards. */
  close(): Promise<void>;
}

export interface ConnectVaporaOptions extends EnvironmentOptions {
  /** Default 3000. */
  queryTimeoutMs?: number | undefined;
  /** Instead of the process's, for tests. */
  variables?: NodeJS.ProcessEnv | undefined;
  cwd?: string | undefined;
}

const temporalConnectTimeoutMs = 5_000;
const databaseConnectTimeoutMs = 5_000;
const defaultQueryTimeoutMs = 3_000;

/**
 * A client of the vapora environment that the options, environment variables or the nearest `.vapora/dev.json` name
 * (see `resolveEnvironment`). Opens nothing yet: Temporal and Postgres are connected when a call needs them.
 *
 * @example
 * const vapora = connectVapora();
 * const run = await startRun(vapora, { definition: 'feature-auth-mfa' });
 * await vapora.close();
 */
export function connectVapora(options: ConnectVaporaOptions = {}): VaporaClient {
  const environment = resolveEnvironment(options, options.variables, options.cwd);
  let temporal: Promise<Client> | undefined;
  let database: Promise<Database> | undefined;
  return {
    environment,
    queryTimeoutMs: options.queryTimeoutMs ?? defaultQueryTimeoutMs,
    temporal() {
      temporal ??= connectTemporal(environment);
      return temporal;
    },
    database() {
      database ??= openDatabase(environment);
      return database;
    },
    async close() {
      const opened = await Promise.allSettled([
        temporal?.then(({ connection }) => connection.close()),
        database?.then((db) => db.destroy()),
      ]);
      temporal = undefined;
      database = undefined;
      // A connection that never came about has told its caller already.
      void opened;
    },
  };
}

async function connectTemporal(environment: Environment): Promise<Client> {
  refuseStopped(environment);
  const { temporalAddress: address, namespace } = environment;
  try {
    const connection = await Connection.connect({ ...environment.connection, address, connectTimeout: temporalConnectTimeoutMs });
    return new Client({ connection, namespace });
  } catch (error) {
    throw new AppError('unavailable', `no Temporal server at ${address}`, {
      hint: "start one with 'vapora dev', or pass --local",
      cause: error,
    });
  }
}

async function openDatabase(environment: Environment): Promise<Database> {
  if (environment.isDatabaseOfDevFile) refuseStopped(environment);
  return connectDatabase(environment.databaseUrl, { max: 2, applicationName: 'vapora-client', connectTimeoutMs: databaseConnectTimeoutMs });
}

/** The ports of an environment that was killed may belong to another one by now. */
function refuseStopped({ stoppedDevFile, temporalAddress }: Environment): void {
  if (stoppedDevFile === undefined) return;
  throw new AppError('unavailable', `no Temporal server at ${temporalAddress}: the 'vapora dev' that wrote ${stoppedDevFile} has ended`, {
    hint: "start it again with 'vapora dev', or pass --local",
  });
}
