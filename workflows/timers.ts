import { isCancellation, sleep } from '@temporalio/workflow';
import type { Cancellable, ScopePool } from './scopes';

/** Durable timers by id; one that is cancelled never fires. */
export function createTimers(scopes: ScopePool, onFired: (id: string) => void) {
  const running = new Map<string, Cancellable>();

  function start(id: string, atMs: number, summary: string): void {
    running.get(id)?.cancel();
    const timer = scopes.start(
      () => sleep(Math.max(1, atMs - Date.now()), { summary }),
      () => {
        // One that fired in the workflow task that cancelled it, or started another of its id, is not what the id stands for now.
        if (running.get(id) !== timer) return;
        running.delete(id);
        onFired(id);
      },
      (error) => {
        if (!isCancellation(error)) throw error;
      },
    );
    running.set(id, timer);
  }

  function cancel(id: string): void {
    running.get(id)?.cancel();
    running.delete(id);
  }

  return {
    start,
    cancel,
    cancelAll(): void {
      for (const id of [...running.keys()]) cancel(id);
    },
  };
}
