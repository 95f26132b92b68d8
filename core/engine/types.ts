import type { Adjustment, AdjustmentKind, AdjustVerdict } from '../contract/adjustments';
import type { AgentResult, MetricValue, TrafficShare } from '../contract/agent-document';
import type { EffectMode } from '../contract/ids';
import type {
  Actor,
  AlertRecord,
  AssignedAgent,
  AssignmentReply,
  AssignmentRequest,
  EffectRef,
  RunChanges,
} from '../contract/local-activities';
import type { DecideReply, Refusal } from '../contract/messages';
import type { NoticeChannel, NoticeDocument, NoticeEvent, NoticeKind } from '../contract/notice';
import type { Outcome, RunStatus, StepState, TerminalRunStatus, Verdict } from '../contract/states';
import type { BarredPerson, ExplainView, GateView, RunStatusView, TimelineView } from '../contract/views';
import type { Plan } from '../plan/types';

/**
 * The engine: Plan + events → decisions. It has no clock, no random, no I/O; every event carries its time. The same plan and
 * the same events give the same decisions, whatever the order in which simultaneous completions are listed.
 *
 * The driver (workflows/) calls `apply` for everything that happened, then `decide` once, and carries the decisions out.
 */
export interface Engine {
  /** Plain JSON: what continue-as-new carries. */
  readonly state: RunState;
  apply(event: EngineEvent): void;
  /** What to do now. Calling it again without an event in between gives nothing new. */
  decide(nowMs: number): Decision[];
  /** What changed since the last call, for Postgres. `urgent`: a reader must see it soon (status, gates, votes, alerts), not just steps. */
  takeChanges(): { changes: RunChanges; urgent: boolean };
  hasChanges(): { any: boolean; urgent: boolean };
  /** Why this vote would be refused, or what it would do: pure, for update validators. */
  judgeVote(vote: Vote): VoteVerdict;
  /** Why this adjustment would be refused; undefined where it applies now. Pure, for update validators. */
  judgeAdjustment(request: AdjustmentRequest): Refusal | undefined;
  /** Nothing new is started from now on: the run is to continue as new. */
  drain(): void;
  /** True when nothing runs and no question is open: the state is all there is of the run. */
  isQuiet(): boolean;
  /** What only a person can move, now: ids of open gates and blocked steps. Cheap: asked after every turn. */
  waitsFor(): string[];
  statusView(nowMs: number): RunStatusView;
  gateViews(nowMs: number): GateView[];
  timelineView(): TimelineView;
  explain(stepId: string): ExplainView | null;
}

export interface EngineOptions {
  plan: Plan;
  planHash: string;
  run: { id: string; runId: string; rootRunId: string; definition: string };
  startedAtMs: number;
  timeScale: number;
  initiator: string;
  inputs: Record<string, unknown>;
  /** Human agents: the approvers where a gate names none. */
  humans: { id: string; role: string }[];
  autoApprove: boolean;
  /** p50 by step id where the history knows. */
  historyEstimatesMs: Record<string, number>;
  /** The rules that the run follows (core/contract/engine-version.ts). Absent: the newest. */
  version?: number;
  /** Continue from here instead of from the beginning. */
  saved?: RunState;
}

/** What a vote does, or why it does not count. */
export type VoteVerdict = { ok: true; reply: DecideReply } | ({ ok: false } & Refusal);

export interface Vote {
  gate: string;
  by: string;
  decision: 'approve' | 'reject';
  reason?: string;
  atMs: number;
  assurance: 'local' | 'verified';
  via: 'signal' | 'update' | 'auto';
}

/** Somebody wants to change the run. */
export interface AdjustmentRequest {
  adjustment: Adjustment;
  by: Actor;
  reason?: string;
  via: Vote['via'];
}

export interface EffectFailure {
  kind: 'failed' | 'timeout' | 'cancelled' | 'unknown' | 'not_runnable' | 'superseded';
  message: string;
  /** The agent's own result, where it gave one. */
  result?: AgentResult;
  /** True when the activity itself has recorded this end in Postgres. */
  recorded: boolean;
  /** The attempt that failed, from 1, where it is known. */
  attempt?: number | undefined;
}

