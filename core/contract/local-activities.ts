import type { ContinuationNeed, HistorySize } from './history-limits';
import type { AgentSpec, ExecutorKind, ExecutorSpec } from './agents';
import type { AgentResult, MetricValue } from './agent-document';
import type { EffectMode } from './ids';
import type { Outcome, RunStatus, StepState } from './states';
import type { StartInput } from './start-input';
import type { Signatures } from './signed-requests';
import type { BarredPerson, TaskView } from './views';

/**
 * Arguments and results of the activities: the seam between workflows/ and activities/. Results of local activities stand in
 * the history (markers): keep them small.
 */

/** Identity of a run in every call. */
export interface RunRef {
  /** firstExecutionRunId. */
  rootRunId: string;
  /** This execution's run id (differs after reset or continue-as-new). */
  runId: string;
  workflowId: string;
}

// --- vapora.resolve -------------------------------------------------------------------------------------------------

export interface ResolveInput {
  run: RunRef;
  /** Workflow type = definition id. */
  definition: string;
  input: StartInput;
  atMs: number;
  taskQueue: string;
}

/** Which plan a run follows, and how its text is read. */
export interface FrozenPlan {
  planHash: string;
  planPieces: number;
  /** The pieces are deflated. */
  planCompressed?: boolean;
}

export interface ResolveOutput extends FrozenPlan {
  version: number | null;
  /** The plan's canonical JSON; of a long one the first piece, or nothing: the others come by vapora.loadPlan. */
  planText: string;
  /** sha256 of the frozen agent set (agents of this run, their specs). */
  agentSet: string;
  /** Ids of its agents; absent where they are very many, and in histories from before it was known. */
  agentIds?: string[];
  /** Human agents by role, for gates that name no approver. */
  humans: { id: string; role: string }[];
  inputs: Record<string, unknown>;
  initiator: string;
  timeScale: number;
  seed: string;
  /** Without recording: the agents in plain, chosen round-robin by the workflow. */
  agents?: AgentSpec[];
  /** p50 in ms by step id, where history knows (n >= 5). */
  historyEstimatesMs: Record<string, number>;
  /** The rules that the run follows; absent in histories from before there were others. */
  engineVersion?: number;
  /** Absent where nothing can be verified: without recording, and in histories from before there were signatures. */
  signatures?: Signatures;
  /** Whether who started it has proved it. Absent: no. */
  initiatorAssurance?: 'verified';
}

export interface SaveRunInput {
  run: RunRef;
  /** A `SavedRun` as JSON. */
  text: string;
}

export interface LoadRunInput {
  run: RunRef;
  saved: string;
  piece: number;
  atMs: number;
}

export interface LoadPlanInput {
  planHash: string;
  piece: number;
  /** The answer is bytes of the deflated text; else, in histories from before that, characters of it. */
  compressed?: boolean;
}

// --- vapora.wave / vapora.record --------------------------------------------------------------------------------------

/** Who did it, as the audit says it. */
export interface Actor {
  kind: 'person' | 'agent' | 'engine' | 'timer' | 'temporal';
  id: string;
  /** `local`: taken as given; `verified`: signed. */
  assurance?: 'local' | 'verified';
  /** Id of the key that signed. */
  key?: string;
}

/** One line of the audit trail. `action` uses `<object>.<past participle>`, e.g. `gate.approved`, `step.passed`, `signal.ignored`. */
export interface AuditEntry {
  atMs: number;
  actor: Actor;
  action: string;
  /** Step, gate or run id. */
  object: string;
  generation?: number;
  outcome?: string;
  reason?: string;
  details?: Record<string, unknown>;
  occurrence?: Occurrence;
}

/**
 * Which time the run says exactly this; absent the first time. It makes of a line something that can be recognized when a workflow
 * task that was lost is done again: in another recording, at another time.
 */
export type Occurrence = number;

/** Upserted into run_steps: only the steps that changed since the last recording. */
export interface StepProjection {
  step: string;
  phase: string;
  state: StepState;
  generation: number;
  agent?: string;
  role: string;
  reason?: string;
  waitsFor?: string[];
  startedAtMs?: number;
  endedAtMs?: number;
}

