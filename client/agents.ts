import { listAgents as listAgentRows, retireAgent as retireAgentRow, type AgentFilter, type RegisteredAgent } from '../db/queries/agents';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

export type { AgentFilter, RegisteredAgent } from '../db/queries/agents';

/** The registered agents by id. AppError `unavailable` without Postgres. */
export async function listAgents(client: VaporaClient, filter: AgentFilter = {}): Promise<RegisteredAgent[]> {
  return callDatabase(client, (db) => listAgentRows(db, filter));
}

/** Takes an agent out of future assignments; its history stays, and a file that names it brings it back. False where it was not registered. */
export async function retireAgent(client: VaporaClient, id: string): Promise<boolean> {
  return callDatabase(client, (db) => retireAgentRow(db, id));
}