export type EngineEvent =
  | { type: 'replied'; atMs: number; replies: AssignmentReply[] }
  | {
      type: 'effectEnded';
      atMs: number;
      effect: EffectRef;
      startedAtMs?: number;
      endedAtMs?: number;
      attempt?: number;
      result?: AgentResult;
      failure?: EffectFailure;
    }
  /** A monitor's sample came back (effect path `<step>/sample-<k>`): also `effectEnded`. */
  | { type: 'timerFired'; atMs: number; id: string }
  /** `answer` is told what became of the vote, once. */
  | { type: 'voted'; vote: Vote; answer?: (verdict: VoteVerdict) => void }
  | { type: 'cancelRequested'; atMs: number; by: Actor; reason: string; noRollback: boolean }
  | { type: 'pauseRequested'; atMs: number; by: Actor; reason: string; freeze?: boolean }
  | { type: 'resumeRequested'; atMs: number; by: Actor; reason?: string }
  | { type: 'alertReceived'; atMs: number; by: Actor; name: string; severity: string; message: string }
  /** `answer` is told what became of it, once. */
  | { type: 'adjusted'; atMs: number; request: AdjustmentRequest; answer?: (verdict: AdjustVerdict) => void }
  /** The answer to the decision `addAgents`. */
  | { type: 'agentsAdded'; atMs: number; agentSet: string; added: string[]; problem?: string }
  /** A notice was delivered (`address`: to whom), or given up (`failure`). */
  | { type: 'noticeEnded'; atMs: number; id: string; address?: string; attempt?: number; failure?: string }
  /** Anything that could not be understood or does not apply: audited, changes nothing. */
  | { type: 'signalIgnored'; atMs: number; name: string; reason: string; by?: string };

export type Decision =
  /** All steps (or slots, compensations, samples) that need an agent now: one wave. Answered by `replied`. */
  | { type: 'assign'; requests: AssignmentRequest[] }
  | {
      type: 'launch';
      effect: EffectRef;
      step: string;
      agent: AssignedAgent;
      action?: string;
      share?: TrafficShare;
      sample?: { index: number; of: number };
    }
  | { type: 'cancelEffect'; effect: EffectRef; reason: string }
  | { type: 'startTimer'; id: string; atMs: number; summary: string }
  | { type: 'cancelTimer'; id: string }
  /** Answered by `agentsAdded`. Nobody is assigned meanwhile. */
  | { type: 'addAgents'; role: string; count: number }
  /** Tell one channel. Nothing waits for it but the very end of the run. Answered by `noticeEnded`. */
  | { type: 'notify'; id: string; channel: NoticeChannel; notice: NoticeDocument }
  | { type: 'finish'; status: TerminalRunStatus; reason?: string };

/**
 * All of a run, as plain JSON: what continue-as-new carries. The maps by id have no prototype while the engine holds them (an id
 * may be `toString`); indexes (dependents, counters, heaps) are rebuilt from plan + state and never saved.
 */
export interface RunState {
  schemaVersion: 1;
  status: RunStatus;
  reason?: string;
  phase: string | null;
  steps: Record<string, StepRunState>;
  phases: Record<string, PhaseRunState>;
  /** By gate id, the newest generation. An early vote makes a `pending` one. */
  gates: Record<string, GateRunState>;
  /** Registered before their steps start, run in reverse order of completion. */
  compensations: CompensationEntry[];
  /** What runs now, by activity id. */
  inFlight: Record<string, InFlightEffect>;
  /** Pending timers. The first `decide` of a restored engine starts them again. */
  timers: Record<string, TimerRunState>;
  /** The newest, and what stands. */
  alerts: AlertRecord[];
  alertCount: number;
  ignoredSignals: number;
  /** Ends of effects so far: the order of completion that rollback reverses. */
  sequence: number;
  /** While an `assign` has not been answered: the steps it asks for. */
  asking?: string[];
  /** Present while somebody asked for is busy: until when to wait with the next question, and for whom (`agentKey` of the index). */
  busy?: { delayMs: number; keys: string[] };
  /** `frozen`: the timers of gates that stand still, with what is left of each. */
  paused?: { atMs: number; reason: string; by: string; frozen?: Record<string, { leftMs: number; timer: TimerRunState }> };
  /** How the plan was changed while it ran, in order: what the run follows is the plan with these. */
  edits?: PlanEdit[];
  /** While `addAgents` has not been answered. */
  adding?: { role: string; count: number; by: Actor; reason?: string };
  /** The agents of the run, once some were added. */
  agentSet?: string;
  /** The newest. */
  adjustments?: AdjustmentRecord[];
  /** Why the run is ending: set once. */
  ending?: RunEnding;
  endedAtMs?: number;
  /** Present where somebody is told that the run is late, or something is done about it. */
  lateness?: LatenessRunState;
  /** Present where the plan tells somebody. */
  notices?: NoticesRunState;
}

