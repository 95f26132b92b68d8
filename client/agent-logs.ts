import { open, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { agentLogExtension, type AgentLogLine } from '../core/contract/agent-log';
import { dataFolders } from '../core/contract/data-folders';
import { AppError } from '../core/contract/errors';
import type { VaporaClient } from './connect';
import { requireRun } from './require-run';

export type { AgentLogLine } from '../core/contract/agent-log';

export interface AgentLogFilter {
  /** The worker's data folder, where it is not that of the environment that runs in this folder. */
  dataDir?: string | undefined;
  step?: string | undefined;
}

export interface AgentLogReader {
  /** Where the run's logs are, or would be. */
  folder: string;
  /** What was printed since the last call, in the order of time; at most the newest `limit` lines. */
  read(limit?: number): Promise<AgentLogLine[]>;
}

const defaultDataDir = '.vapora';
/** Lines wait for their order by time; beyond this, those that no limit can reach are let go. */
const maxHeldLines = 100_000;

/**
 * Reads what the agents of a run printed, from the disk of the worker that ran them: this machine's. AppError `not_found` where
 * there is no such run.
 */
export async function openAgentLogs(client: VaporaClient, id: string, filter: AgentLogFilter = {}): Promise<AgentLogReader> {
  const { rootRunId } = await requireRun(client, id);
  const folder = resolve(filter.dataDir ?? client.environment.dataDir ?? defaultDataDir, dataFolders.agentLogs, rootRunId);
  const offsets = new Map<string, number>();
  return {
    folder,
    async read(limit = maxHeldLines) {
      let lines: AgentLogLine[] = [];
      const newest = (): AgentLogLine[] => lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-limit);
      for (const file of await listLogFiles(folder)) {
        const offset = offsets.get(file) ?? 0;
        const text = await readWholeLines(join(folder, file), offset);
        offsets.set(file, offset + text.length);
        for (const line of parseLines(text)) if (filter.step === undefined || line.step === filter.step) lines.push(line);
        if (lines.length > 2 * limit) lines = newest();
      }
      return newest();
    },
  };
}

/** Sorted so that the files of one attempt follow each other: lines of the same millisecond keep their order. */
async function listLogFiles(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(agentLogExtension));
    return names.sort(new Intl.Collator('en', { numeric: true }).compare);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new AppError('refused', `${folder} cannot be read: ${message}`, { hint: 'run as the user of the worker', cause: error });
  }
}

/** What stands after the offset, as far as lines are whole: the last one may be half-written. A file that is gone has nothing. */
async function readWholeLines(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

function parseLines(text: Buffer): AgentLogLine[] {
  return text
    .toString('utf8')
    .split('\n')
    .flatMap((line): AgentLogLine[] => {
      try {
        return [JSON.parse(line) as AgentLogLine];
      } catch {
        // A worker that was killed in the middle of a line: the rest can be read.
        return [];
      }
    });
}
