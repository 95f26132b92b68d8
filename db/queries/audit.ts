import { sql } from 'kysely';
import type { AuditEntry } from '../../core/contract/local-activities';
import type { Database } from '../connect';
import { sha256Hex } from '../hash';
import { auditBodyOf } from './audit-body';

/** One line of the trail as it is kept. */
export interface AuditRecord {
  seq: number;
  /** Hash of the line before; 64 zeros for the first. */
  prev: string;
  hash: string;
  /** ISO time, actor, action, object… (AuditEntry with `at` in place of `atMs`). */
  event: Omit<AuditEntry, 'atMs'> & { at: string };
  /** The canonical bytes of the event, as they were hashed. */
  body: string;
}

export interface AuditRange {
  /** From this number on (included). */
  fromSeq?: number | undefined;
  toSeq?: number | undefined;
  limit?: number | undefined;
}

/** Appends lines outside a recording (e.g. what a CLI did). Returns the number of the last one. */
export async function appendAudit(db: Database, rootRunId: string, entries: readonly AuditEntry[]): Promise<number | null> {
  const { rows } = await sql<{ seq: number | null }>`select append_audit(${rootRunId}, ${entries.map(auditBodyOf)}::text[]) as seq`.execute(
    db,
  );
  return rows[0]?.seq ?? null;
}

/** The real table, whatever a temporary one of this session is called. */
function trail(db: Database): Database {
  return db.withSchema('public');
}

/** The lines of a run in their order. */
export async function listAudit(db: Database, rootRunId: string, range: AuditRange = {}): Promise<AuditRecord[]> {
  let query = trail(db).selectFrom('audit_events').selectAll().where('root_run_id', '=', rootRunId).orderBy('seq');
  if (range.fromSeq !== undefined) query = query.where('seq', '>=', range.fromSeq);
  if (range.toSeq !== undefined) query = query.where('seq', '<=', range.toSeq);
  if (range.limit !== undefined) query = query.limit(range.limit);
  const rows = await query.execute();
  return rows.map(({ seq, prev, hash, body }) => ({ seq, prev, hash, body, event: JSON.parse(body) as AuditRecord['event'] }));
}

export interface AuditProblem {
  seq: number;
  /**
   * `changed`: the bytes do not give the hash; `gap`: a number is missing; `reordered`: the line belongs elsewhere in this chain;
   * `broken_link`: it does not continue the line before.
   */
  kind: 'changed' | 'gap' | 'reordered' | 'broken_link';
  detail: string;
}

export interface AuditVerification {
  ok: boolean;
  /** Lines checked. */
  checked: number;
  /** Hash of the last line: what a signed checkpoint would name. */
  head: string | null;
  firstProblem?: AuditProblem;
}

const firstPrev = '0'.repeat(64);
const pageSize = 1_000;

/** Every run's first line is written with the run itself: a run without any has lost them. */
const emptyTrail: AuditVerification = {
  ok: false,
  checked: 0,
  head: null,
  firstProblem: { seq: 1, kind: 'gap', detail: 'all lines are missing' },
};

/**
 * Recomputes every hash of a run from the stored bytes. It finds any change, gap and reorder; lines missing at the end can only be
 * found against a checkpoint that was kept elsewhere.
 */
export async function verifyAudit(db: Database, rootRunId: string): Promise<AuditVerification> {
  let checked = 0;
  let prev = firstPrev;
  for (;;) {
    const rows = await trail(db)
      .selectFrom('audit_events')
      .selectAll()
      .where('root_run_id', '=', rootRunId)
      .where('seq', '>', checked)
      .orderBy('seq')
      .limit(pageSize)
      .execute();
    for (const row of rows) {
      const problem = findProblem(rootRunId, row, checked + 1, prev);
      if (problem !== undefined) {
        const kind = problem.kind === 'changed' && (await wasReordered(db, rootRunId, row)) ? 'reordered' : problem.kind;
        const detail = kind === 'reordered' ? `line ${row.seq} stands where another line of this run was written` : problem.detail;
        return { ok: false, checked, head: prev, firstProblem: { ...problem, kind, detail } };
      }
      checked = row.seq;
      prev = row.hash;
    }
    if (rows.length < pageSize) return checked === 0 ? emptyTrail : { ok: true, checked, head: prev };
  }
}

interface AuditRow {
  seq: number;
  prev: string;
  hash: string;
  body: string;
}

function findProblem(rootRunId: string, row: AuditRow, expectedSeq: number, prev: string): AuditProblem | undefined {
  if (row.seq !== expectedSeq) {
    const missing = row.seq - expectedSeq === 1 ? `line ${expectedSeq} is missing` : `lines ${expectedSeq} to ${row.seq - 1} are missing`;
    return { seq: expectedSeq, kind: 'gap', detail: missing };
  }
  if (lineHash(rootRunId, row, row.seq) !== row.hash) {
    return { seq: row.seq, kind: 'changed', detail: `the bytes of line ${row.seq} do not give its hash` };
  }
  if (row.prev !== prev) {
    return { seq: row.seq, kind: 'broken_link', detail: `line ${row.seq} continues another line than the one before it` };
  }
  return undefined;
}

/** Whether a line whose hash does not fit its number fits another number of this chain: then it was moved, not edited. */
async function wasReordered(db: Database, rootRunId: string, row: AuditRow): Promise<boolean> {
  const last = await trail(db)
    .selectFrom('audit_events')
    .select(({ fn }) => fn.max('seq').as('seq'))
    .where('root_run_id', '=', rootRunId)
    .executeTakeFirst();
  for (let seq = 1; seq <= Number(last?.seq ?? 0) + 1; seq += 1) {
    if (lineHash(rootRunId, row, seq) === row.hash) return true;
  }
  return false;
}

/** The hash `append_audit` computes: sha256 over the RFC 8785 bytes of {event, prev, run, seq}. */
function lineHash(rootRunId: string, { body, prev }: AuditRow, seq: number): string {
  return sha256Hex(`{"event":${body},"prev":"${prev}","run":${JSON.stringify(rootRunId)},"seq":${seq}}`);
}
