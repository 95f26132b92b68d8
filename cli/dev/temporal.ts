import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { connectVapora } from '../../client/connect';
import { resolveEnvironment } from '../../client/environment';
import { AppError, isAppError } from '../../core/contract/errors';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes, type ExitCode } from '../exit-codes';

/**
 * The `temporal` CLI of this machine. The environment's address and namespace are given as the environment variables it knows,
 * so that every argument, `--help` too, reaches it untouched and its own `--address` still wins. Its exit code is ours, unless it
 * failed because there is no server: then the exit code is that of every other command.
 */
export const command: CliCommand = {
  configure() {},
  async run(context) {
    const { io, arguments: given, note } = context;
    const [{ resolveTemporalBinary }, { environmentPaths }] = await Promise.all([
      import('../../embedded/temporal-binary.js'),
      import('../../embedded/paths.js'),
    ]);
    const { temporalAddress, namespace, stoppedDevFile } = resolveEnvironment({}, io.variables, io.cwd);
    // The port of an environment that was killed may be somebody else's by now.
    if (stoppedDevFile !== undefined && statedAddress(given) === undefined && !asksForHelp(given)) await requireServer(context);
    const binary = await resolveTemporalBinary({
      binDir: environmentPaths(io.cwd).binDir,
      environment: io.variables,
      signal: io.signal,
      onProgress: ({ message }) => note(message),
    });
    const variables = { ...io.variables, TEMPORAL_ADDRESS: temporalAddress, TEMPORAL_NAMESPACE: namespace };
    const exitCode = await runProgram(binary.path, given, variables);
    if (exitCode !== exitCodes.done && !io.signal.aborted) await requireServer(context);
    return exitCode;
  },
};

/** AppError `unavailable` where nothing answers at the address that the `temporal` CLI was pointed at. */
async function requireServer({ io, arguments: given, defer }: CommandContext): Promise<void> {
  const client = connectVapora({ temporalAddress: statedAddress(given), variables: io.variables, cwd: io.cwd });
  defer(() => client.close());
  try {
    await client.temporal();
  } catch (error) {
    if (!isAppError(error) || error.code !== 'unavailable') throw error;
    throw new AppError('unavailable', error.message, {
      hint: "start one with 'vapora dev', or name another one with --address or TEMPORAL_ADDRESS",
      cause: error,
    });
  }
}

/** The `--address` among the `temporal` CLI's own arguments. */
function statedAddress(given: readonly string[]): string | undefined {
  const at = given.findIndex((word) => /^--address(=|$)/.test(word));
  const [, value] = given[at]?.split('=', 2) ?? [];
  return at < 0 ? undefined : (value ?? given[at + 1]);
}

function asksForHelp(given: readonly string[]): boolean {
  return given.length === 0 || given.some((word) => ['help', '--help', '-h', '--version', '-v'].includes(word));
}

/** Its exit code, or 128 + the number of the signal that ended it. Ctrl-C reaches it by itself: it is in our process group. */
function runProgram(path: string, given: string[], variables: NodeJS.ProcessEnv): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, given, { stdio: 'inherit', env: variables });
    child.once('error', (error) =>
      reject(
        new AppError('unavailable', `cannot run ${path}: ${error.message}`, { hint: "'vapora doctor' says what is wrong", cause: error }),
      ),
    );
    child.once('exit', (code, signal) => {
      // `vapora temporal … | head`: its reader has had enough.
      if (signal === 'SIGPIPE') return resolve(exitCodes.done);
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      // Any number is possible here: it is another program's exit code that is passed on.
      resolve((exitCode === 0 ? exitCodes.done : exitCode) as ExitCode);
    });
  });
}
