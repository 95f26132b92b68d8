import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { CliIo, CommandEntry, CliCommand } from '../../cli/command';
import { commandTable } from '../../cli/command-table';
import { runCli } from '../../cli/run-cli';
import { testTemporalAddress } from './environment';
import type { TestVapora } from './vapora';

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CliRunOptions {
  cwd?: string;
  variables?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** What is piped in. */
  stdin?: string;
}

/** Runs the command line in this process with the given commands, as a pipe would see it. */
export async function runInProcess(argv: string[], table: CommandEntry[], options: CliRunOptions = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const io: CliIo = {
    stdin: options.stdin === undefined ? {} : Readable.from([options.stdin]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    variables: options.variables ?? {},
    cwd: options.cwd ?? process.cwd(),
    signal: options.signal ?? new AbortController().signal,
  };
  const exitCode = await runCli(argv, io, table);
  return { exitCode, stdout, stderr };
}

/** A table entry of a command that is loaded already. */
export function entryOf(path: string, command: CliCommand): CommandEntry {
  const [first = '', second] = path.split(' ');
  return { path: second === undefined ? [first] : [first, second], summary: `does ${path}`, load: async () => command };
}

/** Every command of `vapora`, loaded by Jest instead of by the table's own `import()`, which is for compiled code. */
export const wholeTable: CommandEntry[] = commandTable.map((entry) => ({
  ...entry,
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the table's import() names compiled files, which Jest has not
  load: async () => (require(join('../../cli', ...fileOf(entry.path))) as { command: CliCommand }).command,
}));

/** Commands that run a part of the product lie in the folder that may import it. */
function fileOf(path: CommandEntry['path']): string[] {
  return ['dev', 'demo', 'doctor', 'temporal'].includes(path[0]) ? ['dev', ...path] : [...path];
}

/** `vapora` against a test's own database and task queue. */
export function cliOf(
  { databaseUrl, taskQueue }: Pick<TestVapora, 'databaseUrl' | 'taskQueue'>,
  cwd: string,
  more: NodeJS.ProcessEnv = {},
) {
  const variables = { TEMPORAL_ADDRESS: testTemporalAddress(), DATABASE_URL: databaseUrl, VAPORA_TASK_QUEUE: taskQueue, ...more };
  return async (...argv: string[]): Promise<CliResult & { json: () => never }> => {
    const result = await runInProcess(argv, wholeTable, { cwd, variables });
    return { ...result, json: () => JSON.parse(result.stdout) as never };
  };
}
