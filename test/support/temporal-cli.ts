/** The real `temporal` CLI against the run's server. */
import { execFile } from 'node:child_process';
import { testTemporalAddress, testTemporalBinary } from './environment';

export interface CommandEnd {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const commandTimeoutMs = 30_000;

/** `temporal <words> --address …`; a refusal is an answer, not an exception. */
export function runTemporalCli(...words: string[]): Promise<CommandEnd> {
  const args = [...words, '--address', testTemporalAddress(), '--namespace', 'default', '--disable-config-file', '--disable-config-env'];
  return new Promise((resolve, reject) => {
    execFile(testTemporalBinary(), args, { timeout: commandTimeoutMs }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
      else reject(new Error(`temporal ${words.join(' ')} could not be run`, { cause: error }));
    });
  });
}
