import type { AppErrorCode } from '../core/contract/errors';
import type { RunStatus, TerminalRunStatus } from '../core/contract/states';

/** What `vapora` exits with: a promise to scripts. */
export const exitCodes = {
  done: 0,
  /** The run failed, was rolled back or cancelled; also a bug of ours. */
  runFailed: 1,
  badUsage: 2,
  waitingForPerson: 3,
  unavailable: 4,
  refused: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export function exitCodeOfError(code: AppErrorCode): ExitCode {
  switch (code) {
    case 'bad_usage':
    case 'invalid_workflow':
    case 'invalid_agents':
    case 'not_found':
      return exitCodes.badUsage;
    case 'already_running':
    case 'refused':
      return exitCodes.refused;
    case 'unavailable':
    case 'not_registered':
      return exitCodes.unavailable;
    case 'interrupted':
      return exitCodes.interrupted;
    case 'internal':
      return exitCodes.runFailed;
  }
}

export function exitCodeOfEnd(status: TerminalRunStatus): ExitCode {
  return status === 'completed' ? exitCodes.done : exitCodes.runFailed;
}

/** Only a person can move such a run. A deferred one goes on by timer. */
export function isWaitingForPerson(status: RunStatus): boolean {
  return status === 'waiting_approval' || status === 'blocked' || status === 'paused';
}
