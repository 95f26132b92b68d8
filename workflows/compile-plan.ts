import { ActivityFailure, scheduleLocalActivity } from '@temporalio/workflow';
import type { CompilePlanInput, CompilePlanOutput } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import type { CompiledPlan } from '../core/engine/types';
import type { Plan } from '../core/plan/types';
import { loadPlanText } from './plan-text';
import { localActivityOptions } from './recorder';

/** Nothing of the run moves meanwhile: what cannot be compiled in this time is refused. */
const patience = '1m';

/** Compiles the edited file of a run that is under way. What goes wrong is why there is no plan, never an end of the run. */
export async function compilePlan(input: CompilePlanInput): Promise<CompiledPlan> {
  try {
    const output = await scheduleLocalActivity<CompilePlanOutput>(localActivityNames.compilePlan, [input], {
      ...localActivityOptions,
      scheduleToCloseTimeout: patience,
      summary: 'compile the edited file',
    });
    if (!output.ok) return { problem: output.problem };
    const { ok: _, planText, historyEstimatesMs, ...frozen } = output;
    const plan = JSON.parse(await loadPlanText(frozen, planText)) as Plan;
    return { plan, frozen, historyEstimatesMs };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { problem: `the edited file could not be compiled: ${error.cause?.message ?? error.message}; try again` };
  }
}
