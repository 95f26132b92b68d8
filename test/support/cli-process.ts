/** The built command line as a process of its own, as a user has it, and which a test may kill. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { testTemporalAddress } from './environment';
import type { TestVapora } from './vapora';
import { waitFor } from './wait-for';

const program = join(__dirname, '..', '..', 'bin', 'vapora.js');

export interface CliProcessOptions {
  cwd?: string;
  variables?: Record<string, string>;
}

export interface CliProcess {
  child: ChildProcess;
  pid: number;
  /** What it has written so far. */
  output: { stdout: string; stderr: string };
  /** Settles when it has ended and its output is read. */
  exited: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  /** Waits until it has written this; fails when it ends before. */
  says(text: string | RegExp, timeoutMs?: number): Promise<void>;
}

/** Starts `vapora <words>`. Only `options.variables` reach it beside the process's own: no address of another environment does. */
export function startCliProcess(words: string[], { cwd, variables = {} }: CliProcessOptions = {}): CliProcess {
  const { TEMPORAL_ADDRESS: _address, DATABASE_URL: _url, VAPORA_IDEMPOTENCY_KEY: _key, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...words], {
    cwd,
    env: { ...inherited, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  let ended = false;
  const exited = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      ended = true;
      resolve({ exitCode, signal });
    });
  });
  return {
    child,
    pid: child.pid as number,
    output,
    exited,
    async says(text, timeoutMs) {
      const isSaid = (): boolean =>
        typeof text === 'string'
          ? Object.values(output).some((part) => part.includes(text))
          : Object.values(output).some((part) => text.test(part));
      await waitFor(`vapora ${words.join(' ')} to say ${String(text)}`, async () => isSaid() || ended, timeoutMs);
      if (!isSaid()) throw new Error(`vapora ${words.join(' ')} ended without saying ${String(text)}:\n${output.stdout}\n${output.stderr}`);
    },
  };
}

export interface CliProcessEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `vapora <words>` to its end. */
export async function runCliProcess(words: string[], options?: CliProcessOptions): Promise<CliProcessEnd> {
  const { output, exited } = startCliProcess(words, options);
  const { exitCode } = await exited;
  return { exitCode, ...output };
}

/** What points a command at a test's database, queue and the run's server. */
export function variablesOf(vapora: Pick<TestVapora, 'databaseUrl' | 'taskQueue'>): Record<string, string> {
  return { TEMPORAL_ADDRESS: testTemporalAddress(), DATABASE_URL: vapora.databaseUrl, VAPORA_TASK_QUEUE: vapora.taskQueue };
}

/** A worker process of a test's queue that polls already. */
export async function startWorkerProcess(vapora: TestVapora, variables: Record<string, string> = {}): Promise<CliProcess> {
  const worker = startCliProcess(['worker', '--data-dir', vapora.dataDir], { variables: { ...variablesOf(vapora), ...variables } });
  await worker.says('worker polls');
  return worker;
}
