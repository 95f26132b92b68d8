import type { AgentResult } from '../../core/contract/agent-document';
import type { EffectMode } from '../../core/contract/ids';
import type { Verdict } from '../../core/contract/states';
import type { Plan } from '../../core/plan/types';
import { partsOf } from './deployment-parts';

/** A plan with all that happens to it from outside: what agents do, who votes what when, pauses and cancels. Plain JSON. */
export interface RunScript {
  plan: Plan;
  /** By step id. */
  work: Record<string, WorkScript>;
  /** By step or phase id: what people answer to its gates. */
  answers: Record<string, AnswerScript>;
  /** Who works: of which role, and on how much at once. */
  agents: { id: string; role: string; capacity: number }[];
  /** When other runs have one of an agent's places. */
  occupied: { agent: string; fromMs: number; toMs: number }[];
  /** The people of the registry. */
  humans: { id: string; role: string }[];
  outside: OutsideEvent[];
}

/** What the agents of a step do. */
export interface WorkScript {
  /** Of the first agent of `count`, each further one takes a second more; of a deployment, each sub-step. */
  durationMs: number;
  fails: 'never' | 'always' | 'firstAgent' | 'firstGeneration' | 'lastSlot';
  failure: 'failed' | 'unknown' | 'not_runnable';
  /** Of a deployment: the sub-step that fails, and whose undo fails, counted round from 0; all of them. */
  failsAt: number | 'each';
  /** Of a deployment: the errors that a sub-step reports, counted from the first; calm after the last. */
  errors: ('calm' | 'alarming' | 'silent')[];
  /** By generation; without one after the last. */
  verdicts: (Verdict | null)[];
  /** The metric `coverage`, by generation; 100 after the last. */
  coverage: (number | null)[];
  /** It warns of a risk, in the words that escalate an approval at once. */
  isRisky: boolean;
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
  /** What all say then, and how much later; from the third opening on they approve, at once. */
  atLast: 'approve' | 'reject';
  lastAfterMs: number;
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
  /** `freeze`: deadlines and reminders stand still. */
  | { kind: 'pause'; atMs: number; freeze: boolean }
  | { kind: 'resume'; atMs: number }
  | { kind: 'cancel'; atMs: number; noRollback: boolean };

export interface EffectOf {
  step: string;
  /** `<step>`, or `<step>/<sub-step>`. */
  path: string;
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
  /** `<time> <path>#<generation>.<slot>.<assignment> <mode> by <agent> [<action>]`, by time, then by text. What a step undoes comes one at a time. */
  launches: string[];
  /** `<time> <gate> <decision>`, in the order of the votes. */
  decisions: string[];
}

export type Choice = { agent: string } | 'busy' | 'nobody';

/** Who does something that is asked for now: the first agent of the role that has a place free, nobody who is excluded. */
export function chooseAgent(
  { agents, occupied }: RunScript,
  { role, agentId, exclude }: { role: string; agentId?: string | undefined; exclude: readonly string[] },
  { nowMs, loadOf }: { nowMs: number; loadOf: (agent: string) => number },
): Choice {
  const able = agents.filter((one) => one.role === role && !exclude.includes(one.id) && (agentId === undefined || one.id === agentId));
  const elsewhere = (agent: string): number =>
    occupied.filter((one) => one.agent === agent && one.fromMs <= nowMs && nowMs < one.toMs).length;
  const free = able.find(({ id, capacity }) => loadOf(id) + elsewhere(id) < capacity);
  if (free !== undefined) return { agent: free.id };
  return able.length === 0 ? 'nobody' : 'busy';
}

export interface ScriptedEnd {
  durationMs: number;
  failure?: 'failed' | 'unknown' | 'not_runnable';
  result: Partial<AgentResult>;
}

export const undoMs = 1_300;
export const sampleMs = 150;
export const voters = ['ana', 'ben', 'cleo', 'ivo', 'developer-1', 'eve', 'finn', 'dana', 'hugo'];
export const riskyPhrase = 'too risky';
const firstAnswersOnly = 3;

/** How an effect ends when nobody stops it. */
export function endOf({ plan, work }: RunScript, { step: id, path, slot, generation, assignment, mode }: EffectOf): ScriptedEnd {
  const step = plan.steps.find((one) => one.id === id)!;
  const { failsAt, errors, failure, undoFails, isRisky, verdicts, coverage: coverages, ...script } = work[id]!;
  const parts = partsOf(step).map(({ name }) => `${id}/${name}`);
  const isItsTurn = !parts.includes(path) || failsAt === 'each' || parts.indexOf(path) === failsAt % parts.length;
  if (mode === 'undo') return { durationMs: undoMs, result: {}, ...(undoFails && isItsTurn && { failure: 'failed' }) };
  const fails = {
    never: false,
    always: true,
    firstAgent: assignment === 1,
    firstGeneration: generation === 1,
    lastSlot: slot === step.count,
  }[script.fails];
  const durationMs = script.durationMs + 1_000 * (slot - 1);
  if (fails && isItsTurn) return { durationMs, failure, result: {} };
  const verdict = verdicts[generation - 1] ?? undefined;
  const coverage = generation > coverages.length ? 100 : coverages[generation - 1];
  const said = errors[Math.max(0, parts.indexOf(path))] ?? 'calm';
  const metrics = { ...(coverage != null && { coverage }), ...(said !== 'silent' && { error_rate: said === 'alarming' ? 1 : 0 }) };
  const risks = isRisky ? [`This is ${riskyPhrase} today.`] : undefined;
  return { durationMs, result: { ...(verdict !== undefined && { verdict }), ...(risks && { risks }), metrics } };
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
  const { openings, atLast, lastAfterMs } = script.answers[owner] ?? { openings: [], atLast: 'approve', lastAfterMs: 0 };
  const place = 4 * Object.keys(script.answers).indexOf(owner) + ['', 'start', 'blocked', 'unknown'].indexOf(question);
  const at = (afterMs: number, by: string): number => afterMs + 10 * place + Math.max(0, voters.indexOf(by)) + 3;
  const isLate = opening >= firstAnswersOnly;
  // Somebody must give up at last, where trying again would fail again.
  const decision = isLate ? (question === 'unknown' ? 'reject' : 'approve') : atLast;
  const first = isLate ? [] : (openings[opening - 1] ?? []);
  // In time then, before any deadline: what is put off would be asked for ever.
  const last = voters.map((by): Answer => ({ by, decision, afterMs: isLate ? 0 : lastAfterMs, reason: 'at last' }));
  return [...first, ...last].map((answer) => ({ ...answer, afterMs: at(answer.afterMs, answer.by) })).sort((a, b) => a.afterMs - b.afterMs);
}

export function describeEffect({
  path,
  generation,
  slot,
  assignment,
  mode,
  agent,
  action,
  percent,
}: EffectOf & { agent: string; action?: string | undefined; percent?: number | undefined }): string {
  const words = [
    `${path}#${generation}.${slot}.${assignment}`,
    mode,
    `by ${agent}`,
    action,
    percent === undefined ? undefined : `${percent}%`,
  ];
  return words.filter((word) => word !== undefined).join(' ');
}
