import type { AgentProgress } from '../core/contract/agent-document';

/** How often a worker beats for what it does. */
export const heartbeatEveryMs = 1_000;

export interface HeartbeatOptions {
  beat: (details: Partial<AgentProgress>) => void;
  everyMs: number;
  /** Called with every `renewEveryMs`, never twice at once. */
  renew?: (() => Promise<void>) | undefined;
  renewEveryMs: number;
}

export interface Heartbeat {
  report: (progress: AgentProgress) => void;
  stop: () => void;
}

/**
 * Beats at a steady pace whatever the agent does: that is what tells the server that this worker lives and brings its cancels
 * here. The first beat comes after one interval, so an agent that is done at once costs one timer.
 */
export function startHeartbeat({ beat, everyMs, renew, renewEveryMs }: HeartbeatOptions): Heartbeat {
  let latest: Partial<AgentProgress> = {};
  let beats = 0;
  let renewing = false;
  const timer = setInterval(() => {
    beats += 1;
    beat(latest);
    if (!renew || renewing || (beats * everyMs) % renewEveryMs >= everyMs) return;
    renewing = true;
    void renew().finally(() => (renewing = false));
  }, everyMs);
  return {
    report: (progress) => (latest = progress),
    stop: () => clearInterval(timer),
  };
}
