import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { identifyProcess } from '../../embedded/process-identity';

export interface ListedProcess {
  pid: number;
  commandLine: string;
}

/** Set in the environment of everything a test run starts, so that what it leaves behind can be found. */
export const testRunVariable = 'VAPORA_TEST_RUN';

/**
 * Living processes that carry `mark`: in their environment, in their command line, or as a part of the folder they work
 * in. (PostgreSQL's processes overwrite their environment, but work in their data folder.)
 */
export function findMarkedProcesses(mark: string): ListedProcess[] {
  const found: ListedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || identifyProcess(pid) === undefined) continue;
    const commandLine = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());
    const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const folder = read(() => readlinkSync(`/proc/${pid}/cwd`));
    if ([commandLine, environment, folder].some((text) => text.includes(mark))) found.push({ pid, commandLine });
  }
  return found;
}

/** Empty for a process that ended meanwhile. */
function read(source: () => string): string {
  try {
    return source();
  } catch {
    return '';
  }
}
