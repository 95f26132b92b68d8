import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { AppError } from '../core/contract/errors';
import { isProcessAlive, type ProcessIdentity } from './process-identity';

/** `.vapora/dev.json`: what runs here, for other commands and for the recovery after a kill. Readable by its owner only. */
export interface EnvironmentFile {
  schemaVersion: 1;
  state: 'starting' | 'ready';
  projectDir: string;
  /** ISO 8601. */
  startedAt: string;
  owner: ProcessIdentity;
  processes: RecordedProcess[];
  /** The rest is there once `state` is `ready`. */
  temporalAddress?: string;
  temporalNamespace?: string;
  uiUrl?: string;
  metricsUrl?: string;
  databaseUrl?: string;
  adminDatabaseUrl?: string;
  versions?: Record<string, string>;
}

export interface RecordedProcess extends ProcessIdentity {
  name: string;
  /** What asks it to end. */
  stopSignal: NodeJS.Signals;
}

export interface FoundEnvironment {
  path: string;
  environment: EnvironmentFile;
  /** Ready, and every process of it still there. */
  alive: boolean;
}

/**
 * The nearest `.vapora/dev.json` from `startDir` upward; undefined if there is none. A file left by a killed
 * `vapora dev` is returned with `alive: false`. Throws `refused` if it belongs to another user.
 */
export function readEnvironmentFile(startDir: string = process.cwd()): FoundEnvironment | undefined {
  let dir = resolve(startDir);
  for (;;) {
    const path = join(dir, '.vapora', 'dev.json');
    const environment = parseEnvironmentFile(path);
    if (environment !== undefined) return { path, environment, alive: isEnvironmentAlive(environment) };
    const parent = dirname(dir);
    if (parent === dir) return undefined;
    dir = parent;
  }
}

/** One file's content; undefined if it is absent or not of this version. */
export function parseEnvironmentFile(path: string): EnvironmentFile | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const content = JSON.parse(readFileSync(path, 'utf8')) as Partial<EnvironmentFile> | null;
    return content?.schemaVersion === 1 && content.owner !== undefined && Array.isArray(content.processes)
      ? (content as EnvironmentFile)
      : undefined;
  } catch (cause) {
    if (['EACCES', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '')) {
      throw new AppError('refused', `${path} belongs to another user`, { hint: "run as the user who ran 'vapora dev'", cause });
    }
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

export function isEnvironmentAlive(environment: EnvironmentFile): boolean {
  return environment.state === 'ready' && isProcessAlive(environment.owner) && environment.processes.every(isProcessAlive);
}

/** Replaces the file in one step: a reader sees the old or the new one, whole. */
export function writeEnvironmentFile(path: string, environment: EnvironmentFile): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(environment, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

export function removeEnvironmentFile(path: string): void {
  rmSync(path, { force: true });
}
