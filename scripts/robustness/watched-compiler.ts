import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { CompileAnswer, CompileRequest } from './compile-process';

/** An answer, or none: the process ended by itself, or had to be ended. */
export type Outcome = ({ kind: 'answer' } & CompileAnswer) | { kind: 'crash'; how: string } | { kind: 'stall' };

/**
 * The compiler in a process of its own. A text that it does not answer in time ends the process, as one that breaks it does; the
 * next text gets a new one.
 */
export class WatchedCompiler {
  readonly #limitMs: number;
  readonly #program: string;
  #process: ChildProcess | undefined;

  /** `program`: what answers, in place of the compiler. */
  constructor({ limitMs, program = resolve(__dirname, 'compile-process.ts') }: { limitMs: number; program?: string }) {
    this.#limitMs = limitMs;
    this.#program = program;
  }

  async compile(request: CompileRequest): Promise<Outcome> {
    const running = (this.#process ??= start(this.#program));
    const outcome = await new Promise<Outcome>((done) => {
      const timer = setTimeout(() => done({ kind: 'stall' }), this.#limitMs);
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        running.removeAllListeners();
        done(outcome);
      };
      running.once('message', (answer: CompileAnswer) => finish({ kind: 'answer', ...answer }));
      running.once('exit', (code, signal) => finish({ kind: 'crash', how: signal ?? `exit code ${code}` }));
      running.send(request);
    });
    if (outcome.kind !== 'answer') this.stop();
    return outcome;
  }

  stop(): void {
    this.#process?.removeAllListeners();
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}

function start(program: string): ChildProcess {
  return fork(program, [], {
    execArgv: ['--require', resolve(__dirname, '../../test/support/typescript-hook.cjs'), '--max-old-space-size=1024'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
