/** When the steps of a run were worked on, by the database: what the order and the overlap of steps are computed from. */
import type { Plan } from '../../core/plan/types';
import { listExecutions, queryDatabase } from './run-records';
import type { TestVapora } from './vapora';

export interface Interval {
  startMs: number;
  endMs: number;
}
export type Intervals = Map<string, Interval>;

/** From the first start to the last end of everything that was done for a step, and to the decision of its gates. */
export async function readIntervals(vapora: Pick<TestVapora, 'adminUrl'>, id: string): Promise<Intervals> {
  const intervals: Intervals = new Map();
  for (const { step, mode, assigned_at: assigned, started_at: started, finished_at: end } of await listExecutions(vapora, id)) {
    // A monitor begins with its assignment: its samples are no executions.
    const start = started ?? assigned;
    if (mode !== 'do' || end === null) continue;
    const known = intervals.get(step);
    intervals.set(step, {
      startMs: Math.min(start.getTime(), known?.startMs ?? Infinity),
      endMs: Math.max(end.getTime(), known?.endMs ?? 0),
    });
  }
  return intervals;
}

export async function readDecisions(vapora: Pick<TestVapora, 'adminUrl'>, id: string): Promise<Map<string, number>> {
  const rows = await queryDatabase<{ step: string; decided_at: Date }>(
    vapora,
    'select a.step, a.decided_at from approvals a join runs r using (root_run_id) where r.workflow_id = $1 and a.decided_at is not null and a.step is not null',
    [id],
  );
  return new Map(rows.map(({ step, decided_at: decidedAt }) => [step, decidedAt.getTime()]));
}

/** Whether there was a moment at which all of these steps were in work. */
export function isOverlapping(intervals: Intervals, steps: string[]): boolean {
  const found = steps.map((step) => intervals.get(step) ?? { startMs: Infinity, endMs: -Infinity });
  return Math.max(...found.map(({ startMs }) => startMs)) < Math.min(...found.map(({ endMs }) => endMs));
}

/** Every place where a step began before something it waits for had ended, or had been decided. */
export function findViolations(plan: Plan, intervals: Intervals, decisions: Map<string, number>): string[] {
  const barriers = new Map<string, string[]>();
  plan.phases.forEach((phase, index) => {
    const before = plan.phases[index - 1];
    if (phase.barrier && before)
      barriers.set(
        phase.id,
        plan.steps.filter((step) => step.phase === before.id).map(({ id }) => id),
      );
  });
  return plan.steps.flatMap((step) => {
    const needed = [...step.dependsOn.map((dependency) => dependency.step), ...(barriers.get(step.phase) ?? [])];
    return needed.flatMap((other) => {
      const begunMs = intervals.get(step.id)?.startMs ?? Infinity;
      const readyMs = Math.max(intervals.get(other)?.endMs ?? Infinity, decisions.get(other) ?? 0);
      return begunMs >= readyMs ? [] : [`${step.id} began ${readyMs - begunMs} ms before ${other} was done`];
    });
  });
}
