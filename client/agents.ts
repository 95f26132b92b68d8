import { listAgents as listAgentRows, type AgentFilter, type RegisteredAgent } from '../db/queries/agents';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

export type { AgentFilter, RegisteredAgent } from '../db/queries/agents';

/** The registered agents by id. AppError `unavailable` without Postgres. */
export async function listAgents(client: VaporaClient, filter: AgentFilter = {}): Promise<RegisteredAgent[]> {
  return callDatabase(client, (db) => listAgentRows(db, filter));
}
