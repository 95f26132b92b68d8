import type { Refusal } from './messages';

/** How a run is changed while it runs: one JSON object of the update or signal `adjust`, `{kind, …}` and who asks and why. */
export type Adjustment =
  /** So many more agents for a role: registered ones that the run does not use yet, then copies of those it has. */
  | { kind: 'add_agent'; role: string; count: number }
  /** Drops the order among them that a serial phase or their own `depends_on` gave them; who reads another's output still waits. */
  | { kind: 'parallelize'; steps: string[] }
  /** All of them or none. `force`: one that is not optional too, with a reason, by those who may override it. */
  | { kind: 'skip_optional_steps'; steps: string[]; force?: boolean }
  | { kind: 'skip_step'; step: string; force?: boolean }
  /** Asks the next level about what holds a step, now instead of when its time is up. */
  | { kind: 'escalate_blocker'; step: string }
  /** Nothing new starts. `freeze`: deadlines of gates stand still too. */
  | { kind: 'pause'; freeze?: boolean }
  | { kind: 'resume' }
  | { kind: 'cancel'; noRollback?: boolean }
  /** The step, and what was done or skipped because of it, once more, by a certain agent or with other inputs if given. */
  | { kind: 'retry_step'; step: string; agent?: string; inputs?: Record<string, unknown> }
  /** Lets what holds a step or a phase pass: the same vote as `approve` on its gate. */
  | { kind: 'override_gate'; gate: string }
  /** What a step that has ended its work gives to those that read it. */
  | { kind: 'set_output'; step: string; output: string; value: string }
  /** The whole file as it should be: steps that are new in it, and what waits for them. */
  | ({ kind: 'add_step' } & EditedFile)
  /** The whole file as it should be: steps that have not started are others in it. */
  | ({ kind: 'edit_step' } & EditedFile);

/** A workflow file that a run is to follow from now on, instead of the one that it follows. */
export interface EditedFile {
  source: string;
  /** Default: yaml. */
  format?: 'yaml' | 'toml';
  /** The steps that are meant: a file in which others differ too is refused. Absent: whatever differs is meant. */
  steps?: string[];
}

export type AdjustmentKind = Adjustment['kind'];

export const adjustmentKinds = [
  'add_agent',
  'parallelize',
  'skip_optional_steps',
  'skip_step',
  'escalate_blocker',
  'pause',
  'resume',
  'cancel',
  'retry_step',
  'override_gate',
  'set_output',
  'add_step',
  'edit_step',
] as const satisfies readonly AdjustmentKind[];

/** The update or signal `adjust`. `by` and `reason` stand in the audit. */
export type AdjustMessage = Adjustment & { by?: string; reason?: string; token?: string };

/** These only hold or end a run, as signals of their own do, and as Temporal can: they need no signature. */
export const unsignedAdjustments: ReadonlySet<AdjustmentKind> = new Set<AdjustmentKind>(['pause', 'resume', 'cancel']);

/** What was changed. */
export interface AdjustReply {
  kind: AdjustmentKind;
  /** One sentence for people. */
  message: string;
  /** The steps that it changed. */
  steps: string[];
  /** Ids of the agents that were added. */
  agents?: string[];
  /** Of the plan that the run follows from now on, where it is another one. */
  planHash?: string;
}

export type AdjustVerdict = { ok: true; reply: AdjustReply } | ({ ok: false } & Refusal);
