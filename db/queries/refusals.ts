import { isAppError } from '../../core/contract/errors';
import type { RunRef } from '../../core/contract/local-activities';
import type { Database } from '../connect';
import { jsonText, storableText } from '../json-text';
import type { RefusedKind } from '../schema';
import { auditBodyOf, identityOf } from './audit-body';
import { addAudit, auditedColumn } from './record';
import { Statement } from './statement';

/** Cardinality, data, integrity, syntax and types, check options, limits of the program, what our own functions raise. */
const refusingClasses: ReadonlySet<string> = new Set(['21', '22', '23', '42', '44', '54', 'P0']);
/** Of those: no such table, column or function, no right, a pooler in between. Whoever runs the database mends that, and nothing is lost. */
const mendable: ReadonlySet<string> = new Set(['42P01', '42703', '42883', '42501', '42P05']);

/** Whether trying again would end the same way: the fault is in what is written, not in the database's being away. */
export function isRefusal(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return refusingClasses.has(state.slice(0, 2)) && !mendable.has(state);
  return error instanceof RangeError || error instanceof TypeError || (isAppError(error) && error.code === 'not_found');
}

function sqlStateOf(error: unknown): string | null {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

export interface Refusal {
  run: RunRef;
  atMs: number;
  kind: RefusedKind;
  /** What it is about: a step, a gate, an effect's path. */
  object: string;
  item: object;
  error: unknown;
}

const maxErrorLength = 1_000;

/** Why something was refused, as people read it. */
export function refusalReason(error: unknown): string {
  const state = sqlStateOf(error);
  const message = storableText(error instanceof Error ? error.message : String(error)).slice(0, maxErrorLength);
  return state === null ? message : `${message} (SQLSTATE ${state})`;
}

/** Keeps what the database refused, and says so in the audit trail; once, however often it is tried. */
export async function insertRefusal(db: Database, { run, atMs, kind, object, item, error }: Refusal): Promise<void> {
  const key = identityOf(run, { ...item, refused: kind });
  const reason = refusalReason(error);
  const statement = new Statement();
  const values = [
    statement.value(key, 'uuid'),
    statement.value(run.rootRunId, 'text'),
    statement.value(run.runId, 'text'),
    statement.value(kind, 'text'),
    statement.value(storableText(object), 'text'),
    statement.value(jsonText(item), 'text'),
    statement.value(sqlStateOf(error), 'text'),
    statement.value(reason, 'text'),
  ];
  statement.with(
    'refusal',
    `insert into recording_refusals (key, root_run_id, run_id, kind, object, item, code, error) values (${values.join(', ')})
     on conflict (key) do nothing returning 1`,
  );
  const actor = { kind: 'engine', id: 'vapora' } as const;
  const body = auditBodyOf({ atMs, actor, action: 'recording.refused', object, outcome: kind, reason, details: { refusal: key } });
  addAudit(statement, run, [`select 1 as part, 1 as n, ${statement.value(body, 'text')} as body, null::uuid as key from refusal`]);
  await statement.run(db, 'refusal-insert', `select ${auditedColumn}`);
}

/** How many items of a run were refused. */
export async function countRefusals(db: Database, rootRunId: string): Promise<number> {
  const row = await db
    .selectFrom('recording_refusals')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('root_run_id', '=', rootRunId)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

export interface RefusalSummary {
  count: number;
  newest: { id: string; kind: RefusedKind; object: string; error: string; at: Date } | null;
}

/** What was refused in all runs. */
export async function summarizeRefusals(db: Database): Promise<RefusalSummary> {
  const row = await db
    .selectFrom('recording_refusals as f')
    .leftJoin('runs as r', 'r.root_run_id', 'f.root_run_id')
    .select(({ fn }) => [
      fn.countAll<number>().over().as('count'),
      'r.workflow_id',
      'f.root_run_id',
      'f.kind',
      'f.object',
      'f.error',
      'f.refused_at',
    ])
    .orderBy('f.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return { count: 0, newest: null };
  const { kind, object, error } = row;
  return { count: Number(row.count), newest: { id: row.workflow_id ?? row.root_run_id, kind, object, error, at: row.refused_at } };
}
