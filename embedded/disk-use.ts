import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent } from 'node:fs';
import { dirname, join } from 'node:path';

import { dataFolders, keptRunDays } from '../core/contract/data-folders';
import type { Finding } from './finding';
import { relocatedParent, type EnvironmentPaths } from './paths';
import { relocatedProjectFile } from './postgres-cluster';

/** Enough to say how much it is; a folder with more is told as `more than`. */
const maxCountedFiles = 100_000;
const largeBytes = 10 * 1024 ** 3;

/** What an environment's folder takes on the disk, and what of it lies elsewhere. */
export function checkDiskUse(paths: EnvironmentPaths): Finding[] {
  return [...checkPostgresData(paths), checkWorkspaces(paths), checkAgentLogs(paths)];
}

function checkPostgresData({ postgresDataDir: link, stateDir }: EnvironmentPaths): Finding[] {
  const name = 'PostgreSQL data';
  const findings: Finding[] = [];
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    const target = readlinkSync(link);
    const detail = `in ${target}, since the user that PostgreSQL runs as cannot enter ${stateDir}`;
    findings.push({ name, ok: true, detail, remedy: `when you remove this project, remove ${dirname(target)} too` });
  }
  const abandoned = findAbandoned();
  if (abandoned.length > 0) {
    const detail = `${abandoned.length} of projects that are gone: ${abandoned.map(({ project }) => project).join(', ')}`;
    findings.push({ name, ok: true, detail, remedy: `remove what you do not need: rm -r ${abandoned.map(({ dir }) => dir).join(' ')}` });
  }
  return findings;
}

/** Relocated data whose project is not there any more. */
function findAbandoned(): { dir: string; project: string }[] {
  return listFolder(relocatedParent)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const dir = join(relocatedParent, name);
      const file = join(dir, relocatedProjectFile);
      const project = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
      return project === undefined || existsSync(project) ? [] : [{ dir, project }];
    });
}

function checkWorkspaces({ stateDir }: EnvironmentPaths): Finding {
  const dir = join(stateDir, dataFolders.workspaces);
  return checkRunFolders(
    'workspaces',
    dir,
    `of steps that are open, failed or were tried again; removed ${keptRunDays} days after their run`,
  );
}

function checkAgentLogs({ stateDir }: EnvironmentPaths): Finding {
  const dir = join(stateDir, dataFolders.agentLogs);
  return checkRunFolders('agent logs', dir, `'vapora workflow logs' shows them; removed ${keptRunDays} days after their run`);
}

function checkRunFolders(name: string, dir: string, explanation: string): Finding {
  const runs = listFolder(dir).length;
  if (runs === 0) return { name, ok: true, detail: 'none' };
  const { bytes, isComplete } = measure(dir);
  const size = `${isComplete ? '' : 'more than '}${formatBytes(bytes)}`;
  return {
    name,
    ok: true,
    detail: `${size} of ${runs} run${runs === 1 ? '' : 's'} in ${dir}: ${explanation}`,
    remedy: bytes > largeBytes ? `remove the folders of runs that you do not need (they are named after the run's id)` : undefined,
  };
}

function measure(root: string): { bytes: number; isComplete: boolean } {
  let bytes = 0;
  let files = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of listFolder(folder)) {
      if (files++ >= maxCountedFiles) return { bytes, isComplete: false };
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return { bytes, isComplete: true };
}

/** A folder that is not there, or not ours to read, has nothing to tell. */
function listFolder(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** `3.4 MB` */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1_000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1_000 ** power).toPrecision(3))} ${units[power]}`;
}
