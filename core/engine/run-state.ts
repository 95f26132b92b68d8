import type { AdjustmentKind } from '../contract/adjustments';
import type { AgentResult, MetricValue, TrafficShare } from '../contract/agent-document';
import type { EffectMode } from '../contract/ids';
import type { Actor, AlertRecord, AssignedAgent, EffectRef, FrozenPlan } from '../contract/local-activities';
import type { NoticeChannel, NoticeEvent, NoticeKind } from '../contract/notice';
import type { Outcome, RunStatus, StepState, Verdict } from '../contract/states';
import type { BarredPerson } from '../contract/views';

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
  /** While `compilePlan` has not been answered. */
  editing?: PlanEditing;
  /** The plan of the run, once its steps were edited. */
  followed?: FrozenPlan & { historyEstimatesMs: Record<string, number> };
  /** The agents of the run, once some were added, and the ids of those. */
  agentSet?: string;
  addedAgents?: string[];
  /** The newest. */
  adjustments?: AdjustmentRecord[];
  /** Why the run is ending: set once. */
  ending?: RunEnding;
  endedAtMs?: number;
  /** Present where somebody is told that the run is late, or something is done about it. */
  lateness?: LatenessRunState;
  /** Present where the plan tells somebody. */
  notices?: NoticesRunState;
  /** `<key>/<jti>` of the tokens that have counted. */
  usedTokens?: string[];
  /** How often signatures were verified so far. */
  verifications?: number;
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

/** Who wants which steps to be others. */
export interface PlanEditing {
  kind: 'add_step' | 'edit_step';
  by: Actor;
  reason?: string;
  /** The steps that are meant, where some were named. */
  steps?: string[];
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
  /** People who have replaced what its agents gave. */
  outputsBy?: string[];
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
  /** It had given its slot back before, and needs none to go back; whether it kept its turn in a serial phase. */
  withoutSlot?: { keepsTurn: boolean };
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
  /** Who has reported its result, where that was another person. */
  reporter?: string;
  startedAtMs: number;
  endedAtMs?: number;
  outcome?: Outcome;
}

export interface InFlightEffect {
  effect: EffectRef;
  step: string;
  kind: 'slot' | 'sample' | 'undo';
  cancelling?: boolean;
  /** A person does it: nothing runs, it is waited for. */
  task?: TaskRunState;
}

export interface TaskRunState {
  agent: AssignedAgent;
  action?: string;
  share?: TrafficShare;
  /** People, in the one form of their names. */
  mayReport: string[];
  openedAtMs: number;
  /** Absent while deadlines stand still. */
  deadlineMs?: number;
  /** As reported last. */
  progress?: number;
  message?: string;
}

export type OpenTask = InFlightEffect & { task: TaskRunState };

export interface TimerRunState {
  atMs: number;
  kind: 'gateDeadline' | 'gateReminder' | 'taskDeadline' | 'taskReminder' | 'sample' | 'agents' | 'deferred' | 'rollout' | 'late';
  /** Gate, task or step id. */
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
  /** Something of what it undoes may have been done. */
  hasBegun?: true;
  /** Its agent was asked for in vain, and is not asked for again yet. */
  isBusy?: true;
  /** Its step undoes itself: that is done to the end, however the run ends. */
  isDue?: true;
  /** The forward effect's, for the agent that undoes it. */
  result?: AgentResult;
  failure?: string;
}

export interface Vote {
  gate: string;
  by: string;
  decision: 'approve' | 'reject';
  reason?: string;
  atMs: number;
  assurance: 'local' | 'verified';
  /** Id of the key that signed it. */
  key?: string;
  via: 'signal' | 'update' | 'auto';
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
