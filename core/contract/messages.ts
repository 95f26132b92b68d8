/** What people and programs send to a running workflow: one JSON object per signal or update. */
export interface VoteMessage {
  gate: string;
  by: string;
  reason?: string;
  token?: string;
}
export interface DecideMessage extends VoteMessage {
  decision: 'approve' | 'reject';
}
export interface PauseMessage {
  reason: string;
  by?: string;
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
/** The answer to `decide`. */
export interface DecideReply {
  /** `early`: kept, the gate is not open yet. `repeated`: the same vote again, nothing changed. */
  effect: 'counted' | 'early' | 'repeated' | 'changed';
  /** True when this vote decided the gate. */
  decided: boolean;
  gate: string;
  message: string;
}
