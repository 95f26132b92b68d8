import type { AgentResult } from './agent-document';
import { tokenRefusals } from './signed-requests';

/** What people and programs send to a running workflow: one JSON object per signal or update. */
export interface VoteMessage {
  gate: string;
  by: string;
  reason?: string;
  /** A signature: see core/contract/signed-requests.ts. */
  token?: string;
}
export interface DecideMessage extends VoteMessage {
  decision: 'approve' | 'reject';
}
export interface PauseMessage {
  reason: string;
  by?: string;
  /** Deadlines of gates stand still too. */
  freeze?: boolean;
}
export interface ResumeMessage {
  reason?: string;
  by?: string;
}
export interface CancelMessage {
  reason: string;
  by?: string;
  /** Keep what was done instead of compensating it. */
  noRollback?: boolean;
}
/** A person's word on the step that was given to them: how far it is, or, with `result`, that it is done. */
export interface ReportMessage {
  step: string;
  /** Who says it. Absent: `agent`. */
  by?: string;
  /** Whose task it is, where somebody else reports. */
  agent?: string;
  /** The task's id (`review#2`), as views show it: what has been given anew since is then not meant. */
  task?: string;
  /** 0..1. */
  progress?: number;
  message?: string;
  /** What any agent returns. */
  result?: AgentResult;
  /** A signature, as of votes. */
  token?: string;
}

/** Why a vote, a report or an adjustment is refused, for programs: in the audit, and in the details of a refused update. */
export const refusalCodes = [
  'malformed', // not a vote or an adjustment at all
  'planning', // the run's gates are not known yet
  'run_ended',
  'run_ending',
  'no_such_gate',
  'already_decided',
  'not_approver',
  'barred', // by `distinct_from`
  'reason_needed', // an override says why
  'no_such_task', // nobody is asked to do the step, now
  'not_assigned', // the task is somebody else's
  'outputs_missing', // the step has promised more than the result delivers
  'no_such_step',
  'no_such_agent', // no agent, or none of that role
  'not_optional', // skipping it takes `force`
  'quorum_needed', // one person alone may not do what takes several
  'unsigned', // the run takes signed requests only
  'replayed_token', // it has counted already
  ...tokenRefusals,
  'does_not_apply', // not in the state that the step or the run is in
  'invalid_plan', // the edited file does not compile
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export interface Refusal {
  code: RefusalCode;
  /** For people. */
  reason: string;
}

/** The answer to `decide`. */
export interface DecideReply {
  /** `early`: kept, the gate is not open yet. `repeated`: the same vote again, nothing changed. */
  effect: 'counted' | 'early' | 'repeated' | 'changed';
  /** True when this vote decided the gate. */
  decided: boolean;
  gate: string;
  message: string;
}

/** The answer to `report`. */
export interface ReportReply {
  /** `noted`: progress or a message; the task stays open. */
  effect: 'noted' | 'succeeded' | 'failed';
  task: string;
  step: string;
  message: string;
}
