import { AppError } from '../core/contract/errors';
import { outputClosed } from './closed-output';
import type { CliIo } from './command';
import { commandTable } from './command-table';
import { exitCodes, type ExitCode } from './exit-codes';
import { detectRenderOptions } from './render/style';
import { reportError } from './report-error';
import { runCli } from './run-cli';

/**
 * Runs one `vapora` command with the arguments after the program's name, and gives its exit code (see `exitCodes`).
 * The first Ctrl-C or SIGTERM asks the command to end in order, and so does the end of whoever reads its output; a second signal
 * ends the process at once.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const interruption = new AbortController();
  let isSignalled = false;
  const onSignal = (): void => {
    if (isSignalled) process.exit(exitCodes.interrupted);
    isSignalled = true;
    interruption.abort(new AppError('interrupted', 'interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const { stdin, stdout, stderr, env: variables } = process;
  let outputError: NodeJS.ErrnoException | undefined;
  // These listeners stay: a stream reports a failed write late, and once for each write.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    outputError ??= error;
    interruption.abort(error.code === 'EPIPE' ? outputClosed : new AppError('interrupted', 'the output is lost'));
  });
  // What cannot be said on standard error cannot be said at all.
  stderr.on('error', () => undefined);
  const io: CliIo = { stdin, stdout, stderr, variables, cwd: process.cwd(), signal: interruption.signal };
  const exitCode = await runCli(argv, io, commandTable);
  await written(stdout);
  for (const signal of signals) process.off(signal, onSignal);
  return outputError === undefined || outputError.code === 'EPIPE' ? exitCode : reportLostOutput(outputError, io, argv);
}

/** Resolves when all that was written before has reached the system, or is known to have failed. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function reportLostOutput(cause: Error, { stderr, variables }: CliIo, argv: readonly string[]): ExitCode {
  const error = new AppError('unavailable', `standard output cannot be written: ${cause.message}`, {
    hint: 'check the place that it is redirected to',
    cause,
  });
  const options = { isJson: argv.includes('--json'), isDebug: false, render: detectRenderOptions(stderr, variables) };
  const { text, exitCode } = reportError(error, options);
  stderr.write(`${text}\n`);
  return exitCode;
}

// bin/vapora.js requires this file; what imports it otherwise calls `main` itself.
const starter = require.main?.filename ?? '';
if (require.main === module || /[\\/]bin[\\/]vapora\.js$/.test(starter)) {
  void main(process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
