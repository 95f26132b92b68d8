import { setTimeout as delay } from 'node:timers/promises';
import type { AdjustMessage, AdjustReply } from '../core/contract/adjustments';
import { AppError } from '../core/contract/errors';
import { refusalCodes } from '../core/contract/messages';
import type { CancelMessage, DecideMessage, DecideReply, PauseMessage, RefusalCode, ResumeMessage } from '../core/contract/messages';
import type { SignalName } from '../core/contract/names';
import type { VaporaClient } from './connect';
import { describeRun } from './run-views';
import { callTemporal, isWorkerMissing, isWorkflowNotFound, runNotFound } from './temporal-errors';

export interface DecideAnswer extends DecideReply {
  /** `signal`: no worker was up to answer; the vote waits in the run's history and is judged when one is. */
  via: 'update' | 'signal';
}

const updateTimeoutMs = 5_000;
/** Between the start and the frozen plan nobody knows the gates and tasks. */
export const planningPatienceMs = 5_000;
export const planningRetryMs = 150;

/**
 * Approves or rejects a gate. An early vote is accepted and says so. AppError `refused` with the reason when the run refuses it,
 * `not_found` without such a run.
 */
export async function decideGate(client: VaporaClient, id: string, message: DecideMessage): Promise<DecideAnswer> {
  const giveUpAtMs = Date.now() + planningPatienceMs;
  for (;;) {
    const reply = await updateDecide(client, id, message);
    if (reply === 'no worker') return signalVote(client, id, message);
    if (reply !== 'planning') return { ...reply, via: 'update' };
    // Between the start and the frozen plan nobody knows the gates: a moment of patience instead of a refusal.
    if (Date.now() > giveUpAtMs) return signalVote(client, id, message);
    await delay(planningRetryMs);
  }
}

async function updateDecide(client: VaporaClient, id: string, message: DecideMessage): Promise<DecideReply | 'no worker' | 'planning'> {
  return sendUpdate<DecideReply>(client, id, { name: 'decide', message, what: 'the vote' });
}

/**
 * Changes a run while it runs. AppError `refused` with the reason when the run refuses it, `unavailable` while no worker is up to
 * answer (then nothing was changed, unless it had arrived: `status` shows it), `not_found` without such a run.
 */
export async function adjustRun(client: VaporaClient, id: string, message: AdjustMessage): Promise<AdjustReply> {
  const giveUpAtMs = Date.now() + planningPatienceMs;
  for (;;) {
    const reply = await sendUpdate<AdjustReply>(client, id, { name: 'adjust', message, what: 'the adjustment' });
    if (typeof reply === 'object') return reply;
    if (reply === 'planning' && Date.now() < giveUpAtMs) {
      await delay(planningRetryMs);
      continue;
    }
    const why = reply === 'planning' ? `${id} is still being planned` : `no worker answers for ${id}`;
    throw new AppError('unavailable', `${why}: it is not known whether the run was changed`, {
      hint: `'vapora workflow status --id ${id}' shows what was changed; start a worker with 'vapora worker' or 'vapora dev', then try again`,
    });
  }
}

/** Sends an update of the run's. AppError `refused` with the reason when the run refuses it, `not_found` without such a run. */
export async function sendUpdate<Reply>(
  client: VaporaClient,
  id: string,
  { name, message, what }: { name: string; message: object; what: string },
): Promise<Reply | 'no worker' | 'planning'> {
  const temporal = await client.temporal();
  const handle = temporal.workflow.getHandle(id);
  try {
    return await callTemporal(client, () =>
      temporal.connection.withDeadline(Date.now() + updateTimeoutMs, () =>
        handle.executeUpdate<Reply, [object]>(name, { args: [message] }),
      ),
    );
  } catch (error) {
    if (isWorkflowNotFound(error)) throw await whyClosed(client, id, error);
    const failed = error as { name?: string; cause?: { message?: string; details?: unknown[] } };
    if (failed.name === 'WorkflowUpdateFailedError') {
      const code = refusalCodeOf(failed.cause?.details?.[0]);
      if (code === 'planning') return 'planning';
      const reason = failed.cause?.message ?? `the run refused ${what}`;
      throw new AppError('refused', reason, { hint: hintOfRefusal(code, id), cause: error, ...(code && { details: { code } }) });
    }
    const cause = (error as { cause?: unknown }).cause;
    if (failed.name === 'WorkflowUpdateRPCTimeoutOrCancelledError' || isWorkerMissing(error) || isWorkerMissing(cause)) return 'no worker';
    throw error;
  }
}

