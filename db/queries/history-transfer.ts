import { sql } from 'kysely';
import { formatExecutionName, type HistoryEntry, parseExecutionName } from '../../core/learning/history-line';
import type { Database } from '../connect';
import { sha256Hex } from '../hash';
import { canonicalJson, jsonText } from '../json-text';
import { isoOf, Statement, unprepared } from './statement';

/** Where the path of an execution of a run would stand. Equal to `step` for what tells how long a step takes. */
const importedStep = 'import';
const importedPart = 'import/part';

/**
 * Adds executions that were not of a run here. Which of them had been there before, imported or as the work of a run, is said by their
 * number: they are left as they are. One transaction, in their order. A work of a run is looked up by its key, one at a time: joined, a
 * batch might read the whole history.
 */
export async function insertHistory(db: Database, entries: readonly HistoryEntry[]): Promise<{ imported: number; duplicates: number }> {
  if (entries.length === 0) return { imported: 0, duplicates: 0 };
  const rows = entries.map((entry, n) => {
    const name = entry.id === null ? undefined : parseExecutionName(entry.id);
    return {
      n,
      key: sha256Hex(entry.id === null ? contentOf(entry) : `id ${entry.id}`),
      id: entry.id,
      path: entry.isPart ? importedPart : importedStep,
      agent: entry.agent,
      role: entry.role,
      task_type: entry.taskType,
      outcome: entry.outcome,
      finished_at: isoOf(entry.finishedAtMs),
      duration_ms: entry.durationMs,
      cost_usd: entry.costUsd,
      ...(name && { run: name.rootRunId, run_path: name.path, generation: name.generation, slot: name.slot, assignment: name.assignment }),
    };
  });
  const statement = new Statement();
  const given = statement.value(jsonText(rows), 'jsonb');
  statement.with(
    'added',
    `insert into executions (import_key, import_id, path, generation, slot, assignment, mode, step, agent_id, role, task_type, state, outcome, assigned_at, finished_at, duration_ms, cost_usd)
     select key, id, path, 1, 1, 1, 'do', '${importedStep}', agent, role, task_type, 'ended', outcome,
       finished_at - make_interval(secs => coalesce(duration_ms, 0) / 1000), finished_at, duration_ms, cost_usd
     from jsonb_to_recordset(${given}) as x(n int, key text, id text, path text, agent text, role text, task_type text, outcome text, finished_at timestamptz, duration_ms float8,
       cost_usd numeric, run text, run_path text, generation int, slot int, assignment int)
     where not coalesce((select true from executions e where e.root_run_id = x.run and e.path = x.run_path and e.generation = x.generation
       and e.slot = x.slot and e.assignment = x.assignment and e.mode = 'do'), false)
     order by n
     on conflict (import_key) where import_key is not null do nothing
     returning 1`,
  );
  const [row] = await statement.run<{ imported: number }>(db, unprepared, 'select count(*)::int as imported from added');
  const imported = row?.imported ?? 0;
  return { imported, duplicates: entries.length - imported };
}

/** What is equal in everything is the same, where no id tells it apart. */
function contentOf({ id: _none, ...entry }: HistoryEntry): string {
  return canonicalJson(entry);
}

export interface HistoryFilter {
  agent?: string | undefined;
  taskType?: string | undefined;
  /** What ended at or after it, epoch ms. */
  sinceMs?: number | undefined;
}

const pageSize = 2_000;

/** Executions that have ended, of runs and imported, in the order in which they were begun or imported; a page at a time is in memory. */
export async function* readHistory(db: Database, filter: HistoryFilter = {}): AsyncGenerator<HistoryEntry> {
  const { agent, taskType, sinceMs } = filter;
  for (let after = 0; ;) {
    let query = db
      .selectFrom('executions')
      .select(['id', 'root_run_id', 'import_id', 'path', 'step', 'generation', 'slot', 'assignment'])
      .select(['agent_id', 'role', 'task_type', 'outcome', 'finished_at', 'duration_ms', 'cost_usd'])
      .where('id', '>', after)
      .where('mode', '=', 'do')
      .where('outcome', 'is not', null)
      .orderBy('id')
      .limit(pageSize);
    if (agent !== undefined) query = query.where('agent_id', '=', agent);
    if (taskType !== undefined) query = query.where('task_type', '=', taskType);
    if (sinceMs !== undefined) query = query.where('finished_at', '>=', sql<Date>`${isoOf(sinceMs)}::timestamptz`);
    const rows = await query.execute();
    for (const row of rows) {
      const rootRunId = row.root_run_id;
      yield {
        agent: row.agent_id,
        role: row.role,
        taskType: row.task_type,
        outcome: row.outcome ?? 'unknown',
        finishedAtMs: row.finished_at?.getTime() ?? 0,
        durationMs: row.duration_ms,
        costUsd: row.cost_usd,
        isPart: row.path !== row.step,
        id: rootRunId === null ? row.import_id : formatExecutionName({ ...row, rootRunId }),
      };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = last.id;
  }
}
