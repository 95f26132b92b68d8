import { sql } from 'kysely';
import type { RecordInput, RecordOutput, RunChanges } from '../../core/contract/local-activities';
import type { Database } from '../connect';
import type { RefusedKind } from '../schema';
import { applyChanges } from './record';
import { insertRefusal, isRefusal } from './refusals';

/**
 * Records everything that changed since the last recording, in one transaction. What the database refuses for good (and would refuse
 * as often as it is tried) must hold up nothing else: then the items are recorded one by one, and those that are refused are kept
 * apart and named in the audit trail. Every other error is thrown: the caller tries again.
 */
export async function recordChanges(db: Database, input: RecordInput): Promise<RecordOutput> {
  try {
    return await applyChanges(db, input.run, input.changes);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  return recordItemByItem(db, input);
}

/** One transaction, a savepoint for each item. */
export function recordItemByItem(db: Database, { run, atMs, changes }: RecordInput): Promise<RecordOutput> {
  return db.transaction().execute(async (trx) => {
    const output = { audited: 0, refused: 0 };
    for (const { kind, object, item, alone } of itemsOf(run.workflowId, changes)) {
      await sql`savepoint item`.execute(trx);
      try {
        const { audited } = await applyChanges(trx, run, alone);
        await sql`release savepoint item`.execute(trx);
        output.audited = audited ?? output.audited;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await sql`rollback to savepoint item`.execute(trx);
        await insertRefusal(trx, { run, atMs, kind, object, item, error });
        output.refused += 1;
      }
    }
    return output;
  });
}

interface RecordedItem {
  kind: RefusedKind;
  object: string;
  item: object;
  /** The changes with nothing but this item. */
  alone: RunChanges;
}

/** In the order in which the audit would have them. */
function itemsOf(runId: string, changes: RunChanges): RecordedItem[] {
  const { run, steps, gates, tasks = [], votes, alerts, audit, ends, ...rest } = changes;
  const nothing: RunChanges = { ...rest, steps: [], gates: [], votes: [], alerts: [], audit: [], ends: [] };
  const itemOf = (kind: RefusedKind, object: string, item: object, part: Partial<RunChanges>): RecordedItem => ({
    kind,
    object,
    item,
    alone: { ...nothing, ...part },
  });
  return [
    ...(run === undefined ? [] : [itemOf('run', runId, run, { run })]),
    ...steps.map((step) => itemOf('step', step.step, step, { steps: [step] })),
    ...gates.map((gate) => itemOf('gate', gate.gate, gate, { gates: [gate] })),
    ...tasks.map((task) => itemOf('task', task.view.step, task, { tasks: [task] })),
    ...votes.map((vote) => itemOf('vote', vote.gate, vote, { votes: [vote] })),
    ...alerts.map((alert) => itemOf('alert', alert.step, alert, { alerts: [alert] })),
    ...audit.map((entry) => itemOf('audit', entry.object, entry, { audit: [entry] })),
    ...ends.map((end) => itemOf('end', end.path, end, { ends: [end] })),
  ];
}
