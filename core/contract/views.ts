import type { AgentDocument } from './agent-document';
import type { EffectMode } from './ids';
import type { Signatures } from './signed-requests';
import type { GateStateName, RunStatus, StepState } from './states';

/** What queries, `--json` and Postgres answer: one shape wherever it comes from. Times are ISO 8601 text. */
export interface RunStatusView {
  schemaVersion: 1;
  id: string;
  runId: string;
  /** Of its first execution: what signatures name. Absent while it is planned. */
  rootRunId?: string;
  definition: string;
  planHash: string;
  /** `required`: it takes signed requests only. */
  signatures?: Signatures;
  /** So many requests wait until their signature is verified. */
  verifying?: number;
  title?: string;
  status: RunStatus;
  phase: string | null;
  /** k and n of `Phase k/n`. */
  phaseIndex: number;
  phaseCount: number;
  phases: PhaseView[];
  /** 0..1. */
  progress: number;
  reason?: string;
  /** Present while it is paused. `isFrozen`: deadlines stand still too. */
  paused?: { by: string; reason: string; since: string; isFrozen: boolean };
  waitsFor: string[];
  startedAt: string;
  endedAt?: string;
  timeScale: number;
  steps: StepView[];
  gates: GateView[];
  /** Steps that people are asked to do, now. Absent where there are none. */
  tasks?: TaskView[];
  alerts: AlertView[];
  /** How people changed the run, the newest last. */
  adjustments: AdjustmentView[];
  ignoredSignals: number;
  /** What is not in Postgres, though it should be. Absent where all is, or nothing has to be. */
  recording?: RecordingView;
  /** Of lists that may be shorter here: of a very large run they hold what goes on and the newest. */
  totals: { steps: number; gates: number; alerts: number };
  timeline: { plannedMs: number | null; elapsedMs: number; etaP50: number | null; etaP90: number | null };
}

export interface RecordingView {
  /** The recording that is under way is tried since then. */
  since?: string;
  /** Items that the database refused; the audit names them. */
  refused: number;
}

export interface PhaseView {
  id: string;
  title: string;
  state: 'pending' | 'running' | 'passed' | 'failed';
  done: number;
  total: number;
  plannedMs: number | null;
  elapsedMs: number | null;
}

export interface StepView {
  id: string;
  phase: string;
  state: StepState;
  generation: number;
  agent: string | null;
  role: string;
  /** 0..1, from heartbeats where known. */
  progress: number | null;
  /** The agent's last message. */
  message?: string;
  reason: string | null;
  waitsFor: string[];
  startedAt?: string;
  endedAt?: string;
  estimateMs: number | null;
  why?: string;
}

export interface GateView {
  id: string;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  step?: string;
  /** Which votes belong to: what is asked again is another generation. */
  generation: number;
  state: GateStateName;
  decision: string | null;
  approvers: string[];
  /** Who may not vote, whoever the approvers are. */
  barred: BarredPerson[];
  /** Approving it lets something pass that does not hold: it needs a reason, and is never given automatically. */
  isOverride: boolean;
  quorum: number;
  votes: { by: string; decision: 'approve' | 'reject'; reason?: string; at: string; assurance: 'local' | 'verified' }[];
  deadline: string | null;
  prompt?: string;
  /** What is held back, and why: value by value. */
  reason?: string;
  /** The result that the approver should read. */
  result?: { summary?: string; outputs?: Record<string, unknown>; metrics?: Record<string, unknown> };
}

/** A step, or a part of one, that a person is asked to do. It ends by a report. */
export interface TaskView {
  /** `<step>#<generation>`, as of an activity: unique in the run. */
  id: string;
  step: string;
  generation: number;
  mode: EffectMode;
  /** Who is asked to do it. */
  agent: string;
  /** Who may report: that person, and the decision-makers. */
  mayReport: string[];
  since: string;
  /** Null while deadlines stand still. */
  deadline: string | null;
  /** As reported last. */
  progress: number | null;
  message?: string;
  /** What any agent gets. */
  asked: Pick<AgentDocument, 'action' | 'tasks' | 'outputs' | 'inputs' | 'with' | 'comments' | 'undo'> & {
    title?: string;
    /** Others go by its verdict: a success without one counts as approved. */
    isReview?: true;
  };
}

/** By `distinct_from`: who started the run, or has done work that the gate is about. */
export interface BarredPerson {
  id: string;
  why: 'initiator' | 'author';
}

export interface AlertView {
  step: string;
  name: string;
  severity: string;
  message: string;
  state: 'raised' | 'cleared';
  at: string;
}

export interface AdjustmentView {
  at: string;
  kind: string;
  by: string;
  reason?: string;
  /** What it changed. */
  message: string;
}

export interface TimelineView {
  steps: TimelineEntry[];
  /** Older entries that are not here, because there are too many. */
  omitted?: number;
}
export interface TimelineEntry {
  step: string;
  subStep?: string;
  generation: number;
  slot: number;
  agent: string | null;
  startedAt: string;
  endedAt: string | null;
  outcome: string | null;
  mode: 'do' | 'undo';
  estimateMs?: number | null;
}

export interface ExplainView {
  step: string;
  state: StepState;
  reason: string | null;
  waitsFor: string[];
  /** Dependencies and whether each holds, gates value by value, the assignment's explanation. */
  lines: string[];
}
