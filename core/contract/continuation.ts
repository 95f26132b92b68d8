import type { ResolveOutput } from './local-activities';

/** What an execution that continues a run starts with, instead of a start input. Only the workflow itself can say so. */
export interface ContinuationInput {
  continued: Continuation;
}

export interface Continuation {
  schemaVersion: 1;
  /** sha256 of the `SavedRun` in `artifacts`, as JSON, read in so many pieces. */
  saved: string;
  pieces: number;
}

/** All of a run that goes on in another execution: Temporal ends a run whose history grows beyond 51,200 events. */
export interface SavedRun {
  schemaVersion: 1;
  /** The engine's. */
  state: unknown;
  resolved: Omit<ResolveOutput, 'planText'>;
  startedAtMs: number;
  autoApprove: boolean;
  /** Temporal's own cancel was asked for: the run is to end as Canceled. */
  cancelRequested: boolean;
  /** Items that the database has refused. */
  refused: number;
}