/** A run of another version of vapora may refuse for reasons that this one does not know. */
function refusalCodeOf(details: unknown): RefusalCode | undefined {
  const code = (details as { code?: unknown } | null | undefined)?.code;
  return refusalCodes.find((known) => known === code);
}

/** What to type instead. */
export function hintOfRefusal(code: RefusalCode | undefined, id: string): string {
  switch (code) {
    case 'reason_needed':
      return 'give it with --reason "..."';
    case 'not_approver':
      return 'say which of them decides with --by NAME';
    case 'barred':
      return 'somebody else has to decide, who is named with --by NAME';
    case 'run_ended':
      return `'vapora workflow result --id ${id}' shows how`;
    case 'not_optional':
      return 'add --force if it has to be skipped all the same';
    case 'not_assigned':
      return 'say who reports with --by NAME';
    case 'outputs_missing':
      return 'deliver them with --output NAME=@FILE, or report --status failure with a --summary that says why';
    case 'no_such_task':
      return `'vapora workflow status --id ${id}' shows what people are asked to do`;
    case 'malformed':
    case 'planning':
    case 'run_ending':
    case 'no_such_gate':
    case 'no_such_step':
    case 'no_such_agent':
    case 'quorum_needed':
    case 'does_not_apply':
    case 'already_decided':
    case undefined:
      return `'vapora workflow status --id ${id}' shows its open gates`;
  }
}

async function signalVote(client: VaporaClient, id: string, { decision, ...vote }: DecideMessage): Promise<DecideAnswer> {
  await sendSignal(client, id, decision, vote);
  return {
    effect: 'early',
    decided: false,
    gate: vote.gate,
    message: `no worker is up to answer: the ${decision === 'approve' ? 'approval' : 'rejection'} was sent as a signal and counts when one is`,
    via: 'signal',
  };
}

/** Asks the run to stop and, unless `noRollback`, to undo what it did. AppError `refused` when it has ended already. */
export async function cancelRun(client: VaporaClient, id: string, message: CancelMessage): Promise<void> {
  await sendSignal(client, id, 'cancel', message);
}

/** Nothing new starts; what runs finishes. */
export async function pauseRun(client: VaporaClient, id: string, message: PauseMessage): Promise<void> {
  await sendSignal(client, id, 'pause', message);
}

export async function resumeRun(client: VaporaClient, id: string, message: ResumeMessage): Promise<void> {
  await sendSignal(client, id, 'resume', message);
}

/** AppError `refused` when the run has ended, `not_found` without such a run. */
export async function sendSignal(client: VaporaClient, id: string, name: SignalName, message: object): Promise<void> {
  const temporal = await client.temporal();
  try {
    await callTemporal(client, () => temporal.workflow.getHandle(id).signal(name, message));
  } catch (error) {
    throw isWorkflowNotFound(error) ? await whyClosed(client, id, error) : error;
  }
}

/** Temporal says "not found" of closed runs too. */
async function whyClosed(client: VaporaClient, id: string, cause: unknown): Promise<AppError> {
  const description = await describeRun(client, id);
  if (description === undefined) return runNotFound(id, cause);
  return new AppError('refused', `${id} has ended (${description.status.name.toLowerCase().replaceAll('_', ' ')})`, {
    hint: `'vapora workflow result --id ${id}' shows how`,
    cause,
  });
}
