import { setTimeout as sleep } from 'node:timers/promises';

const pausesMs = [100, 300, 1_000, 2_000, 4_000, 8_000];
/** Connection lost or refused, server starting or shutting down, deadlock, serialization failure. */
const transientSqlStates = /^(08|57P|40001|40P01|53300)/;
const transientErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
const transientMessages = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Repeats a write that the database could not take at the moment, for some 15 s; stops waiting on cancel. */
export async function retryTransient<T>(write: () => Promise<T>, { signal }: { signal: AbortSignal }): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      // The next round tries once more and then sees the cancel.
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return write();
}

export function isTransient(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (transientSqlStates.test(code) || transientErrors.has(code))) return true;
  return typeof message === 'string' && transientMessages.test(message);
}
