import { setTimeout as delay } from 'node:timers/promises';
import type { AgentResult, ArtifactRef } from '../core/contract/agent-document';
import { AppError } from '../core/contract/errors';
import type { ReportMessage, ReportReply } from '../core/contract/messages';
import { personName } from '../core/contract/person-name';
import { jsonBytes } from '../core/contract/text-size';
import { mediaTypeOf } from '../db/media-type';
import { insertArtifact } from '../db/queries/artifacts';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { planningPatienceMs, planningRetryMs, refuseUnsigned, sendSignal, sendUpdate, withSignature, type Signing } from './control-run';
import { getStatus } from './run-views';

/** A result whose outputs may be bytes. */
export interface ReportedResult extends Omit<AgentResult, 'outputs'> {
  outputs?: Record<string, string | Uint8Array | ArtifactRef>;
}

/** What a person says of a step that is theirs to do. Without `result` it is progress, a message or both, and the task stays open. */
export interface StepReport extends Omit<ReportMessage, 'result' | 'by'> {
  by: string;
  result?: ReportedResult;
}

export type ReportAnswer =
  | (ReportReply & { via: 'update' })
  /** No worker was up to answer: the report waits in the run's history and is judged when one is. */
  | { effect: 'sent'; step: string; message: string; via: 'signal' };

/** As of the outputs of any agent: what is longer, or no text, is kept as an artifact. */
const maxInlineBytes = 4 * 1024;
const maxInlineTotalBytes = 64 * 1024;
const maxArtifactBytes = 100 * 1024 * 1024;

/**
 * Reports on a step that a person does. Outputs that are large or no text are kept in Postgres first, and go by reference. A report that
 * names no task is about the one that is open now: not about what is asked after it, should it come late. AppError `refused` with the reason
 * when the run refuses it (the task stays open then), `not_found` without such a run, `bad_usage` for an output that is too large.
 */
export async function reportStep(
  client: VaporaClient,
  id: string,
  report: StepReport,
  signing?: Signing<ReportMessage>,
): Promise<ReportAnswer> {
  const { result, ...rest } = report;
  const task = report.task ?? (await findOpenTask(client, id, report));
  const message: ReportMessage = {
    ...rest,
    ...(task !== undefined && { task }),
    ...(result !== undefined && { result: await storeOutputs(client, result) }),
  };
  return withSignature(client, id, { message, signing }, (signed) => sendReport(client, id, signed));
}

async function sendReport(client: VaporaClient, id: string, message: ReportMessage): Promise<ReportAnswer> {
  const giveUpAtMs = Date.now() + planningPatienceMs;
  for (;;) {
    const reply = await sendUpdate<ReportReply>(client, id, { name: 'report', message, what: 'the report' });
    if (typeof reply === 'object') return { ...reply, via: 'update' };
    if (reply === 'planning' && Date.now() < giveUpAtMs) {
      await delay(planningRetryMs);
      continue;
    }
    if (message.token === undefined && message.result !== undefined) await refuseUnsigned(client, id);
    await sendSignal(client, id, 'report', message);
    const sent = 'no worker is up to answer: the report was sent as a signal and counts when one is';
    return { effect: 'sent', step: message.step, message: sent, via: 'signal' };
  }
}

/** Undefined where nobody says, or several are open: the run itself then says what is wrong. */
async function findOpenTask(client: VaporaClient, id: string, { step, by, agent }: StepReport): Promise<string | undefined> {
  const status = await getStatus(client, id).catch(() => undefined);
  const open = (status?.view.tasks ?? []).filter((task) => task.step === step);
  const own = open.filter((task) => personName(task.agent) === personName(agent ?? by));
  const [first, ...others] = own.length > 0 || agent !== undefined ? own : open;
  return others.length === 0 ? first?.id : undefined;
}

async function storeOutputs(client: VaporaClient, { outputs, ...result }: ReportedResult): Promise<AgentResult> {
  if (outputs === undefined) return result;
  let inlineBytes = 0;
  const stored: [string, string | ArtifactRef][] = [];
  for (const [name, output] of Object.entries(outputs)) {
    // A reference; or what is no output at all, which is for the run to say.
    if (typeof output !== 'string' && !(output instanceof Uint8Array)) {
      stored.push([name, output]);
      continue;
    }
    const sizeBytes = typeof output === 'string' ? jsonBytes(output) : output.byteLength;
    if (typeof output === 'string' && sizeBytes <= maxInlineBytes && inlineBytes + sizeBytes <= maxInlineTotalBytes) {
      inlineBytes += sizeBytes;
      stored.push([name, output]);
      continue;
    }
    if (sizeBytes > maxArtifactBytes) {
      throw new AppError('bad_usage', `the output ${name} has ${sizeBytes} bytes, more than ${maxArtifactBytes}`, {
        hint: 'keep it elsewhere and report where it is',
      });
    }
    const bytes = Buffer.from(output);
    const mediaType = mediaTypeOf(name, bytes);
    const sha256 = await callDatabase(client, (db) => insertArtifact(db, bytes, mediaType));
    stored.push([name, { artifact: `sha256:${sha256}`, mediaType, sizeBytes: bytes.length }]);
  }
  return { ...result, outputs: Object.fromEntries(stored) };
}
