import { AppError } from '../../core/contract/errors';
import { compileAgents } from '../../core/dsl/agents';
import { compileWorkflow } from '../../core/dsl/compile';
import { renderDiagnostics } from '../../core/dsl/render';
import { canonicalPlanText } from '../../core/plan/canonical';
import { connectDatabase } from '../../db/connect';
import { sha256Hex } from '../../db/hash';
import { upsertAgents } from '../../db/queries/agents';
import { publishDefinition } from '../../db/queries/definitions';
import type { Scenario } from './scenarios';

/** Publishes every scenario's definition and registers the agents: what recorded runs of both kinds start from. */
export async function publishScenarios(
  databaseUrl: string,
  scenarios: readonly Pick<Scenario, 'name' | 'definition' | 'source'>[],
  agentsSource: string,
): Promise<void> {
  const db = await connectDatabase(databaseUrl);
  try {
    const { agents, diagnostics } = compileAgents(agentsSource, { format: 'yaml' });
    if (!agents)
      throw new AppError('internal', renderDiagnostics(diagnostics, { fileName: 'agents.yaml', text: agentsSource, color: false }));
    await upsertAgents(db, agents);
    for (const { name, definition, source } of scenarios) {
      const { plan, diagnostics } = compileWorkflow(source, { format: 'yaml' });
      if (!plan) throw new AppError('internal', renderDiagnostics(diagnostics, { fileName: name, text: source, color: false }));
      const planText = canonicalPlanText(plan);
      await publishDefinition(db, { id: definition, source, format: 'yaml', planText, planHash: sha256Hex(planText) });
    }
  } finally {
    await db.destroy();
  }
}
