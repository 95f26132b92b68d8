import type { TerminalRunStatus } from './states';

/** What a completed run returns; a run that ended otherwise carries it in its failure's details. */
export interface RunResult {
  schemaVersion: 1;
  id: string;
  status: TerminalRunStatus;
  reason?: string;
  definition: string;
  planHash: string;
  /** How many steps ended in each state. */
  steps: Record<string, number>;
}
