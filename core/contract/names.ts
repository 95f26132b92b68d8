/** Names that users script against. They are promises: see ARCHITECTURE.md, "The Temporal contract". */

export const defaultTaskQueue = 'vapora';
export const defaultNamespace = 'default';

/** Prefix of the local activities, so that no role can collide with them (a role has no dot). */
export const localActivityNames = {
  /** Turns the start input into a frozen plan, agent set and inputs. */
  resolve: 'vapora.resolve',
  /** Reads one more piece of a plan that is too large for one marker. */
  loadPlan: 'vapora.loadPlan',
  /** Records what happened, chooses agents, inserts intents: one transaction. */
  wave: 'vapora.wave',
  /** Records what happened when there is nothing to assign. */
  record: 'vapora.record',
  /** Keeps all of a run for its next execution, and reads one piece of it there. */
  saveRun: 'vapora.saveRun',
  loadRun: 'vapora.loadRun',
  /** Gives a run that is under way more agents of a role. */
  addAgents: 'vapora.addAgents',
  /** Compiles the edited file of a run that is under way. */
  compilePlan: 'vapora.compilePlan',
} as const;

/** Activities that are no agents, with a dot too. */
export const activityNames = {
  /** Tells one channel of something. */
  notify: 'vapora.notify',
  /** Verifies signatures of what people ask for. */
  verify: 'vapora.verify',
} as const;

export const signalNames = ['approve', 'reject', 'pause', 'resume', 'cancel', 'adjust', 'alert', 'report'] as const;
export type SignalName = (typeof signalNames)[number];

export const searchAttributes = {
  status: 'VaporaStatus',
  phase: 'VaporaPhase',
  definition: 'VaporaDefinition',
  planHash: 'VaporaPlanHash',
  blockedOn: 'VaporaBlockedOn',
} as const;

/** What the workflow worker does with an argument it cannot decode: this value instead of an exception. */
export interface Undecodable {
  undecodable: string;
}

export function isUndecodable(value: unknown): value is Undecodable {
  return typeof value === 'object' && value !== null && typeof (value as Undecodable).undecodable === 'string';
}
