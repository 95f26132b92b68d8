import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { AppError } from '../core/contract/errors';
import { relocatedParent, type EnvironmentPaths } from './paths';
import { canEnter, createPrivateDir, type PostgresInstallation } from './postgres-installation';
import { findProcessesWorkingIn, signalProcess, terminateProcess, waitForExit } from './process-identity';
import { findOnPath, startSupervised, type ProcessUser } from './supervised-process';

/** The owner of everything, also the superuser of the cluster. The app itself works as a lesser role (db/). */
export const adminRole = 'vapora';

/** The role that the migrations make for the app. */
export const appRole = 'vapora_app';

/** One data folder, and the user who owns it. */
export interface PostgresCluster {
  dataDir: string;
  /** Where a copy of the binaries may go if they cannot run in place. */
  copyDir: string;
  /** undefined: the one we run as. */
  user: ProcessUser | undefined;
}

export interface PostgresSecrets {
  adminPassword: string;
  appPassword: string;
}

/**
 * Where the data is or will be: `.vapora/pg`, or, for root in a folder that the user Postgres runs as cannot enter,
 * `/var/lib/vapora/<hash of the project's path>/pg` with `.vapora/pg` as a link to it.
 */
export function locateCluster(paths: EnvironmentPaths): PostgresCluster {
  const isRoot = process.getuid?.() === 0;
  const link = paths.postgresDataDir;
  const relocated = join(paths.relocatedDir, 'pg');

  let status = lstatSync(link, { throwIfNoEntry: false });
  if (status?.isSymbolicLink() && isCopiedLink(readlinkSync(link), relocated)) {
    unlinkSync(link);
    status = undefined;
  }
  if (status !== undefined) {
    if (status.isSymbolicLink() && readlinkSync(link) === relocated && isRoot) createRelocatedDir(paths);
    const dataDir = status.isSymbolicLink() ? resolveLink(link) : link;
    const user = isRoot ? (findOwner(dataDir) ?? findOrCreatePostgresUser()) : undefined;
    if (user !== undefined && !canEnter(dirname(dataDir), user)) {
      throw new AppError('refused', `${dirname(dataDir)} cannot be entered by the user that PostgreSQL runs as (uid ${user.uid})`, {
        hint: `allow it (chmod a+x on the folders above), or move ${link} away to start with an empty database`,
      });
    }
    return { dataDir, copyDir: dataDir === relocated ? paths.relocatedDir : paths.stateDir, user };
  }

  const user = isRoot ? findOrCreatePostgresUser() : undefined;
  if (canEnter(paths.stateDir, user)) return { dataDir: link, copyDir: paths.stateDir, user };
  createRelocatedDir(paths);
  // Data without a link to it: somebody removed `.vapora` to start afresh.
  rmSync(relocated, { recursive: true, force: true });
  symlinkSync(relocated, link);
  return { dataDir: relocated, copyDir: paths.relocatedDir, user };
}

/** The file in a relocated folder that says whose it is: the folder's own name is a hash. */
export const relocatedProjectFile = 'project';

function createRelocatedDir({ relocatedDir, projectDir }: EnvironmentPaths): void {
  createPrivateDir(relocatedDir);
  writeFileSync(join(relocatedDir, relocatedProjectFile), `${projectDir}\n`);
}

/** The passwords of this cluster, made on first use and kept readable by their owner only. */
export function readOrCreateSecrets(paths: EnvironmentPaths): { secrets: PostgresSecrets; isNew: boolean } {
  const file = paths.postgresSecretsFile;
  if (existsSync(file)) return { secrets: JSON.parse(readFileSync(file, 'utf8')) as PostgresSecrets, isNew: false };
  const secrets = { adminPassword: createPassword(), appPassword: createPassword() };
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
  return { secrets, isNew: true };
}

/** True when the data folder holds a finished cluster. */
export function isInitialised(cluster: PostgresCluster): boolean {
  return existsSync(join(cluster.dataDir, 'PG_VERSION'));
}

/** Refuses data written by another major version, which this server could not read. */
export function checkDataVersion(cluster: PostgresCluster, installation: PostgresInstallation): void {
  const found = readFileSync(join(cluster.dataDir, 'PG_VERSION'), 'utf8').trim();
  const expected = installation.version.split('.')[0];
  if (found === expected) return;
  throw new AppError('refused', `${cluster.dataDir} was written by PostgreSQL ${found}; this is ${expected}`, {
    hint: `move it away to start with an empty database, or upgrade it with pg_upgrade`,
  });
}

