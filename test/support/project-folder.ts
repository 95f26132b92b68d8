/** A user's folder in which `vapora` runs as processes of its own, and a look at what is left of them. */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCliProcess, startCliProcess } from './cli-process';
import type { CliProcess, CliProcessEnd } from './cli-process';
import { testTemporalBinary } from './environment';
import { findMarkedProcesses } from './processes';
import type { ListedProcess } from './processes';
import { waitFor } from './wait-for';

/** Long enough for a first start on a busy machine. */
export const environmentStartMs = 60_000;

export interface ProjectFolder {
  path: string;
  /** Starts `vapora <words>` there. */
  start(...words: string[]): CliProcess;
  /** Runs `vapora <words>` there to its end. */
  vapora(...words: string[]): Promise<CliProcessEnd>;
  /** Everything that was started there, servers and agents included, and still lives. */
  listProcesses(): ListedProcess[];
  /** Ends what a failed test has left, and removes the folder. */
  remove(): Promise<void>;
}

export function createProjectFolder(): ProjectFolder {
  const mark = randomUUID();
  // The mark in its name also finds Postgres and the agents, whose environment is not ours.
  const path = realpathSync(mkdtempSync(join(tmpdir(), `vapora-${mark}-`)));
  // The user that PostgreSQL runs as must get in.
  chmodSync(path, 0o755);
  const options = { cwd: path, variables: { VAPORA_TEST_MARK: mark, VAPORA_TEMPORAL_BIN: testTemporalBinary() } };
  const started: CliProcess[] = [];
  return {
    path,
    start(...words) {
      const child = startCliProcess(words, options);
      started.push(child);
      return child;
    },
    vapora: (...words) => runCliProcess(words, options),
    listProcesses: () => findMarkedProcesses(mark),
    async remove() {
      for (const { child, exited } of started) {
        child.kill('SIGKILL');
        await exited;
      }
      await waitFor('what was killed to be gone', async () => findMarkedProcesses(mark).length === 0).finally(() =>
        rmSync(path, { recursive: true, force: true }),
      );
    },
  };
}

export function isServer({ commandLine }: ListedProcess): boolean {
  return /postgres|temporal/.test(commandLine);
}
