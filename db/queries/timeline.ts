import { partsOfPath } from '../../core/contract/ids';
import type { TimelineView } from '../../core/contract/views';
import type { Plan } from '../../core/plan/types';
import type { Database } from '../connect';
import { findPlanText } from './definitions';
import { findRun } from './find-run';

/** When each effect of a run (by workflow id or run id) ran, in the order in which they started. Null where there is no such run. */
export async function loadTimeline(db: Database, id: string): Promise<TimelineView | null> {
  const run = await findRun(db, id);
  if (run === null) return null;
  const rows = await db
    .selectFrom('executions')
    .select(['path', 'step', 'generation', 'slot', 'agent_id', 'started_at', 'assigned_at', 'finished_at', 'outcome', 'mode'])
    .where('root_run_id', '=', run.rootRunId)
    // An intent whose work has not begun has no time yet.
    .where((where) => where.or([where('started_at', 'is not', null), where('finished_at', 'is not', null)]))
    .orderBy((order) => order.fn.coalesce('started_at', 'assigned_at'))
    .orderBy('id')
    .execute();
  const planText = await findPlanText(db, run.planHash);
  const plan = planText === null ? null : (JSON.parse(planText) as Plan);
  const estimates = new Map(plan?.steps.map((step) => [step.id, step.estimateMs]));
  return {
    steps: rows.map((row) => {
      const { step, subStep } = partsOfPath(row.path);
      const estimateMs = subStep === undefined ? estimates.get(row.step) : undefined;
      return {
        step,
        ...(subStep !== undefined && { subStep }),
        generation: row.generation,
        slot: row.slot,
        agent: row.agent_id,
        startedAt: (row.started_at ?? row.assigned_at).toISOString(),
        endedAt: row.finished_at?.toISOString() ?? null,
        outcome: row.outcome,
        mode: row.mode,
        ...(estimateMs !== undefined && { estimateMs }),
      };
    }),
  };
}
