import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadClientConfigProfile, toClientOptions, type ClientConfigProfile } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { AppError } from '../core/contract/errors';
import { defaultNamespace, defaultTaskQueue } from '../core/contract/names';

/** What a caller may say; everything absent is found in the environment. */
export interface EnvironmentOptions {
  /** `host:port` of the Temporal frontend. */
  temporalAddress?: string | undefined;
  namespace?: string | undefined;
  /** A Postgres URL of the application's role. */
  databaseUrl?: string | undefined;
  taskQueue?: string | undefined;
}

/** Where the services are. */
export interface Environment {
  temporalAddress: string;
  namespace: string;
  databaseUrl: string;
  taskQueue: string;
  /** TLS, API key and headers of the Temporal client config profile, as `Connection.connect` takes them. */
  connection: Pick<ConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
  /** The Web UI of the embedded environment, when that is where the addresses come from. */
  webUiUrl: string | undefined;
  /** The owner's Postgres URL, when the embedded environment has one. */
  adminDatabaseUrl: string | undefined;
  /** The `.vapora/dev.json` these addresses come from, when nothing runs there any more. */
  stoppedDevFile: string | undefined;
  isDatabaseOfDevFile: boolean;
  /** The `.vapora` of the embedded environment: its worker keeps what agents print there. */
  dataDir: string | undefined;
}

const defaultTemporalAddress = '127.0.0.1:7233';
const defaultDatabaseUrl = 'postgres://vapora_app@127.0.0.1:5432/vapora';

/** Ways up at most when `.vapora/dev.json` is looked for: a limit, never reached in practice. */
const maxParents = 100;

/** What `vapora dev` writes, as far as clients need it. Its folder is the project's. */
interface DevFile {
  state?: string;
  owner?: { pid?: number };
  temporalAddress?: string;
  temporalNamespace?: string;
  databaseUrl?: string;
  adminDatabaseUrl?: string;
  uiUrl?: string;
}

/**
 * Finds the services: explicit options, then environment variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, a profile chosen by
 * TEMPORAL_PROFILE or TEMPORAL_CONFIG_FILE, DATABASE_URL), then the nearest `.vapora/dev.json` upward from `cwd`, then the
 * user's default Temporal profile, then the usual local addresses. The default profile comes after `dev.json`: a folder with an
 * environment of its own must not reach into a shared cluster by accident.
 */
export function resolveEnvironment(
  options: EnvironmentOptions = {},
  variables: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): Environment {
  const isProfileChosen = Boolean(variables['TEMPORAL_PROFILE'] || variables['TEMPORAL_CONFIG_FILE']);
  const named = loadProfile(variables, isProfileChosen);
  const stated = options.temporalAddress ?? named.address;
  const found = findDevFile(cwd);
  // Settings of one environment stay together: dev.json says nothing about a Temporal server of another address.
  const dev = found !== undefined && (stated === undefined || stated === found.content.temporalAddress) ? found : undefined;
  const profile = stated !== undefined || dev !== undefined ? named : loadProfile(variables, true);
  const statedDatabaseUrl = options.databaseUrl ?? (variables['DATABASE_URL'] || undefined);
  const { tls, apiKey, metadata } = toClientOptions(profile).connectionOptions;
  return {
    temporalAddress: stated ?? dev?.content.temporalAddress ?? profile.address ?? defaultTemporalAddress,
    namespace: options.namespace ?? named.namespace ?? dev?.content.temporalNamespace ?? profile.namespace ?? defaultNamespace,
    databaseUrl: statedDatabaseUrl ?? dev?.content.databaseUrl ?? defaultDatabaseUrl,
    taskQueue: options.taskQueue ?? (variables['VAPORA_TASK_QUEUE'] || undefined) ?? defaultTaskQueue,
    connection: {
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
    },
    webUiUrl: dev?.content.uiUrl,
    // Whoever names a database means that one, not the owner's of another.
    adminDatabaseUrl:
      (variables['VAPORA_MIGRATE_URL'] || undefined) ?? (statedDatabaseUrl === undefined ? dev?.content.adminDatabaseUrl : undefined),
    stoppedDevFile: dev !== undefined && !dev.isRunning ? dev.file : undefined,
    isDatabaseOfDevFile: statedDatabaseUrl === undefined && dev?.content.databaseUrl !== undefined,
    dataDir: dev === undefined ? undefined : dirname(dev.file),
  };
}

/** The Temporal client config profile from environment variables, and from the config file where `withFile`. */
function loadProfile(variables: NodeJS.ProcessEnv, withFile: boolean): ClientConfigProfile {
  const defined = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  try {
    return loadClientConfigProfile({ disableFile: !withFile, overrideEnvVars: Object.fromEntries(defined) });
  } catch (error) {
    throw new AppError('bad_usage', `the Temporal client configuration cannot be read: ${(error as Error).message}`, {
      hint: 'check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the file they name',
      cause: error,
    });
  }
}

interface FoundDevFile {
  file: string;
  content: DevFile;
  isRunning: boolean;
}

/** The nearest one that is complete; one of an environment that is just starting says nothing yet. */
function findDevFile(cwd: string): FoundDevFile | undefined {
  let folder = cwd;
  for (let parents = 0; parents < maxParents; parents += 1) {
    const file = join(folder, '.vapora', 'dev.json');
    if (existsSync(file)) {
      const content = readDevFile(file);
      if (content.state === 'ready') return { file, content, isRunning: isAlive(content.owner?.pid) };
    }
    if (dirname(folder) === folder) return undefined;
    folder = dirname(folder);
  }
  return undefined;
}

function readDevFile(file: string): DevFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DevFile;
  } catch (error) {
    throw new AppError('unavailable', `${file} cannot be read: ${(error as Error).message}`, {
      hint: "run as the user who ran 'vapora dev', or start it again: it writes the file anew",
      cause: error,
    });
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is a process too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
