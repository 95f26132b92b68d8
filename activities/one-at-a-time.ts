export interface Turn {
  /** Rejects with its reason when it fires while the work waits. */
  signal: AbortSignal;
  /** Called when the work must wait for another; what it returns is called when the wait is over. */
  onWait: () => () => void;
}

/** Runs `work`, alone under its key in this process. */
export type OneAtATime = <T>(key: string, turn: Turn, work: () => Promise<T>) => Promise<T>;

/**
 * A worker that stood still gets the next attempt of an effect while its last one still runs: Temporal has given that up, and
 * its cancel is on the way. Two agents must not work on one effect, in one directory, at once.
 */
export function createOneAtATime(): OneAtATime {
  const running = new Map<string, Promise<void>>();

  return async (key, { signal, onWait }, work) => {
    if (running.has(key)) {
      const onGo = onWait();
      try {
        // Whoever wakes first goes on; the others find its entry and wait again.
        for (let previous = running.get(key); previous !== undefined; previous = running.get(key)) await endOf(previous, signal);
      } finally {
        onGo();
      }
    }
    let ended: () => void = () => undefined;
    running.set(key, new Promise((resolve) => (ended = resolve)));
    try {
      return await work();
    } finally {
      running.delete(key);
      ended();
    }
  };
}

async function endOf(previous: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => (stop = resolve));
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([previous, aborted]);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
}
