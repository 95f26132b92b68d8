import { setTimeout as delay } from 'node:timers/promises';
import type { AdjustMessage, AdjustReply } from '../core/contract/adjustments';
import { AppError, isAppError } from '../core/contract/errors';
import { refusalCodes } from '../core/contract/messages';
import type { CancelMessage, DecideMessage, DecideReply, PauseMessage, RefusalCode, ResumeMessage } from '../core/contract/messages';
import type { SignalName } from '../core/contract/names';
import { isTerminalRunStatus } from '../core/contract/states';
import { findRun } from '../db/queries/runs';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { describeRun, getStatus, peekStatus } from './run-views';
import type { SignedRun } from './signing';
import { callTemporal, isWorkerMissing, isWorkflowNotFound, runNotFound } from './temporal-errors';

export interface DecideAnswer extends DecideReply {
  /** `signal`: no worker was up to answer; the vote waits in the run's history and is judged when one is. */
  via: 'update' | 'signal';
}

const updateTimeoutMs = 5_000;
/** A file of the largest size takes a worker some seconds. */
const compiledUpdateTimeoutMs = 20_000;
/** Between the start and the frozen plan nobody knows the gates and tasks. */
export const planningPatienceMs = 5_000;
export const planningRetryMs = 150;

/**
 * Approves or rejects a gate. An early vote is accepted and says so. AppError `refused` with the reason when the run refuses it,
 * `not_found` without such a run.
 */
export async function decideGate(
  client: VaporaClient,
  id: string,
  message: DecideMessage,
  signing?: Signing<DecideMessage>,
): Promise<DecideAnswer> {
  return withSignature(client, id, { message, signing, gate: message.gate }, async (signed) => {
    const giveUpAtMs = Date.now() + planningPatienceMs;
    for (;;) {
      const reply = await sendUpdate<DecideReply>(client, id, { name: 'decide', message: signed, what: 'the vote' });
      if (reply !== 'no worker' && reply !== 'planning') return { ...reply, via: 'update' };
      // Between the start and the frozen plan nobody knows the gates: a moment of patience instead of a refusal.
      if (reply === 'no worker' || Date.now() > giveUpAtMs) return signalVote(client, id, signed);
      await delay(planningRetryMs);
    }
  });
}

/** How a request is signed: always, or only where the run asks for that. */
export interface Signing<Message> {
  /** Gives the token. */
  sign(run: SignedRun, message: Message): Promise<string>;
  always?: boolean;
}

/**
 * Sends a request as it is, and where the run takes signed ones only, once more with a signature. What the run is has to be known to
 * sign: without a worker it is what Postgres knows.
 */
export async function withSignature<Message extends { token?: string }, Reply>(
  client: VaporaClient,
  id: string,
  { message, signing, gate }: { message: Message; signing: Signing<Message> | undefined; gate?: string },
  send: (message: Message) => Promise<Reply>,
): Promise<Reply> {
  if (signing === undefined || message.token !== undefined) return send(message);
  const sendSigned = async (): Promise<Reply> =>
    send({ ...message, token: await signing.sign(await getSignedRun(client, id, gate), message) });
  if (signing.always === true) return sendSigned();
  try {
    return await send(message);
  } catch (error) {
    const isUnsigned = isAppError(error) && (error.details as { code?: unknown } | undefined)?.code === 'unsigned';
    if (!isUnsigned) throw error;
    return sendSigned();
  }
}

/** What a signature about a run, and a gate of it, has to name. AppError as `getStatus`; `unavailable` while the run is planned. */
export async function getSignedRun(client: VaporaClient, id: string, gate?: string): Promise<SignedRun> {
  const { view } = await getStatus(client, id);
  const { rootRunId, planHash, gates } = view;
  if (rootRunId === undefined || planHash === '') {
    throw new AppError('unavailable', `${id} is still being planned: what is to be signed is not known yet`, {
      hint: 'try again in a moment',
    });
  }
  const generation = gates.find((one) => one.id === gate)?.generation;
  return { run: rootRunId, plan: planHash, ...(generation !== undefined && { generation }) };
}

/**
 * Changes a run while it runs. AppError `refused` with the reason when the run refuses it, `unavailable` while no worker is up to
 * answer (then nothing was changed, unless it had arrived: `status` shows it), `not_found` without such a run.
 */
export async function adjustRun(
  client: VaporaClient,
  id: string,
  message: AdjustMessage,
  signing?: Signing<AdjustMessage>,
): Promise<AdjustReply> {
  return withSignature(client, id, { message, signing }, (signed) => sendAdjustment(client, id, signed));
}