/** Runs initdb, so that the data folder is either complete or absent even if we are killed meanwhile. */
export async function initialiseCluster(
  cluster: PostgresCluster,
  installation: PostgresInstallation,
  options: { password: string; logFile: string; durable: boolean },
): Promise<void> {
  const unfinished = `${cluster.dataDir}.new`;
  const passwordFile = `${cluster.dataDir}.password`;
  // The children of a killed initdb write on until their input ends.
  for (const leftover of findProcessesWorkingIn(unfinished)) {
    if (!(await waitForExit(leftover, 2_000))) await terminateProcess(leftover, 'SIGKILL', 2_000);
  }
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (cluster.user !== undefined) {
    chownSync(unfinished, cluster.user.uid, cluster.user.gid);
    chownSync(passwordFile, cluster.user.uid, cluster.user.gid);
  }
  try {
    const initdb = await startSupervised({
      name: 'initdb',
      command: installation.initdb,
      args: [
        `--pgdata=${unfinished}`,
        `--username=${adminRole}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The same order and case rules on every machine, whatever locales it has.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(options.durable ? [] : ['--no-sync']),
      ],
      env: postgresEnvironment(),
      user: cluster.user,
      logFile: options.logFile,
      deathSignal: 'SIGKILL',
      stopSignal: 'SIGTERM',
    });
    const { code, signal } = await initdb.exited;
    if (code !== 0) {
      throw new AppError('unavailable', `initdb ended with ${code ?? signal}: ${initdb.readLog('end')}`, {
        hint: `see ${options.logFile}`,
      });
    }
    renameSync(unfinished, cluster.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Gives the superuser a new password without knowing the old one: the owner of the data may. */
export function resetAdminPassword(cluster: PostgresCluster, installation: PostgresInstallation, password: string): void {
  const run = spawnSync(installation.postgres, ['--single', '-D', cluster.dataDir, 'postgres'], {
    cwd: '/',
    env: postgresEnvironment(),
    encoding: 'utf8',
    input: `ALTER ROLE ${adminRole} PASSWORD '${password}'\n`,
    timeout: 60_000,
    ...(cluster.user ?? {}),
  });
  if (run.status !== 0) throw new AppError('unavailable', `cannot set a new database password: ${run.error?.message ?? run.stderr.trim()}`);
}

/**
 * Ends whatever still works in this data folder (a server whose `vapora dev` was killed) and removes its pid file, which
 * would refuse the next start if its pid now belongs to another process. Call with the environment's lock held.
 */
export async function stopLeftoverPostgres(cluster: PostgresCluster): Promise<void> {
  const pidFile = join(cluster.dataDir, 'postmaster.pid');
  if (process.platform !== 'linux' || !existsSync(pidFile)) return; // elsewhere the server judges its pid file itself
  const postmasterPid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const dataDir = realpathSync(cluster.dataDir);
  const postmaster = findProcessesWorkingIn(dataDir).find(({ pid }) => pid === postmasterPid);
  // Fast shutdown; then the immediate one, which is a crash to recover from.
  if (postmaster !== undefined && signalProcess(postmaster, 'SIGINT') && !(await waitForExit(postmaster, 10_000))) {
    await terminateProcess(postmaster, 'SIGQUIT', 5_000);
  }
  // Backends end by themselves when their postmaster is gone. While one is left, the data must not be touched.
  for (const backend of findProcessesWorkingIn(dataDir)) {
    if (!(await waitForExit(backend, 5_000))) await terminateProcess(backend, 'SIGQUIT', 2_000);
  }
  rmSync(pidFile, { force: true });
}

/** Our environment without the variables that libpq and the server would read settings from. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))), LC_ALL: 'C', TZ: 'UTC' };
}

/** A project copied with its `.vapora` brings a link to the data of the original, which is not ours to use. */
function isCopiedLink(target: string, expected: string): boolean {
  return target !== expected && dirname(dirname(target)) === relocatedParent;
}

function resolveLink(link: string): string {
  const target = readlinkSync(link);
  return existsSync(link) ? realpathSync(link) : target;
}

function findOwner(dataDir: string): ProcessUser | undefined {
  const status = statSync(dataDir, { throwIfNoEntry: false });
  return status === undefined || status.uid === 0 ? undefined : { uid: status.uid, gid: status.gid };
}

/** PostgreSQL refuses to run as root, so root runs it as `postgres`, a system user that is made if it is missing. */
function findOrCreatePostgresUser(): ProcessUser {
  const existing = readUser('postgres');
  if (existing !== undefined) return existing;
  if (findOnPath('groupadd') !== undefined && findOnPath('useradd') !== undefined) {
    spawnSync('groupadd', ['--system', 'postgres'], { stdio: 'ignore' });
    spawnSync('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {
      stdio: 'ignore',
    });
  }
  const created = readUser('postgres');
  if (created !== undefined) return created;
  throw new AppError('unavailable', 'PostgreSQL does not run as root, and a user named postgres neither exists nor could be made', {
    hint: 'create the user postgres, or run as an ordinary user',
  });
}

function readUser(name: string): ProcessUser | undefined {
  const id = (flag: string): number => {
    const run = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return run.status === 0 ? Number(run.stdout.trim()) : Number.NaN;
  };
  const user = { uid: id('-u'), gid: id('-g') };
  return Number.isInteger(user.uid) && Number.isInteger(user.gid) ? user : undefined;
}

function createPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** PostgreSQL refuses data that others may read. */
export function tightenDataDir(cluster: PostgresCluster): void {
  if ((statSync(cluster.dataDir).mode & 0o077) !== 0) chmodSync(cluster.dataDir, 0o700);
}
