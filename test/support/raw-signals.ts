/** Signals and starts as any gRPC client may send them: bytes that no SDK of ours would produce. */
import { randomUUID } from 'node:crypto';
import type { temporal } from '@temporalio/proto';
import type { TestVapora } from './vapora';

export type RawPayload = temporal.api.common.v1.IPayload;

export function rawPayload(data: string | Uint8Array, encoding: string | null = 'json/plain'): RawPayload {
  return {
    data: typeof data === 'string' ? Buffer.from(data) : data,
    ...(encoding !== null && { metadata: { encoding: Buffer.from(encoding) } }),
  };
}

export interface RawSignal {
  name: string;
  /** Undefined: no input at all. */
  payloads?: RawPayload[];
  header?: Record<string, RawPayload>;
}

export async function sendRawSignal(vapora: TestVapora, id: string, { name, payloads, header }: RawSignal): Promise<void> {
  const { connection } = await vapora.client.temporal();
  await connection.workflowService.signalWorkflowExecution({
    namespace: vapora.client.environment.namespace,
    workflowExecution: { workflowId: id },
    signalName: name,
    requestId: randomUUID(),
    ...(payloads && { input: { payloads } }),
    ...(header && { header: { fields: header } }),
  });
}

export interface RawStart {
  type: string;
  id: string;
  payloads?: RawPayload[];
  memo?: Record<string, RawPayload>;
  header?: Record<string, RawPayload>;
  searchAttributes?: Record<string, RawPayload>;
  signal?: RawSignal;
}

export async function startRaw(
  vapora: TestVapora,
  { type, id, payloads, memo, header, searchAttributes, signal }: RawStart,
): Promise<void> {
  const { connection } = await vapora.client.temporal();
  const request = {
    namespace: vapora.client.environment.namespace,
    workflowId: id,
    workflowType: { name: type },
    taskQueue: { name: vapora.taskQueue },
    requestId: randomUUID(),
    ...(payloads && { input: { payloads } }),
    ...(memo && { memo: { fields: memo } }),
    ...(header && { header: { fields: header } }),
    ...(searchAttributes && { searchAttributes: { indexedFields: searchAttributes } }),
  };
  if (signal === undefined) await connection.workflowService.startWorkflowExecution(request);
  else {
    await connection.workflowService.signalWithStartWorkflowExecution({
      ...request,
      signalName: signal.name,
      ...(signal.payloads && { signalInput: { payloads: signal.payloads } }),
    });
  }
}

/** JSON that nests so deep that a recursive reader runs out of stack. */
export function deepJson(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}