/** Upserted into approvals (one row per gate and generation). */
export interface GateProjection {
  gate: string;
  step?: string;
  phase?: string;
  generation: number;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  state: 'pending' | 'open' | 'decided';
  prompt?: string;
  approvers: string[];
  barred: BarredPerson[];
  isOverride: boolean;
  quorum: number;
  openedAtMs?: number;
  deadlineMs?: number;
  decision?: 'approved' | 'rejected' | 'timed_out' | 'withdrawn';
  decidedAtMs?: number;
  reason?: string;
}

/** Upserted into tasks (one row per effect). While it is open, the person's slot is kept until its deadline. */
export interface TaskProjection {
  effect: EffectRef;
  isOpen: boolean;
  view: TaskView;
}

export interface VoteRecord {
  gate: string;
  generation: number;
  by: string;
  decision: 'approve' | 'reject';
  reason?: string;
  atMs: number;
  assurance: 'local' | 'verified';
  /** False: kept in the audit only (late, repeated, unauthorised). */
  counted: boolean;
}

export interface RunProjection {
  /** Of the plan that the run follows now. Absent: as before. */
  planHash?: string;
  status: RunStatus;
  phase: string | null;
  /** 0..1. */
  progress: number;
  waitsFor: string[];
  reason?: string;
  endedAtMs?: number;
}

export interface AlertRecord {
  step: string;
  name: string;
  severity: string;
  message: string;
  state: 'raised' | 'cleared';
  atMs: number;
  occurrence?: Occurrence;
}

/** Everything that changed since the last recording. */
export interface RunChanges {
  /** Of the workflow task that made it. Behind what its execution has recorded, it is late: it changes no projection any more. */
  historyLength?: number;
  /** The last audit line that a completed workflow task knew of: whatever a lost one recorded stands after it. */
  auditAfter?: number;
  run?: RunProjection;
  steps: StepProjection[];
  gates: GateProjection[];
  /** Absent where none has changed. */
  tasks?: TaskProjection[];
  votes: VoteRecord[];
  alerts: AlertRecord[];
  audit: AuditEntry[];
  /** Terminal ends that the activity itself could not record (timeout, cancel, lost worker, foreign queue, monitor step). */
  ends: EffectEnd[];
}

export interface EffectRef {
  path: string;
  generation: number;
  slot: number;
  assignment: number;
  mode: EffectMode;
}

export interface EffectEnd extends EffectRef {
  outcome: Outcome;
  atMs: number;
  /** Who said so, where somebody did. */
  actor?: Actor;
  /** When the work began, where no activity of ours has recorded it (foreign workers, monitors, people). */
  startedAtMs?: number;
  /** The time scale, where it made the work shorter (simulated agents, monitors): history knows what it would have taken. */
  durationFactor?: number;
  failure?: string;
  result?: AgentResult;
}

export interface AssignmentRequest extends EffectRef {
  step: string;
  role: string;
  skills: string[];
  taskType: string;
  quality: string;
  environment?: string;
  /** Only this agent may do it (`agent: <id>`, an undo, a retry with a named agent). */
  agentId?: string;
  exclude: string[];
  /** No person can do it: a monitor's samples. */
  machinesOnly?: true;
  policy: 'exploit' | 'explore';
}

export interface AssignedAgent {
  id: string;
  role: string;
  skills: string[];
  executor: ExecutorKind;
  /** For `worker` executors. */
  taskQueue?: string;
  idempotent: boolean;
  compensate?: string;
}

/** It succeeded before the run was reset: it does not begin again (a foreign worker or a monitor could not look that up). */
export interface RecordedSuccess {
  result: AgentResult;
  startedAtMs: number;
  endedAtMs: number;
}

