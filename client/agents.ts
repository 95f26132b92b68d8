import { isDeepStrictEqual } from 'node:util';
import type { AgentSpec } from '../core/contract/agents';
import { AppError } from '../core/contract/errors';
import {
  listAgents as listAgentRows,
  retireAgent as retireAgentRow,
  upsertAgents,
  type AgentFilter,
  type RegisteredAgent,
} from '../db/queries/agents';
import { loadAgentFacts } from '../db/queries/agent-facts';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

export type { AgentFilter, RegisteredAgent } from '../db/queries/agents';

/** The registered agents by id. AppError `unavailable` without Postgres. */
export async function listAgents(client: VaporaClient, filter: AgentFilter = {}): Promise<RegisteredAgent[]> {
  return callDatabase(client, (db) => listAgentRows(db, filter));
}

/** A registered agent, also a retired one, and what it does now. */
export interface AgentState {
  agent: RegisteredAgent;
  /** Steps that it is doing, over all runs. */
  running: number;
  /** Over its newest 100 executions of any kind that succeeded or failed. */
  overall: { n: number; successes: number };
}

/** One agent of the registry. AppError `not_found` where it is not registered, `unavailable` without Postgres. */
export async function getAgent(client: VaporaClient, id: string): Promise<AgentState> {
  return callDatabase(client, async (db) => {
    const [agent] = await listAgentRows(db, { ids: [id], includeRetired: true });
    if (agent === undefined) throw unknownAgent(id);
    const facts = (await loadAgentFacts(db, [id], [], Date.now())).get(id);
    return { agent, running: facts?.running ?? 0, overall: facts?.profile?.overall ?? { n: 0, successes: 0 } };
  });
}

/** Ids by what registering them did, each list in the order given. */
export interface RegisteredAgents {
  added: string[];
  /** What the registry says of them is now something else, or they were retired and are back. */
  changed: string[];
  unchanged: string[];
}

/** Adds agents to the registry, or replaces what it says of those it has. The others stay. AppError `unavailable` without Postgres. */
export async function registerAgents(client: VaporaClient, specs: readonly AgentSpec[]): Promise<RegisteredAgents> {
  return callDatabase(client, async (db) => {
    const ids = specs.map(({ id }) => id);
    const find = async () => new Map((await listAgentRows(db, { ids, includeRetired: true })).map((agent) => [agent.id, agent]));
    const before = await find();
    await upsertAgents(db, specs);
    const after = await find();
    const done: RegisteredAgents = { added: [], changed: [], unchanged: [] };
    for (const id of new Set(ids)) {
      if (!before.has(id)) done.added.push(id);
      else if (isDeepStrictEqual(before.get(id), after.get(id))) done.unchanged.push(id);
      else done.changed.push(id);
    }
    return done;
  });
}

/** Takes an agent out of future assignments; its history stays, and a file that names it brings it back. False where it was not registered. */
export async function retireAgent(client: VaporaClient, id: string): Promise<boolean> {
  return callDatabase(client, (db) => retireAgentRow(db, id));
}

export function unknownAgent(id: string): AppError {
  return new AppError('not_found', `no agent ${id} is registered`, {
    hint: "'vapora agents list --all' shows them, 'vapora agents add FILE' registers those of a file",
  });
}
