import { setTimeout as delay } from 'node:timers/promises';

const everyMs = 50;

/** Thrown by a look at what can no longer come. */
export class Hopeless extends Error {
  override readonly name = 'Hopeless';
}

/** Waits until `look` gives something; exceptions but Hopeless count as "not yet" and the last one is in the error. */
export async function waitFor<T>(what: string, look: () => Promise<T | undefined | false>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      lastError = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      lastError = error;
    }
    await delay(everyMs);
  }
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}`, { cause: lastError });
}
