import type { Adjustment, AdjustVerdict } from '../contract/adjustments';
import type { AgentDocument, AgentResult, TrafficShare } from '../contract/agent-document';
import type {
  Actor,
  AssignedAgent,
  AssignmentReply,
  AssignmentRequest,
  EffectRef,
  FrozenPlan,
  RunChanges,
} from '../contract/local-activities';
import type { DecideReply, Refusal, ReportMessage, ReportReply } from '../contract/messages';
import type { NoticeChannel, NoticeDocument } from '../contract/notice';
import type { Signatures, VerifiedToken, VerifyInput } from '../contract/signed-requests';
import type { TerminalRunStatus } from '../contract/states';
import type { ExplainView, GateView, RunStatusView, TimelineView } from '../contract/views';
import type { Plan, PlanStep } from '../plan/types';
import type { Vote, EffectFailure, RunState } from './run-state';

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
  judgeVote(vote: Vote, token?: string): VoteVerdict;
  /** Why this report would be refused, or what it would do: pure, for update validators. */
  judgeReport(report: Report, token?: string): ReportVerdict;
  /** Why this adjustment would be refused; undefined where it applies now. Pure, for update validators. */
  judgeAdjustment(request: AdjustmentRequest, token?: string): Refusal | undefined;
  /** Nothing new is started from now on: the run is to continue as new. */
  drain(): void;
  /** True when nothing runs (tasks of people do not) and no question is open: the state is all there is of the run. */
  isQuiet(): boolean;
  /** What only a person can move, now: ids of open gates, tasks and blocked steps. Cheap: asked after every turn. */
  waitsFor(): string[];
  statusView(nowMs: number): RunStatusView;
  gateViews(nowMs: number): GateView[];
  timelineView(): TimelineView;
  explain(stepId: string): ExplainView | null;
  /** What the run follows now: as it was frozen at its start, or edited since. */
  readonly followed: Pick<EngineOptions, 'plan' | 'planHash' | 'historyEstimatesMs'>;
  /** A step of the plan that it follows. */
  stepOf(id: string): PlanStep | undefined;
  /** What a person is asked to do, as any agent gets it; null where no task of that id is open. */
  taskDocument(task: string): AgentDocument | null;
}

export interface EngineOptions {
  plan: Plan;
  planHash: string;
  run: { id: string; runId: string; rootRunId: string; definition: string };
  startedAtMs: number;
  timeScale: number;
  initiator: string;
  inputs: Record<string, unknown>;
  /** Ids of the agents that it began with. Absent: not known. */
  agentIds?: readonly string[];
  /** Human agents: the approvers where a gate names none. */
  humans: { id: string; role: string }[];
  autoApprove: boolean;
  /** Absent: tokens are not read, and names are taken as given. */
  signatures?: Signatures;
  /** Whether who started it has proved it. Absent: no. */
  initiatorAssurance?: 'verified';
  /** p50 by step id where the history knows. */
  historyEstimatesMs: Record<string, number>;
  /** The rules that the run follows (core/contract/engine-version.ts). Absent: the newest. */
  version?: number;
  /** Continue from here instead of from the beginning; plan, hash and estimates are those that it names, where it names some. */
  saved?: RunState;
}

/** What a vote does, or why it does not count. */
export type VoteVerdict = { ok: true; reply: DecideReply } | ({ ok: false } & Refusal);

/** A person's word on a task, in the one form of the names. */
export interface Report extends Omit<ReportMessage, 'token'> {
  by: string;
  /** Id of the key that signed it. */
  key?: string;
}

export type ReportVerdict = { ok: true; reply: ReportReply } | ({ ok: false } & Refusal);

/** Somebody wants to change the run. */
export interface AdjustmentRequest {
  adjustment: Adjustment;
  by: Actor;
  reason?: string;
  via: Vote['via'];
}

/** What became of an edited file: the plan and where it is kept, or why there is none. */
export type CompiledPlan = { plan: Plan; frozen: FrozenPlan; historyEstimatesMs: Record<string, number> } | { problem: string };

export interface SignedMessage {
  token?: string;
  /** What the token is the signature of: all that was said but the token. */
  message?: Record<string, unknown>;
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
      /** Who has reported it, of a task. */
      reporter?: Actor;
    }
  /** A monitor's sample came back (effect path `<step>/sample-<k>`): also `effectEnded`. */
  | { type: 'timerFired'; atMs: number; id: string }
  /** `answer` is told what became of the vote, once. */
  | { type: 'voted'; vote: Vote; token?: string; answer?: (verdict: VoteVerdict) => void }
  /** `answer` is told what became of the report, once. */
  | ({ type: 'reported'; atMs: number; report: Report; answer?: (verdict: ReportVerdict) => void } & SignedMessage)
  | { type: 'cancelRequested'; atMs: number; by: Actor; reason: string; noRollback: boolean }
  | { type: 'pauseRequested'; atMs: number; by: Actor; reason: string; freeze?: boolean }
  | { type: 'resumeRequested'; atMs: number; by: Actor; reason?: string }
  | { type: 'alertReceived'; atMs: number; by: Actor; name: string; severity: string; message: string }
  /** `answer` is told what became of it, once. */
  | ({ type: 'adjusted'; atMs: number; request: AdjustmentRequest; answer?: (verdict: AdjustVerdict) => void } & SignedMessage)
  /** The answer to the decision `verify`, in its order. */
  | { type: 'verified'; atMs: number; verified: VerifiedToken[] }
  /** The answer to the decision `addAgents`. */
  | { type: 'agentsAdded'; atMs: number; agentSet: string; added: string[]; problem?: string }
  /** The answer to the decision `compilePlan`. */
  | { type: 'planCompiled'; atMs: number; compiled: CompiledPlan }
  /** A notice was delivered (`address`: to whom), or given up (`failure`). */
  | { type: 'noticeEnded'; atMs: number; id: string; address?: string; attempt?: number; failure?: string }
  /** Anything that could not be understood or does not apply: audited, changes nothing. */
  | { type: 'signalIgnored'; atMs: number; name: string; reason: string; by?: string };

/** What a person asks for and may have signed. */
export type PersonalEvent = Extract<EngineEvent, { type: 'voted' | 'adjusted' | 'reported' }>;

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
  /** Whose signatures these are. Answered by `verified`; one at a time. */
  | { type: 'verify'; id: string; tokens: VerifyInput['tokens'] }
  /** Answered by `planCompiled`. Nobody is assigned meanwhile. */
  | { type: 'compilePlan'; source: string; format: 'yaml' | 'toml' }
  /** Tell one channel. Nothing waits for it but the very end of the run. Answered by `noticeEnded`. */
  | { type: 'notify'; id: string; channel: NoticeChannel; notice: NoticeDocument }
  | { type: 'finish'; status: TerminalRunStatus; reason?: string };
