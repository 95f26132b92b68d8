/** How long the history of this execution is, as the workflow knows it. */
export interface HistorySize {
  events: number;
  bytes: number;
  signals: number;
  /** The server's advice. */
  isLong: boolean;
}

/** `when_quiet`: as soon as nothing runs. `now`: nothing new starts until then. */
export type ContinuationNeed = 'when_quiet' | 'now';

export interface HistoryLimits {
  events: number;
  bytes: number;
  signals: number;
}

/** Below the server's own: 51,200 events, 50 MB, 10,000 signals. */
export const historyLimits: HistoryLimits = { events: 40_000, bytes: 40 * 1024 * 1024, signals: 8_000 };

export function continuationNeed(size: HistorySize, limits: HistoryLimits = historyLimits): ContinuationNeed | undefined {
  if (size.events >= limits.events || size.bytes >= limits.bytes || size.signals >= limits.signals) return 'now';
  return size.isLong ? 'when_quiet' : undefined;
}
