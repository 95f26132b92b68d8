import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/** Durable timers by id; one that is cancelled never fires. */
export function createTimers(onFired: (id: string) => void) {
  const scopes = new Map<string, CancellationScope>();

  function start(id: string, atMs: number, summary: string): void {
    scopes.get(id)?.cancel();
    const scope = new CancellationScope({ cancellable: true });
    scopes.set(id, scope);
    scope
      .run(() => sleep(Math.max(1, atMs - Date.now()), { summary }))
      .then(
        () => {
          scopes.delete(id);
          onFired(id);
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  function cancel(id: string): void {
    scopes.get(id)?.cancel();
    scopes.delete(id);
  }

  return {
    start,
    cancel,
    cancelAll(): void {
      for (const id of [...scopes.keys()]) cancel(id);
    },
  };
}
