import { type Outcome, outcomes } from '../contract/states';

/** One execution as it goes from one database to another: a line of JSON. */
export interface HistoryEntry {
  agent: string;
  role: string;
  taskType: string;
  outcome: Outcome;
  /** Epoch ms. */
  finishedAtMs: number;
  durationMs: number | null;
  costUsd: number | null;
  /** It was a part of a step (of a deployment): it does not tell how long a step takes. */
  isPart: boolean;
  /** What tells it from others that are equal; the same id is the same execution, wherever it is imported. */
  id: string | null;
}

export type ParsedHistoryLine = { ok: true; entry: HistoryEntry } | { ok: false; problem: string };

/** The name of an execution of a run, as exports give it. */
export interface ExecutionName {
  rootRunId: string;
  path: string;
  generation: number;
  slot: number;
  assignment: number;
}

const fields = ['agent', 'role', 'task_type', 'outcome', 'finished_at', 'duration_ms', 'cost_usd', 'part', 'id'] as const;
const textLimit = 500;
/** What the column holds: numeric(14, 6). */
const costLimit = 99_999_999;
const durationLimitMs = 100 * 366 * 86_400_000;
/** Clocks differ; nobody's by more. */
const aheadMs = 86_400_000;
const earliestMs = Date.UTC(1970, 0, 1);

/** The text that `parseHistoryLine` reads, without the line's end. */
export function historyLineOf({ agent, role, taskType, outcome, finishedAtMs, durationMs, costUsd, isPart, id }: HistoryEntry): string {
  return JSON.stringify({
    agent,
    role,
    task_type: taskType,
    outcome,
    finished_at: new Date(finishedAtMs).toISOString(),
    duration_ms: durationMs,
    cost_usd: costUsd,
    ...(isPart && { part: true }),
    ...(id !== null && { id }),
  });
}

/** A line of a history file, or what is wrong with it. `nowMs`: nothing can have ended more than a day after it. */
export function parseHistoryLine(text: string, nowMs: number): ParsedHistoryLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return problem(`it is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problem('it is no JSON object');
  const line = value as Record<string, unknown>;
  const unknown = Object.keys(line).find((name) => !(fields as readonly string[]).includes(name));
  if (unknown !== undefined) return problem(`unknown field ${quote(unknown)}: there are ${fields.join(', ')}`);
  const found =
    textProblem('agent', line) ??
    textProblem('role', line) ??
    textProblem('task_type', line) ??
    outcomeProblem(line['outcome']) ??
    timeProblem(line['finished_at'], nowMs) ??
    amountProblem('duration_ms', line['duration_ms'], durationLimitMs) ??
    amountProblem('cost_usd', line['cost_usd'], costLimit) ??
    (line['part'] === undefined || typeof line['part'] === 'boolean' ? undefined : 'part is true or false') ??
    idProblem(line['id']);
  if (found !== undefined) return problem(found);
  return {
    ok: true,
    entry: {
      agent: line['agent'] as string,
      role: line['role'] as string,
      taskType: line['task_type'] as string,
      outcome: line['outcome'] as Outcome,
      finishedAtMs: Date.parse(line['finished_at'] as string),
      durationMs: (line['duration_ms'] as number | undefined) ?? null,
      costUsd: (line['cost_usd'] as number | undefined) ?? null,
      isPart: line['part'] === true,
      id: (line['id'] as string | undefined) ?? null,
    },
  };
}

/** `<run>/<generation>.<slot>.<assignment>/<path>`. */
export function formatExecutionName({ rootRunId, path, generation, slot, assignment }: ExecutionName): string {
  return `${rootRunId}/${generation}.${slot}.${assignment}/${path}`;
}

const namePattern = /^([A-Za-z0-9_.-]{1,200})\/(\d{1,9})\.(\d{1,9})\.(\d{1,9})\/(.+)$/su;

/** The execution of a run that an id names; undefined for any other id. */
export function parseExecutionName(id: string): ExecutionName | undefined {
  const [, rootRunId, generation, slot, assignment, path] = namePattern.exec(id) ?? [];
  if (rootRunId === undefined || path === undefined) return undefined;
  return { rootRunId, path, generation: Number(generation), slot: Number(slot), assignment: Number(assignment) };
}

function problem(text: string): ParsedHistoryLine {
  return { ok: false, problem: text };
}

function textProblem(name: string, line: Record<string, unknown>): string | undefined {
  const value = line[name];
  if (value === undefined) return `${name} is missing`;
  if (typeof value !== 'string') return `${name} is a text, not ${quote(value)}`;
  if (value.trim() === '') return `${name} is empty`;
  if (value.length > textLimit) return `${name} has ${value.length} characters, more than ${textLimit}`;
  if (/[\p{Cc}\p{Surrogate}]/u.test(value)) return `${name} has control characters: ${quote(value)}`;
  return undefined;
}

/** An id names a run and the path of a step, which may hold any text. */
const idLimit = 10_000;

function idProblem(value: unknown): string | undefined {
  if (value == null) return undefined;
  if (typeof value !== 'string' || value === '') return `id is a text, not ${quote(value)}`;
  return value.length > idLimit ? `id has ${value.length} characters, more than ${idLimit}` : undefined;
}

function outcomeProblem(value: unknown): string | undefined {
  if (outcomes.includes(value as Outcome)) return undefined;
  return `outcome is ${outcomes.slice(0, -1).join(', ')} or ${outcomes.at(-1)}, not ${quote(value)}`;
}

const timePattern = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

function timeProblem(value: unknown, nowMs: number): string | undefined {
  const day = typeof value === 'string' ? timePattern.exec(value)?.[1] : undefined;
  const atMs = day === undefined ? NaN : Date.parse(value as string);
  const dayMs = day === undefined ? NaN : Date.parse(day);
  // Date.parse takes the 30th of February for a day in March.
  if (Number.isNaN(atMs) || Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(day ?? '')) {
    return `finished_at is a time with its zone, as 2026-01-31T09:00:00Z, not ${quote(value)}`;
  }
  if (atMs < earliestMs) return `finished_at is before 1970: ${quote(value)}`;
  if (atMs > nowMs + aheadMs) return `finished_at is in the future: ${quote(value)}`;
  return undefined;
}

function amountProblem(name: string, value: unknown, limit: number): string | undefined {
  if (value == null) return undefined;
  if (typeof value !== 'number' || !(value >= 0)) return `${name} is a number from 0, or null, not ${quote(value)}`;
  return value < limit ? undefined : `${name} is ${value}, which is too much: below ${limit}`;
}

/** A value of the line as the message shows it. */
function quote(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