export type AssignmentReply = EffectRef &
  (
    | { kind: 'assigned'; agent: AssignedAgent; why: string; done?: RecordedSuccess }
    /** All who could are busy: ask again. `people`: they are people, who take their time. */
    | { kind: 'busy'; reason: string; people?: true }
    /** Nobody in the registry can do it: the step fails. */
    | { kind: 'nobody'; reason: string }
  );

export interface WaveInput {
  run: RunRef;
  agentSet: string;
  atMs: number;
  changes: RunChanges;
  requests: AssignmentRequest[];
  history?: HistorySize;
}
export interface WaveOutput extends RecordOutput {
  replies: AssignmentReply[];
}

export interface RecordInput {
  run: RunRef;
  atMs: number;
  changes: RunChanges;
  history?: HistorySize;
}
export interface RecordOutput {
  /** Number of the run's last audit line, where it was looked at. */
  audited?: number;
  /** How many items the database refused for good; they are kept in recording_refusals. */
  refused?: number;
  /** What the length of the history asks for. Said here, so that it stands in the history: a replay is to see it at the same place. */
  continuation?: ContinuationNeed;
}

// --- vapora.addAgents -------------------------------------------------------------------------------------------------

export interface AddAgentsInput {
  run: RunRef;
  /** The agents that the run has. */
  agentSet: string;
  role: string;
  count: number;
}
export interface AddAgentsOutput {
  /** sha256 of the larger set; the old one where nothing could be added. */
  agentSet: string;
  /** Ids of the new ones. */
  added: string[];
  /** Why there are fewer than asked for. */
  problem?: string;
}

// --- vapora.compilePlan -----------------------------------------------------------------------------------------------

export interface CompilePlanInput {
  run: RunRef;
  source: string;
  format: 'yaml' | 'toml';
  /** The agents that the run has: its set, or, without recording, the agents in plain. */
  agentSet: string;
  agents?: AgentSpec[];
  /** What the plan that the run follows asks for already: that is not judged again. */
  known: { roles: string[]; agentIds: string[] };
}

/** `planText` as in `ResolveOutput`. `problem`: why there is no plan, with the diagnostics. */
export type CompilePlanOutput =
  ({ ok: true; planText: string; historyEstimatesMs: Record<string, number> } & FrozenPlan) | { ok: false; problem: string };

// --- the agent activity (activity type = role) ------------------------------------------------------------------------

/** First argument: AgentDocument (all that a foreign worker needs). Second: what our own worker needs beside it. */
export interface AgentActivityControl {
  run: RunRef;
  effect: EffectRef;
  agentSet: string;
  planHash: string;
  timeScale: number;
  seed: string;
  estimateMs?: number;
  /** `ask`: a started attempt with neither outcome nor failure ends the activity with failure type `UnknownOutcome`. */
  onUnknown: 'retry' | 'ask';
  recording: 'full' | 'none';
  /** Present without recording, where no database holds it. */
  agent?: AgentSpec;
  /** Instead of the agent's own: how a step's `compensate` says that it is undone. */
  executor?: ExecutorSpec;
  /** A monitor's sample: stored as a sample, not as an execution. */
  sample?: boolean;
}

export interface AgentActivityOutput {
  result: AgentResult;
  startedAtMs: number;
  endedAtMs: number;
  attempt: number;
}

/**
 * ApplicationFailure types that the agent activity throws. `AgentFailure` = the agent said `failure` or its result did not fit
 * (retried by policy); details[0] is the AgentResult where there is one.
 */
export const agentFailureTypes = {
  agentFailure: 'AgentFailure',
  badResult: 'BadResult',
  unknownOutcome: 'UnknownOutcome',
  /** Configuration that no retry mends (missing program, unsupported executor): non-retryable. */
  notRunnable: 'NotRunnable',
  /** A late writer: another assignment or generation owns the effect. Non-retryable. */
  superseded: 'Superseded',
} as const;

/** What an activity reports that begins nothing, because its run is to be undone. */
export const heldMessage = 'held: what the run did is to be undone';

export interface SampleRecord {
  step: string;
  generation: number;
  index: number;
  atMs: number;
  metrics: Record<string, MetricValue>;
}
