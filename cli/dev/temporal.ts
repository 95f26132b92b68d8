import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolveEnvironment } from '../../client/environment';
import { AppError } from '../../core/contract/errors';
import type { CliCommand } from '../command';
import { exitCodes, type ExitCode } from '../exit-codes';

/**
 * The `temporal` CLI of this machine. The environment's address and namespace are given as the environment variables it knows,
 * so that every argument, `--help` too, reaches it untouched and its own `--address` still wins.
 */
export const command: CliCommand = {
  configure() {},
  async run({ io, arguments: given, note }) {
    const [{ resolveTemporalBinary }, { environmentPaths }] = await Promise.all([
      import('../../embedded/temporal-binary.js'),
      import('../../embedded/paths.js'),
    ]);
    const { temporalAddress, namespace } = resolveEnvironment({}, io.variables, io.cwd);
    const binary = await resolveTemporalBinary({
      binDir: environmentPaths(io.cwd).binDir,
      environment: io.variables,
      signal: io.signal,
      onProgress: ({ message }) => note(message),
    });
    const variables = { ...io.variables, TEMPORAL_ADDRESS: temporalAddress, TEMPORAL_NAMESPACE: namespace };
    return runProgram(binary.path, given, variables);
  },
};

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
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      // Any number is possible here: it is another program's exit code that is passed on.
      resolve((exitCode === 0 ? exitCodes.done : exitCode) as ExitCode);
    });
  });
}
