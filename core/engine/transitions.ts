import type { RunStatus, StepState } from '../contract/states';

/** Why a step changes its state. */
export type StepCause =
  /** Everything before its work holds: it may get an agent. */
  | 'start'
  | 'assign'
  | 'launch'
  /** It waits for people. */
  | 'ask'
  | 'block'
  | 'defer'
  /** Its present generation is void: what it rested on runs again. */
  | 'invalidate'
  /** What held it before its work is gone, and something else has to come first. */
  | 'release'
  /** It was sent back with comments. */
  | 'rework'
  /** Somebody wants it done once more. */
  | 'retry'
  /** An unknown outcome is tried again. */
  | 'resume'
  | 'pass'
  | 'fail'
  | 'skip'
  /** The run ends before it. */
  | 'stop'
  /** It undoes itself before it ends. */
  | 'rollback'
  | 'undo'
  | 'undone'
  | 'undoFailed';

type StepTable = Record<StepState, Partial<Record<StepCause, StepState>>>;

const gone = { fail: 'failed', skip: 'skipped', stop: 'cancelled' } as const;
const held = { block: 'blocked', ask: 'waiting_approval', defer: 'deferred' } as const;
const again = { invalidate: 'pending', rework: 'reworking' } as const;
const undone = { rollback: 'running' } as const;
const retried = { retry: 'pending' } as const;

/** state × cause → state. What is not here cannot happen. */
export const stepTransitions: StepTable = {
  pending: { start: 'ready', block: 'blocked', ask: 'waiting_approval', ...gone },
  ready: { assign: 'assigned', block: 'blocked', release: 'pending', invalidate: 'pending', ...undone, ...gone },
  assigned: { launch: 'running', invalidate: 'pending', ...gone },
  running: { pass: 'passed', ...undone, ...held, ...again, ...gone },
  waiting_approval: { start: 'ready', release: 'pending', pass: 'passed', ...undone, ...held, ...again, ...retried, ...gone },
  blocked: { start: 'ready', release: 'pending', resume: 'ready', pass: 'passed', ...undone, ...held, ...again, ...retried, ...gone },
  deferred: { start: 'ready', release: 'pending', ...undone, ...held, ...again, ...retried, ...gone },
  reworking: { start: 'ready', release: 'pending', ...held, ...again, ...gone },
  passed: { undo: 'compensating', ...again },
  failed: { ...again, ...retried },
  skipped: { ...again, ...retried },
  cancelled: {},
  compensating: { undone: 'compensated', undoFailed: 'compensation_failed' },
  compensated: {},
  compensation_failed: {},
};

/** The state after `cause`; throws on what must never happen (a bug of the engine, not of a plan). */
export function nextStepState(step: string, state: StepState, cause: StepCause): StepState {
  const next = stepTransitions[state][cause];
  if (next === undefined) throw new Error(`Internal error: step ${step} is ${state}, which "${cause}" does not follow`);
  return next;
}

/** States that a step leaves only by rework or rollback: what waits for it can go on. */
const settled: Record<StepState, boolean> = {
  pending: false,
  ready: false,
  assigned: false,
  running: false,
  waiting_approval: false,
  blocked: false,
  deferred: false,
  reworking: false,
  passed: true,
  failed: true,
  skipped: true,
  cancelled: true,
  compensating: true,
  compensated: true,
  compensation_failed: true,
};

export function isSettled(state: StepState): boolean {
  return settled[state];
}

/** What counts as work done, in the progress: what failed, was cancelled or was undone does not. */
export function isDone(state: StepState): boolean {
  return state === 'passed' || state === 'skipped';
}

/** How a transition is called in the audit: `step.<past participle>`. */
export function stepAuditAction(after: StepState, cause: StepCause): string {
  if (cause === 'release') return 'step.released';
  if (cause === 'rollback') return 'step.rollback_started';
  return cause === 'retry' ? 'step.retried' : stepAuditActions[after];
}

const stepAuditActions: Record<StepState, string> = {
  pending: 'step.invalidated',
  ready: 'step.readied',
  assigned: 'step.assigned',
  running: 'step.started',
  waiting_approval: 'step.submitted',
  blocked: 'step.blocked',
  deferred: 'step.deferred',
  reworking: 'step.returned',
  passed: 'step.passed',
  failed: 'step.failed',
  skipped: 'step.skipped',
  cancelled: 'step.cancelled',
  compensating: 'step.rollback_started',
  compensated: 'step.rolled_back',
  compensation_failed: 'step.rollback_failed',
};

const moving: RunStatus[] = ['in_progress', 'waiting_approval', 'blocked', 'paused', 'deferred', 'completing'];
const ends: RunStatus[] = ['rolling_back', 'failed', 'cancelled'];
const onward = (from: RunStatus): RunStatus[] => [...moving.filter((status) => status !== from), ...ends];

/** status → the statuses that may follow. */
export const runTransitions: Record<RunStatus, readonly RunStatus[]> = {
  created: ['planning'],
  planning: [...moving, ...ends, 'completed'],
  in_progress: [...onward('in_progress'), 'completed'],
  waiting_approval: [...onward('waiting_approval'), 'completed'],
  blocked: [...onward('blocked'), 'completed'],
  paused: [...onward('paused'), 'completed'],
  deferred: [...onward('deferred'), 'completed'],
  completing: [...onward('completing'), 'completed'],
  rolling_back: ['rolled_back', 'rollback_failed', 'failed', 'cancelled'],
  completed: [],
  rolled_back: [],
  rollback_failed: [],
  failed: [],
  cancelled: [],
};

/** Throws on a change of status that must never happen. */
export function checkRunTransition(from: RunStatus, to: RunStatus): void {
  if (!runTransitions[from].includes(to)) throw new Error(`Internal error: the run is ${from}, which ${to} does not follow`);
}
