import type { AddAgentsInput, AddAgentsOutput } from '../core/contract/local-activities';
import { findExtraAgents } from '../core/learning/extra-agents';
import type { Database } from '../db/connect';
import { insertAgentSet, listAgents, loadAgentSet } from '../db/queries/agents';
import { replaceAgentSet } from '../db/queries/runs';

/** Freezes a larger set of agents for a run that is under way. Done twice it gives the same. */
export async function addAgents(db: Database, { run, agentSet, role, count }: AddAgentsInput): Promise<AddAgentsOutput> {
  const agents = await loadAgentSet(db, agentSet);
  const { added, problem } = findExtraAgents(agents, { role, count, registered: await listAgents(db) });
  if (added.length === 0) return { agentSet, added: [], ...(problem !== undefined && { problem }) };
  const specs = added.map(({ id, role: ofRole, skills, capacity, cost, executor, compensate }) => ({
    id,
    role: ofRole,
    skills,
    capacity,
    cost,
    executor,
    ...(compensate !== undefined && { compensate }),
  }));
  const larger = await insertAgentSet(db, [...agents, ...specs]);
  await replaceAgentSet(db, run.rootRunId, larger);
  return { agentSet: larger, added: added.map(({ id }) => id), ...(problem !== undefined && { problem }) };
}
