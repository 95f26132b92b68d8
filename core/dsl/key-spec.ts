/** The kind of map a key may stand in. */
export type KeyLevel =
  | 'workflow'
  | 'phase'
  | 'step'
  | 'dependency'
  | 'retry'
  | 'approval'
  | 'if_blocked'
  | 'deployment'
  | 'canary'
  | 'compensate'
  | 'rework'
  | 'input'
  | 'budget'
  | 'on_late'
  | 'add_agent'
  | 'escalation'
  | 'schedule'
  | 'notification'
  | 'agents_file'
  | 'agent'
  | 'cost'
  | 'executor'
  | 'command'
  | 'simulate'
  | 'worker'
  | 'simulated_outcome'
  | 'simulated_range';

export type ValueType =
  | 'text'
  | 'id'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'hours'
  | 'duration'
  | 'money'
  | 'list'
  | 'condition'
  | 'conditions'
  | 'choice'
  | 'steps'
  | 'map'
  | 'any';

/**
 * One key of the language. This table is the only place that says which keys exist: unknown-key diagnostics, did-you-mean,
 * `not built yet`, the reference page and the editor schema all come from it.
 */
export interface KeySpec {
  level: KeyLevel;
  name: string;
  aliases?: readonly string[];
  /** What other tools call it: suggested to who writes it, never accepted. */
  elsewhere?: readonly string[];
  type: ValueType;
  /** The values of a `choice`; of another type, those of its bare one. */
  choices?: readonly string[];
  effect: string;
  /** What its value may be besides its type. */
  bare?: readonly ValueType[];
  /** The maps that its value may be, or that its value may list. */
  mapOf?: KeyLevel;
  /** The maps in its value: one for each name, or a list of them. */
  mapsOf?: KeyLevel;
  /** False: accepted and kept in the plan, but the engine does nothing with it yet. */
  built: boolean;
}
