import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isAppError } from '../core/contract/errors';
import { connectDatabase } from '../db/connect';
import { summarizeRefusals } from '../db/queries/refusals';
import { checkDiskUse } from './disk-use';
import { readEnvironmentFile } from './environment-file';
import type { Finding } from './finding';
import { findFreePort } from './free-port';
import { environmentPaths } from './paths';
import { findPackagedPostgres, findRunProblem, hydrate } from './postgres-installation';
import { findOnPath, hasSetpriv } from './supervised-process';
import { findTemporalBinary, temporalProgram } from './temporal-binary';
import { findPython } from './wheel-download';

const minimumNode = [20, 19] as const;

/** Looks at this machine and folder; starts and downloads nothing. */
export async function diagnoseEnvironment({ projectDir = process.cwd() }: { projectDir?: string } = {}): Promise<Finding[]> {
  const paths = environmentPaths(projectDir);
  return [
    checkNode(),
    checkStateDir(paths.stateDir),
    ...checkDiskUse(paths),
    checkPostgres(),
    ...checkTemporal(paths.binDir),
    ...(await checkPorts()),
    checkGuard(),
    checkGit(),
    checkRunning(projectDir),
    ...(await checkRecordings(projectDir)),
  ];
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1]);
  return {
    name: 'Node.js',
    ok,
    detail: process.versions.node,
    remedy: ok ? undefined : `install Node.js ${minimumNode.join('.')} or newer`,
  };
}

function checkStateDir(stateDir: string): Finding {
  const probe = join(stateDir, `.write-test-${process.pid}`);
  const existed = existsSync(stateDir);
  try {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(probe, '');
    return { name: 'data folder', ok: true, detail: `${stateDir} can be written` };
  } catch (error) {
    return {
      name: 'data folder',
      ok: false,
      detail: `${stateDir}: ${(error as Error).message}`,
      remedy: 'run in a folder you may write to',
    };
  } finally {
    rmSync(probe, { force: true });
    if (!existed && existsSync(stateDir)) rmdirSync(stateDir);
  }
}

function checkPostgres(): Finding {
  const name = 'embedded PostgreSQL';
  try {
    const { nativeDir, version } = findPackagedPostgres();
    const problem = hydrate(nativeDir) ?? findRunProblem(nativeDir, undefined);
    if (problem === undefined) return { name, ok: true, detail: `${version} at ${nativeDir}` };
    return { name, ok: false, detail: problem, remedy: "run 'npm rebuild', and check that node_modules is not on a noexec mount" };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, remedy: isAppError(error) ? error.hint : undefined };
  }
}

function checkTemporal(binDir: string): Finding[] {
  const name = 'temporal CLI';
  try {
    const found = findTemporalBinary({ binDir });
    if (found !== undefined) return [{ name, ok: true, detail: `${found.version} at ${found.path} (from ${found.source})` }];
  } catch (error) {
    return [{ name, ok: false, detail: (error as Error).message, remedy: isAppError(error) ? error.hint : undefined }];
  }
  const python = findPython();
  return [
    {
      name,
      ok: python !== undefined,
      detail:
        python === undefined
          ? 'not found, and it cannot be downloaded'
          : `not found; the first start downloads ${temporalProgram.version} (45 MB)`,
      remedy:
        python === undefined
          ? 'install the Temporal CLI so that it is on PATH, or set VAPORA_TEMPORAL_BIN, or install python3 with pip'
          : undefined,
    },
    { name: 'python3 with pip', ok: python !== undefined, detail: python ?? 'not found; needed to download the temporal CLI' },
  ];
}

async function checkPorts(): Promise<Finding[]> {
  const usual = { 'Temporal port': 7233, 'Web UI port': 8233, 'PostgreSQL port': 15432 };
  return Promise.all(
    Object.entries(usual).map(async ([name, port]) => {
      const isFree = (await findFreePort(port)) === port;
      return {
        name,
        ok: true,
        detail: isFree ? `${port} is free` : `${port} is in use: an environment that starts now takes another free one`,
      };
    }),
  );
}

function checkGuard(): Finding {
  const ok = hasSetpriv();
  return {
    name: 'setpriv',
    ok: true,
    detail: ok ? 'the kernel ends the servers with vapora' : 'not here: a small watchdog process ends the servers with vapora',
    remedy: ok || process.platform !== 'linux' ? undefined : 'install util-linux for the stronger guarantee',
  };
}

function checkGit(): Finding {
  const git = findOnPath('git');
  const version = git === undefined ? undefined : spawnSync(git, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  return version === undefined
    ? { name: 'git', ok: true, detail: 'not found', remedy: 'install git to run examples/ship-a-change' }
    : { name: 'git', ok: true, detail: version };
}

function checkRunning(projectDir: string): Finding {
  const name = 'environment';
  try {
    const found = readEnvironmentFile(projectDir);
    if (found === undefined) return { name, ok: true, detail: 'none runs here' };
    if (found.alive)
      return { name, ok: true, detail: `runs: Temporal ${found.environment.temporalAddress}, Web UI ${found.environment.uiUrl}` };
    return {
      name,
      ok: true,
      detail: `${found.path} was left by one that was killed, or is starting`,
      remedy: "the next 'vapora dev' cleans up",
    };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, remedy: isAppError(error) ? error.hint : undefined };
  }
}

/** What the database of the environment that runs here refused to record. */
async function checkRecordings(projectDir: string): Promise<Finding[]> {
  const name = 'recordings';
  try {
    const found = readEnvironmentFile(projectDir);
    const { databaseUrl } = found?.environment ?? {};
    if (found?.alive !== true || databaseUrl === undefined) return [];
    const db = await connectDatabase(databaseUrl, { max: 1 });
    try {
      const { count, newest } = await summarizeRefusals(db);
      if (newest === null) return [{ name, ok: true, detail: 'everything that happened is recorded' }];
      return [
        {
          name,
          ok: true,
          detail: `${count} refused by PostgreSQL, the last: ${newest.kind} ${newest.object} of ${newest.id}: ${newest.error}`,
          remedy: `look at 'vapora audit show --id ${newest.id}'; what was refused is kept in the table recording_refusals`,
        },
      ];
    } finally {
      await db.destroy();
    }
  } catch (error) {
    return [{ name, ok: false, detail: (error as Error).message, remedy: isAppError(error) ? error.hint : undefined }];
  }
}
