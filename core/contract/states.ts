/** States of runs, steps and gates: the words that the CLI, the dashboard, search attributes and SQL all use. */

export const runStatuses = [
  'created',
  'planning',
  'in_progress',
  'waiting_approval',
  'blocked',
  'paused',
  'deferred',
  'completing',
  'completed',
  'rolling_back',
  'rolled_back',
  'rollback_failed',
  'failed',
  'cancelled',
] as const;
export type RunStatus = (typeof runStatuses)[number];

export const terminalRunStatuses = ['completed', 'rolled_back', 'rollback_failed', 'failed', 'cancelled'] as const;
export type TerminalRunStatus = (typeof terminalRunStatuses)[number];

export function isTerminalRunStatus(status: RunStatus): status is TerminalRunStatus {
  return (terminalRunStatuses as readonly RunStatus[]).includes(status);
}

export const stepStates = [
  'pending',
  'ready',
  'assigned',
  'running',
  'waiting_approval',
  'blocked',
  'deferred',
  'reworking',
  'passed',
  'failed',
  'skipped',
  'cancelled',
  'compensating',
  'compensated',
  'compensation_failed',
] as const;
export type StepState = (typeof stepStates)[number];

export const gateStates = ['pending', 'open', 'decided'] as const;
export type GateStateName = (typeof gateStates)[number];

export const verdicts = ['approved', 'changes_requested', 'rejected', 'blocked'] as const;
export type Verdict = (typeof verdicts)[number];

/** How an assignment ended. Only success and failure count for learning. */
export const outcomes = ['success', 'failure', 'cancelled', 'unknown'] as const;
export type Outcome = (typeof outcomes)[number];
