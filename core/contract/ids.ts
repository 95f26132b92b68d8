/** The key under which exactly one outcome is recorded, whatever is retried, reset or continued. */
export interface EffectKey {
  /** `firstExecutionRunId`: the same over continue-as-new and reset. */
  rootRunId: string;
  /** Step path: `<step>`, `<step>[item]`, `<step>/<sub-step>`. */
  path: string;
  /** Counts from 1; each rework is a new generation. */
  generation: number;
  /** Agent k of `count`, from 1. */
  slot: number;
  /** 1 + reassignments. */
  assignment: number;
  mode: EffectMode;
}
export type EffectMode = 'do' | 'undo';

/**
 * `<path>#<generation>[.slot][.assignment][!undo]`, unique in the run: two pending activities with one id wedge a workflow
 * task for good. The slot is written when it is not 1, or when an assignment follows (so `#1.2` is always slot 2).
 */
export function activityIdOf(key: Omit<EffectKey, 'rootRunId'>): string {
  const assignment = key.assignment > 1 ? `.${key.assignment}` : '';
  const slot = key.slot > 1 || assignment !== '' ? `.${key.slot}` : '';
  return `${key.path}#${key.generation}${slot}${assignment}${key.mode === 'undo' ? '!undo' : ''}`;
}

/** `<step>[item]/<sub-step>`: an item may hold slashes, a step id cannot. */
export function partsOfPath(path: string): { step: string; subStep?: string } {
  const slash = path.indexOf('/', path.lastIndexOf(']') + 1);
  return slash < 0 ? { step: path } : { step: path.slice(0, slash), subStep: path.slice(slash + 1) };
}

export function stepOfPath(path: string): string {
  return partsOfPath(path).step;
}

/** The text an agent gets as its idempotency key. */
export function idempotencyKeyOf(key: EffectKey): string {
  return `${key.rootRunId}/${activityIdOf(key)}`;
}

/** A definition's id is a Temporal workflow type and a workflow id. */
export const definitionIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** Ids that Temporal's handler lookup or our own internal types would shadow. */
export function isReservedDefinitionId(id: string): boolean {
  return id === 'default' || id.startsWith('vapora-') || id in Object.prototype;
}

/** A role is an activity type. */
export const rolePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Ids of steps, phases and artifacts: letters and digits of any script, `_ - .`, at most 100 characters. */
export const stepIdPattern = /^[\p{L}\p{N}_.-]{1,100}$/u;