async function sendAdjustment(client: VaporaClient, id: string, message: AdjustMessage): Promise<AdjustReply> {
  const giveUpAtMs = Date.now() + planningPatienceMs;
  for (;;) {
    const reply = await sendUpdate<AdjustReply>(client, id, {
      name: 'adjust',
      message,
      what: 'the adjustment',
      ...('source' in message && { timeoutMs: compiledUpdateTimeoutMs }),
    });
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
  { name, message, what, timeoutMs = updateTimeoutMs }: { name: string; message: object; what: string; timeoutMs?: number },
): Promise<Reply | 'no worker' | 'planning'> {
  const temporal = await client.temporal();
  const handle = temporal.workflow.getHandle(id);
  try {
    return await callTemporal(client, () =>
      temporal.connection.withDeadline(Date.now() + timeoutMs, () => handle.executeUpdate<Reply, [object]>(name, { args: [message] })),
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
    case 'unsigned':
      return "'vapora keys create' makes a key of your own; with one here, approve, reject, adjust and report sign by themselves";
    case 'bad_token':
      return "sign it exactly as it is sent, with a key that is registered and not revoked: 'vapora keys list --all' shows them";
    case 'expired_token':
    case 'replayed_token':
      return 'sign again: without --token, approve, reject, adjust and report do so by themselves';
    case 'not_optional':
      return 'add --force if it has to be skipped all the same';
    case 'invalid_plan':
      return "mend what is shown, and check the file with 'vapora validate FILE'";
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
      return `'vapora workflow status --id ${id}' shows how it stands`;
  }
}

async function signalVote(client: VaporaClient, id: string, { decision, ...vote }: DecideMessage): Promise<DecideAnswer> {
  if (vote.token === undefined) await refuseUnsigned(client, id);
  await sendSignal(client, id, decision, vote);
  return {
    effect: 'early',
    decided: false,
    gate: vote.gate,
    message: `no worker is up to answer: the ${decision === 'approve' ? 'approval' : 'rejection'} was sent as a signal and counts when one is`,
    via: 'signal',
  };
}

/** Nobody is up to refuse a signal, and it would be found worthless later. */
export async function refuseUnsigned(client: VaporaClient, id: string): Promise<void> {
  const run = await callDatabase(client, (db) => findRun(db, id)).catch(() => null);
  if (run?.strict !== true) return;
  const code: RefusalCode = 'unsigned';
  throw new AppError('refused', `${id} takes signed requests only`, { hint: hintOfRefusal(code, id), details: { code } });
}

/** Asks the run to stop and, unless `noRollback`, to undo what it did. AppError `refused` when it has ended already. */
export async function cancelRun(client: VaporaClient, id: string, message: CancelMessage): Promise<void> {
  await sendSignal(client, id, 'cancel', message);
}

/** Nothing new starts; what runs finishes. AppError `refused` where the run is paused already, is ending or has ended. */
export async function pauseRun(client: VaporaClient, id: string, message: PauseMessage): Promise<HoldAnswer> {
  return holdRun(client, id, 'pause', message);
}

/** AppError `refused` where the run is not paused. */
export async function resumeRun(client: VaporaClient, id: string, message: ResumeMessage): Promise<HoldAnswer> {
  return holdRun(client, id, 'resume', message);
}

export interface HoldAnswer {
  message: string;
  /** `signal`: no worker was up to answer, and the request waits in the run's history. */
  via: 'update' | 'signal';
}

async function holdRun(
  client: VaporaClient,
  id: string,
  kind: 'pause' | 'resume',
  message: PauseMessage | ResumeMessage,
): Promise<HoldAnswer> {
  const reply = await sendUpdate<AdjustReply>(client, id, { name: 'adjust', message: { ...message, kind }, what: 'the request' });
  if (typeof reply === 'object') return { message: reply.message, via: 'update' };
  await sendSignal(client, id, kind, message);
  return { message: `no worker is up to answer: asked ${id} to ${kind === 'pause' ? 'pause' : 'go on'} when one is`, via: 'signal' };
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
  const { status = 'created' } = (await peekStatus(client, id)) ?? {};
  // A run that does not complete has failed in Temporal, whatever it has come to.
  const end = isTerminalRunStatus(status) ? status : description.status.name.toLowerCase();
  return new AppError('refused', `${id} has ended (${end.replaceAll('_', ' ')})`, {
    hint: `'vapora workflow result --id ${id}' shows how`,
    cause,
  });
}
