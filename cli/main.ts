import { AppError } from '../core/contract/errors';
import type { CliIo } from './command';
import { commandTable } from './command-table';
import { exitCodes } from './exit-codes';
import { runCli } from './run-cli';

/**
 * Runs one `vapora` command with the arguments after the program's name, and gives its exit code (see `exitCodes`).
 * The first Ctrl-C or SIGTERM asks the command to end in order; a second one ends the process at once.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const onSignal = (): void => {
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort(new AppError('interrupted', 'interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const { stdin, stdout, stderr, env: variables } = process;
  // `vapora … | head` closes our output: nobody is left to be told.
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    throw error;
  };
  stdout.on('error', onOutputError);
  const io: CliIo = { stdin, stdout, stderr, variables, cwd: process.cwd(), signal: interruption.signal };
  try {
    return await runCli(argv, io, commandTable);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    stdout.off('error', onOutputError);
  }
}

// bin/vapora.js requires this file; tests and other programs that import it call `main` themselves.
const starter = require.main?.filename ?? '';
if (require.main === module || /[\\/]bin[\\/]vapora\.js$/.test(starter)) {
  void main(process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
