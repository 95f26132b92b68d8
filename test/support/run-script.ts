import type { AgentResult } from '../../core/contract/agent-document';
import type { EffectMode } from '../../core/contract/ids';
import type { Verdict } from '../../core/contract/states';
import type { Plan } from '../../core/plan/types';

/** A plan with all that happens to it from outside: what agents do, who votes what when, pauses and cancels. Plain JSON. */
export interface RunScript {
  plan: Plan;
  /** By step id. */
  work: Record<string, WorkScript>;
  /** By step or phase id: what people answer to its gates. */
  answers: Record<string, AnswerScript>;
  outside: OutsideEvent[];
}

/** What the agents of a step do. */
export interface WorkScript {
  /** Of the first agent of `count`; each further one takes a second more. */
  durationMs: number;
  fails: 'never' | 'always' | 'firstAgent' | 'firstGeneration' | 'lastSlot';
  failure: 'failed' | 'unknown' | 'not_runnable';
  /** By generation; without one after the last. */
  verdicts: (Verdict | null)[];
  /** The metric `coverage`, by generation; 100 after the last. */
  coverage: (number | null)[];
  /** When it is cancelled: how long it goes on, and whether it succeeds nevertheless. */
  stopMs: number;
  succeedsWhenStopped: boolean;
  undoFails: boolean;
  /** Of a monitor: what its samples say, calm after the last. */
  samples: SampleKind[];
}

export type SampleKind = 'calm' | 'alarming' | 'failed';

export interface AnswerScript {
  /** The votes on each opening of one of its gates, the first opening first. */
  openings: Answer[][];
  /** What all say then, later; from the third opening on they approve. */
  atLast: 'approve' | 'reject';
}

export interface Answer {
  by: string;
  decision: 'approve' | 'reject';
  afterMs: number;
  reason?: string;
}

/** Milliseconds from the start of the run. */
export type OutsideEvent =
  | ({ kind: 'vote'; atMs: number; gate: string } & Omit<Answer, 'afterMs'>)
  | { kind: 'pause' | 'resume'; atMs: number }
  | { kind: 'cancel'; atMs: number; noRollback: boolean };

export interface EffectOf {
  step: string;
  generation: number;
  slot: number;
  assignment: number;
  mode: EffectMode;
}

/** How a run ended, and how it came there. Times in milliseconds from its start. */
export interface Outcome {
  /** Of a run that never ends: `stuck`. */
  status: string;
  endedAtMs: number;
  /** `<state> in generation <n>`. */
  steps: Record<string, string>;
  /** `<time> <step>#<generation>.<slot>.<assignment> <mode>`, by time, then by text. Undoing comes one at a time, so its order is exact. */
  launches: string[];
  /** `<time> <gate> <decision>`, in the order of the votes. */
  decisions: string[];
}

export interface ScriptedEnd {
  durationMs: number;
  failure?: 'failed' | 'unknown' | 'not_runnable';
  result: Partial<AgentResult>;
}

export const undoMs = 400;
export const sampleMs = 150;
export const voters = ['ana', 'ben', 'cleo', 'ivo', 'developer-1'];
const firstAnswersOnly = 3;
const lastAnswerMs = 5_000;

/** How an effect ends when nobody stops it. */
export function endOf(work: WorkScript, { slot, generation, assignment, mode }: EffectOf, count: number): ScriptedEnd {
  if (mode === 'undo') return { durationMs: undoMs, result: {}, ...(work.undoFails && { failure: 'failed' }) };
  const fails = {
    never: false,
    always: true,
    firstAgent: assignment === 1,
    firstGeneration: generation === 1,
    lastSlot: slot === count,
  }[work.fails];
  const durationMs = work.durationMs + 1_000 * (slot - 1);
  if (fails) return { durationMs, failure: work.failure, result: {} };
  const verdict = work.verdicts[generation - 1] ?? undefined;
  const coverage = generation > work.coverage.length ? 100 : work.coverage[generation - 1];
  return {
    durationMs,
    result: { ...(verdict !== undefined && { verdict }), ...(coverage != null && { metrics: { coverage } }) },
  };
}

/** How a sample of a monitor ends: it reports its errors under a name of the step's own, or fails. */
export function endOfSample(work: WorkScript, step: string, index: number): ScriptedEnd {
  const kind = work.samples[index] ?? 'calm';
  if (kind === 'failed') return { durationMs: sampleMs, failure: 'failed', result: {} };
  return { durationMs: sampleMs, result: { metrics: { [`errors_${step}`]: kind === 'alarming' ? 1 : 0 } } };
}

/** What people answer when a gate opens for the `opening`-th time, from 1. No two votes of a run are meant to come at one moment. */
export function answersTo(script: RunScript, gate: string, opening: number): Answer[] {
  const [owner = '', question = ''] = gate.split(':');
  const { openings, atLast } = script.answers[owner] ?? { openings: [], atLast: 'approve' };
  const place = 4 * Object.keys(script.answers).indexOf(owner) + ['', 'start', 'blocked', 'unknown'].indexOf(question);
  const at = (afterMs: number, by: string): number => afterMs + 10 * place + Math.max(0, voters.indexOf(by)) + 3;
  const isLate = opening >= firstAnswersOnly;
  // Somebody must give up at last, where trying again would fail again.
  const decision = isLate ? (question === 'unknown' ? 'reject' : 'approve') : atLast;
  const first = isLate ? [] : (openings[opening - 1] ?? []);
  // In time then, before any deadline: what is put off would be asked for ever.
  const last = voters.map((by): Answer => ({ by, decision, afterMs: isLate ? 0 : lastAnswerMs, reason: 'at last' }));
  return [...first, ...last].map((answer) => ({ ...answer, afterMs: at(answer.afterMs, answer.by) })).sort((a, b) => a.afterMs - b.afterMs);
}