export interface LatenessRunState {
  /** In which the run was said to be late. */
  phases: string[];
  /** Settled steps when it was last looked at. */
  settled: number;
  /** `on_late` has something to do. */
  isToBeMet?: true;
}

export interface NoticesRunState {
  /** Notices so far, one for each channel: the number of the last. */
  count: number;
  /** Under way, by id. */
  pending: Record<string, PendingNotice>;
}

export interface PendingNotice {
  channel: NoticeChannel['channel'];
  event: NoticeEvent;
  kind: NoticeKind;
  /** Step, gate or run id. */
  object: string;
}

/** A change of the plan that adjustments made. */
export interface PlanEdit {
  kind: 'parallelize';
  steps: string[];
}

export interface AdjustmentRecord {
  atMs: number;
  kind: AdjustmentKind;
  by: string;
  reason?: string;
  message: string;
}

export interface RunEnding {
  kind: 'fail' | 'cancel';
  reason: string;
  /** `steps`: only those named (what a monitor's rollback undoes). */
  rollback: 'all' | 'production' | 'steps' | 'none';
  steps?: string[];
  atMs: number;
  /** The compensations have been chosen and put in order. */
  selected?: boolean;
}

/** What can hold a step, in the order in which they are looked at. */
export type StepCheck = 'requires' | 'failure' | 'verdict' | 'security' | 'gate' | 'approval' | 'unknown' | 'deferred';

export interface StepRunState {
  state: StepState;
  generation: number;
  reason?: string;
  verdict?: Verdict;
  /** One entry per slot of the present generation. */
  slots: SlotRunState[];
  /** What the step as a whole reports: outputs merged, metrics merged, the last summary. */
  result?: AgentResult;
  /** What a blocked step is blocked by. */
  blockedBy?: StepCheck;
  /** Checks of this generation that somebody let pass, with their reason in the audit. */
  overridden?: StepCheck[];
  /** Its approval gate was approved in this generation. */
  approved?: boolean;
  /** Its manual start was given in this generation. */
  startGiven?: boolean;
  /** It waited for a step that can block it, and that one for it. */
  heldNoLonger?: boolean;
  /** It is to be skipped as soon as what still runs of it has stopped. */
  skipping?: { reason: string; by: Actor };
  /** Who has to do it, since it was retried. */
  agentId?: string;
  /** What its agents get instead of what the plan says, by input name, since it was retried. */
  inputs?: Record<string, unknown>;
  /** Skipped because something it needs failed: plain dependents are skipped too. */
  skippedByFailure?: boolean;
  /** What reviewers asked to change; for the agents of the next generation. */
  comments?: { from: string; text: string; generation: number }[];
  /** Rounds of rework that this step has asked for. */
  reworkRounds?: number;
  readyAtMs?: number;
  startedAtMs?: number;
  endedAtMs?: number;
  /** Every effect that was launched, samples excepted: for the timeline. */
  effects?: EffectLogEntry[];
  monitor?: MonitorRunState;
  /** Of a deployment that runs as sub-steps. */
  rollout?: RolloutRunState;
  /** It undoes itself, and what it becomes then. */
  undoing?: StepUndo;
}

export interface RolloutRunState {
  /** The sub-step that is next, or runs, from 0. */
  at: number;
  /** Who did the one before. */
  agentId?: string;
  /** Of those that have succeeded, together. */
  result?: AgentResult;
}

