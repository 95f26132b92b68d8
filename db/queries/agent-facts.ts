import type { AgentFacts } from '../../core/learning/assign-task';
import type { Database } from '../connect';
import { loadAllLearningProfiles, type ProfileOptions } from './history';
import { Statement, unprepared } from './statement';

/** What an assignment would know of these agents: what they do now, when each was last given something, and their histories. */
export async function loadAgentFacts(
  db: Database,
  agentIds: readonly string[],
  taskTypes: readonly string[],
  atMs: number,
  options: ProfileOptions = {},
): Promise<Map<string, AgentFacts>> {
  const [loads, profiles] = await Promise.all([loadLoads(db, agentIds), loadAllLearningProfiles(db, agentIds, taskTypes, atMs, options)]);
  return new Map(
    loads.map(({ id, running, last }) => {
      const profile = profiles.get(id);
      return [id, { running, lastAssignedAtMs: last, ...(profile !== undefined && { profile }) }];
    }),
  );
}

interface Load {
  id: string;
  running: number;
  /** Epoch ms. */
  last: number | null;
}

function loadLoads(db: Database, agentIds: readonly string[]): Promise<Load[]> {
  const statement = new Statement();
  const ids = statement.value([...new Set(agentIds)], 'text[]');
  return statement.run<Load>(
    db,
    unprepared,
    `select c.id, (select count(*)::int from agent_leases where agent_id = c.id and expires_at > now()) as running,
       (select (extract(epoch from assigned_at) * 1000)::float8 from executions where agent_id = c.id order by assigned_at desc limit 1) as last
     from unnest(${ids}) as c(id)`,
  );
}
