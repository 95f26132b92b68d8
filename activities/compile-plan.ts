import type { CompilePlanInput, CompilePlanOutput } from '../core/contract/local-activities';
import { compileWorkflow } from '../core/dsl/compile';
import { renderDiagnostics } from '../core/dsl/render';
import { canonicalPlanText } from '../core/plan/canonical';
import type { Database } from '../db/connect';
import { sha256Hex } from '../db/hash';
import { loadAgentSet } from '../db/queries/agents';
import { insertPlan } from '../db/queries/definitions';
import { estimateDurations } from '../db/queries/history';
import { maxInlineLength, type TextPieces } from './text-pieces';

const maxProblemLength = 4_000;

/**
 * Compiles the edited file of a run that is under way, and keeps the plan. It is the run that judges whether it may follow it. Done
 * twice it gives the same. `db` is null where the run is not recorded.
 */
export async function compilePlan(
  db: Database | null,
  pieces: TextPieces,
  { source, format, agentSet, agents, known }: CompilePlanInput,
): Promise<CompilePlanOutput> {
  const specs = agents ?? (db === null ? [] : await loadAgentSet(db, agentSet));
  const { plan, diagnostics } = compileWorkflow(source, {
    format,
    roles: [...specs.map(({ role }) => role), ...known.roles],
    agentIds: [...specs.map(({ id }) => id), ...known.agentIds],
  });
  if (plan === null) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const rendered = renderDiagnostics(errors, { fileName: `workflow.${format}`, text: source, color: false });
    return { ok: false, problem: `the edited file has errors:\n${rendered.slice(0, maxProblemLength).trimEnd()}` };
  }
  const planText = canonicalPlanText(plan);
  const planHash = sha256Hex(planText);
  const isInline = planText.length <= maxInlineLength;
  if (!isInline && (db === null || pieces.count(planHash, planText) > 1))
    return { ok: false, problem: 'the plan of the edited file is too large to be read while the run goes on' };
  const historyEstimatesMs: Record<string, number> = {};
  if (db !== null) {
    await insertPlan(db, { planHash, planText });
    Object.assign(historyEstimatesMs, await estimateDurations(db, plan.steps, specs));
  }
  return {
    ok: true,
    planHash,
    planPieces: 1,
    ...(isInline ? { planText } : { planText: '', planCompressed: true }),
    historyEstimatesMs,
  };
}