export interface StepUndo {
  becomes: 'failed' | 'skipped';
  reason: string;
  by?: Actor | undefined;
  /** A person has given it up: `on_failure: block` does not ask again. */
  isFinal?: boolean;
}

export interface SlotRunState {
  slot: number;
  assignment: number;
  state: 'wanted' | 'requested' | 'busy' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  agent?: AssignedAgent;
  why?: string;
  excluded: string[];
  startedAtMs?: number;
  endedAtMs?: number;
  /** Until the step's result is put together from them. */
  result?: AgentResult;
  failure?: string;
  /** Of a failure that has not been judged yet. */
  failureKind?: EffectFailure['kind'];
}

export interface EffectLogEntry {
  generation: number;
  slot: number;
  assignment: number;
  mode: EffectMode;
  /** Absent: the step itself. */
  subStep?: string;
  agent: string;
  startedAtMs: number;
  endedAtMs?: number;
  outcome?: Outcome;
}

export interface InFlightEffect {
  effect: EffectRef;
  step: string;
  kind: 'slot' | 'sample' | 'undo';
  cancelling?: boolean;
}

export interface TimerRunState {
  atMs: number;
  kind: 'gateDeadline' | 'gateReminder' | 'sample' | 'agents' | 'deferred' | 'rollout' | 'late';
  /** Gate or step id. */
  target: string;
  summary: string;
}

export interface MonitorRunState {
  /** The agent of every sample. */
  agent: AssignedAgent;
  startedAtMs: number;
  /** Real time between two samples, and of the whole: the time scale is applied already. */
  intervalMs: number;
  durationMs: number;
  of: number;
  /** The sample that is next, from 0. */
  next: number;
  taken: number;
  failed: number;
  /** Per metric: what the report is made of. */
  totals: Record<string, { sum: number; max: number; n: number; unit?: string }>;
  last?: Record<string, MetricValue>;
  /** Per alert condition: samples in a row on which it held, or on which its metrics were missing; and what is raised. */
  alerts: { held: number; missing: number; raised: boolean; noData: boolean }[];
  raisedCount: number;
}

export interface PhaseRunState {
  state: 'pending' | 'running' | 'gated' | 'passed' | 'failed';
  /** Counts how often its gate was asked. */
  generation: number;
  /** Its condition was let pass by a person. */
  overridden?: boolean;
  approved?: boolean;
  startedAtMs?: number;
  endedAtMs?: number;
}

export interface GateRunState {
  id: string;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  step?: string;
  phase?: string;
  /** Counts how often it was asked; ahead of the step's generation where it was asked twice within one. */
  generation: number;
  /** The step's generation (of a phase: its asking) that it is about. */
  ofGeneration?: number;
  state: 'pending' | 'open' | 'decided';
  decision?: 'approved' | 'rejected' | 'timed_out' | 'withdrawn';
  /** People; empty = anyone. */
  approvers: string[];
  quorum: number;
  votes: Vote[];
  /** Early votes for the approval that follows this override. */
  kept?: Vote[];
  /** Escalation level, from 0. */
  level: number;
  /** An answer means overriding something that does not hold: never given automatically. */
  isOverride?: boolean;
  /** People who may not vote: `distinct_from`. */
  barred: BarredPerson[];
  openedAtMs?: number;
  deadlineMs?: number;
  decidedAtMs?: number;
  reason?: string;
  prompt?: string;
}

export interface CompensationEntry {
  /** Effect to undo. */
  effect: EffectRef;
  step: string;
  action: string;
  share?: TrafficShare;
  agent: AssignedAgent;
  state: 'registered' | 'requested' | 'running' | 'done' | 'failed' | 'dropped';
  /** Completion order of the forward effect; absent while it runs or when its outcome is unknown (then it counts as last). */
  completedAtMs?: number;
  sequence?: number;
  /** It undoes all sub-steps of a deployment at once. */
  isWhole?: true;
  /** Its step undoes itself: that is done to the end, however the run ends. */
  isDue?: true;
  /** The forward effect's, for the agent that undoes it. */
  result?: AgentResult;
  failure?: string;
}
