import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { AgentResult } from '../core/contract/agent-document';
import { agentFailureTypes } from '../core/contract/local-activities';

/** An agent that fails is what plans are made for: the status and the audit say so, and the worker's log raises no alarm. */
const category = ApplicationFailureCategory.BENIGN;

/** The agent did not do it: retried by the step's policy. `result` is what it said, where it said something. */
export function agentFailure(message: string, result?: AgentResult): ApplicationFailure {
  return ApplicationFailure.create({ type: agentFailureTypes.agentFailure, message, category, ...(result && { details: [result] }) });
}

/** What the agent returned does not fit the contract: retried like any failure of the agent. */
export function badResult(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: agentFailureTypes.badResult, message, category });
}

/**
 * This worker cannot run the agent and no retry mends that. The message names what is missing and what to do. `attempt` tells whether
 * an earlier one may have left something to undo.
 */
export function notRunnable(message: string, attempt?: number): ApplicationFailure {
  const details = attempt === undefined ? {} : { details: [{ attempt }] };
  return ApplicationFailure.create({ type: agentFailureTypes.notRunnable, message, nonRetryable: true, ...details });
}

/** An earlier attempt was started and nobody knows how it ended: a person decides. */
export function unknownOutcome(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: agentFailureTypes.unknownOutcome, message, nonRetryable: true });
}

/** Another assignment or generation owns the effect by now. */
export function superseded(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: agentFailureTypes.superseded, message, nonRetryable: true });
}
