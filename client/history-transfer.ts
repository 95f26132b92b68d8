import { type HistoryEntry, historyLineOf, parseHistoryLine } from '../core/learning/history-line';
import { insertHistory, readHistory, type HistoryFilter } from '../db/queries/history-transfer';
import { callDatabase, explainDatabaseError } from './call-database';
import type { VaporaClient } from './connect';
import { splitLines } from './split-lines';

export type { HistoryFilter } from '../db/queries/history-transfer';

/** A line that was not imported. */
export interface BadHistoryLine {
  /** From 1. */
  line: number;
  problem: string;
}

export interface ImportSummary {
  /** Lines read, without empty ones. */
  lines: number;
  imported: number;
  /** Lines that had been imported before, stand twice in the file, or tell of work that a run here has done. */
  duplicates: number;
  bad: number;
  /** False where it ended before the file did: at a bad line under `strict`, or because `signal` was aborted. */
  isComplete: boolean;
}

export interface ImportOptions {
  /** Ends at the first bad line. What stands before it is imported. */
  strict?: boolean | undefined;
  onBadLine?: (bad: BadHistoryLine) => void;
  /** After each batch. */
  onProgress?: (soFar: ImportSummary) => void;
  /** Aborted: what was read is imported, and no more is read. */
  signal?: AbortSignal | undefined;
}

/** Lines that go to Postgres together. */
const batchLines = 1_000;

/**
 * Imports executions from JSON lines (`docs/history.md`): they count in profiles, rankings, assignments and estimates as if they had been
 * done here. Each batch of lines is one transaction, and a line counts once however often it is imported: after any interruption the
 * same call goes on. AppError `unavailable` without Postgres.
 */
export async function importHistory(
  client: VaporaClient,
  chunks: AsyncIterable<Uint8Array | string>,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const { strict = false, onBadLine, onProgress, signal } = options;
  const summary: ImportSummary = { lines: 0, imported: 0, duplicates: 0, bad: 0, isComplete: true };
  let batch: HistoryEntry[] = [];
  const write = async (): Promise<void> => {
    const { imported, duplicates } = await callDatabase(client, (db) => insertHistory(db, batch));
    summary.imported += imported;
    summary.duplicates += duplicates;
    batch = [];
    onProgress?.({ ...summary });
  };
  for await (const { line, text, problem: unreadable } of splitLines(chunks)) {
    if (signal?.aborted === true) {
      summary.isComplete = false;
      break;
    }
    if (text.trim() === '' && unreadable === undefined) continue;
    summary.lines += 1;
    const parsed = unreadable === undefined ? parseHistoryLine(text, Date.now()) : ({ ok: false, problem: unreadable } as const);
    if (parsed.ok) {
      batch.push(parsed.entry);
      if (batch.length >= batchLines) await write();
      continue;
    }
    summary.bad += 1;
    onBadLine?.({ line, problem: parsed.problem });
    if (strict) {
      summary.isComplete = false;
      break;
    }
  }
  if (batch.length > 0) await write();
  return summary;
}

/**
 * The execution history as lines that `importHistory` reads, without their ends. A page of it is in memory at a time. AppError
 * `unavailable` without Postgres.
 */
export async function* exportHistory(client: VaporaClient, filter: HistoryFilter = {}): AsyncGenerator<string> {
  const db = await client.database();
  try {
    for await (const entry of readHistory(db, filter)) yield historyLineOf(entry);
  } catch (error) {
    throw explainDatabaseError(error);
  }
}
