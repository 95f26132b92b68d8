import type { AgentResult } from '../../../core/contract/agent-document';
import type { RunRef } from '../../../core/contract/local-activities';

/** What the hand-written workflows and their activities say to each other. */

export const baselineTaskQueue = 'bench-baseline';

export interface WorkStep {
  id: string;
  role: string;
  /** How long its agent works; at once where nothing is said. */
  durationMs?: number;
}

/** Which run a recorded step belongs to, and who does it. */
export interface Assignment {
  run: RunRef;
  agentId: string;
}

export interface WorkActivities {
  /** The agent's work: nothing, or to wait. */
  work(step: WorkStep): Promise<AgentResult>;
  /** The same, with its attempt and its outcome in Postgres. */
  recordedWork(step: WorkStep, assignment: Assignment): Promise<AgentResult>;
  /** One look of a monitor, kept as a sample. */
  recordedSample(step: WorkStep, assignment: Assignment, index: number): Promise<AgentResult>;
}

/** A step that has ended: its row is brought up to date with the next recording. */
export interface EndedStep {
  id: string;
  role: string;
  agentId: string;
  startedAtMs: number;
  endedAtMs: number;
  /** Of a monitor: no activity has recorded its outcome. */
  unrecordedResult?: AgentResult;
}

export interface AssignInput {
  run: RunRef;
  agentSet: string;
  step: WorkStep;
  atMs: number;
  ended: EndedStep[];
}

export interface RecordingActivities {
  openRun(input: { run: RunRef; definition: string; atMs: number }): Promise<{ agentSet: string }>;
  assign(input: AssignInput): Promise<{ agentId: string }>;
  recordApproval(input: { run: RunRef; gate: string; by: string; atMs: number; ended: EndedStep[] }): Promise<void>;
  closeRun(input: { run: RunRef; atMs: number; ended: EndedStep[] }): Promise<void>;
}

/** Input of every hand-written workflow. */
export interface BaselineInput {
  /** The same workflow, but agents are assigned by a local activity per step and everything is recorded in Postgres. */
  recorded: boolean;
  /** Definition id that the recorded run row names. */
  definition: string;
  /** Gives every activity the heartbeat timeout that ours has: the guarantee that a killed worker is noticed. */
  heartbeats: boolean;
}
