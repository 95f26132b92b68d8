/** Runs embedded environments as processes of their own, which tests may kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Environment, EnvironmentOptions } from '../../embedded/environment';
import type { ProcessUser } from '../../embedded/supervised-process';
import { testTemporalBinary } from './environment';

export type EnvironmentProcessOptions = Pick<EnvironmentOptions, 'projectDir' | 'usualPorts' | 'durable' | 'guard'>;

export interface EnvironmentEvent {
  event: 'progress' | 'ready' | 'crash' | 'failed' | 'stopped';
  code?: string;
  message?: string;
  hint?: string;
  part?: string;
}
export type ReadyEvent = EnvironmentEvent & Omit<Environment, 'stop'>;

/** One `environment-process.ts`, which tests may kill. Everything it starts carries the mark. */
export interface EnvironmentProcess {
  child: ChildProcess;
  pid: number;
  events: EnvironmentEvent[];
  /** The next event of one of these kinds, also one that came already; fails if the process ends first. */
  waitFor<E extends EnvironmentEvent = EnvironmentEvent>(...kinds: EnvironmentEvent['event'][]): Promise<E>;
  exited: Promise<number | null>;
  /** SIGTERM, as a user's Ctrl-C, and wait. */
  stop(): Promise<void>;
}

/** Starts `environment-process.ts`, carrying `mark` so that whatever it leaves behind is found; as `user` if root says so. */
export function startEnvironmentProcess(
  options: EnvironmentProcessOptions,
  { mark, user }: { mark: string; user?: ProcessUser | undefined },
): EnvironmentProcess {
  const child = spawn(
    process.execPath,
    ['--require', join(__dirname, 'typescript-hook.cjs'), join(__dirname, 'environment-process.ts'), JSON.stringify(options)],
    {
      cwd: '/',
      env: {
        ...process.env,
        VAPORA_TEST_MARK: mark,
        VAPORA_TEMPORAL_BIN: user === undefined ? testTemporalBinary() : shareBinary(options.projectDir),
        ...(user === undefined ? {} : { HOME: options.projectDir }),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
      ...user,
    },
  );
  const events: EnvironmentEvent[] = [];
  let wake = (): void => undefined;
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    events.push(JSON.parse(line) as EnvironmentEvent);
    wake();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let ended = false;
  void exited.then(() => {
    ended = true;
    wake();
  });
  const started: EnvironmentProcess = {
    child,
    pid: child.pid as number,
    events,
    exited,
    async waitFor<E extends EnvironmentEvent>(...kinds: EnvironmentEvent['event'][]) {
      for (;;) {
        const found = events.find(({ event }) => kinds.includes(event));
        if (found !== undefined) return found as E;
        if (ended) throw new Error(`the environment ended without ${kinds.join(' or ')}: ${JSON.stringify(events, null, 1)}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
  return started;
}

/** A copy that the other user may run: ours may be in a home folder that user cannot enter. */
function shareBinary(projectDir: string): string {
  const shared = join(projectDir, 'temporal');
  try {
    linkSync(testTemporalBinary(), shared);
  } catch {
    copyFileSync(testTemporalBinary(), shared);
  }
  return shared;
}
