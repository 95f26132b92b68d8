import { type Selectable, sql } from 'kysely';
import type { AgentSpec } from '../../core/contract/agents';
import { AppError } from '../../core/contract/errors';
import type { Database } from '../connect';
import { sha256Hex } from '../hash';
import { canonicalJson, jsonText } from '../json-text';
import type { AgentsTable } from '../schema';

export interface RegisteredAgent extends AgentSpec {
  registeredAt: Date;
  retiredAt: Date | null;
}

/** Adds agents to the registry, or replaces what it says of them; a retired one that is given again is back. */
export async function upsertAgents(db: Database, specs: readonly AgentSpec[]): Promise<void> {
  if (specs.length === 0) return;
  const rows = [...new Map(specs.map((spec) => [spec.id, spec])).values()]
    .map((spec) => ({
      id: spec.id,
      role: spec.role,
      skills: jsonText(spec.skills),
      capacity: spec.capacity,
      cost: jsonText(spec.cost),
      executor: jsonText(spec.executor),
      compensate: spec.compensate ?? null,
      retired_at: null,
    }))
    // In one order everywhere: two upserts of the same agents wait for each other instead of deadlocking.
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  await db
    .insertInto('agents')
    .values(rows)
    .onConflict((conflict) =>
      // Every run that brings its agents comes by here: what says nothing new writes nothing.
      conflict.column('id').doUpdateSet((excluded) => ({
        role: excluded.ref('excluded.role'),
        skills: excluded.ref('excluded.skills'),
        capacity: excluded.ref('excluded.capacity'),
        cost: excluded.ref('excluded.cost'),
        executor: excluded.ref('excluded.executor'),
        compensate: excluded.ref('excluded.compensate'),
        retired_at: null,
        updated_at: excluded.fn<Date>('now'),
      }))
        .where(sql<boolean>`(agents.role, agents.skills, agents.capacity, agents.cost, agents.executor, agents.compensate, agents.retired_at)
          is distinct from (excluded.role, excluded.skills, excluded.capacity, excluded.cost, excluded.executor, excluded.compensate, null)`),
    )
    .execute();
}

export interface AgentFilter {
  includeRetired?: boolean | undefined;
  ids?: readonly string[] | undefined;
  role?: string | undefined;
}

/** Registered agents by id. */
export async function listAgents(db: Database, filter: AgentFilter = {}): Promise<RegisteredAgent[]> {
  let query = db.selectFrom('agents').selectAll().orderBy('id');
  if (filter.includeRetired !== true) query = query.where('retired_at', 'is', null);
  if (filter.ids !== undefined) query = filter.ids.length === 0 ? query.where('id', 'is', null) : query.where('id', 'in', [...filter.ids]);
  if (filter.role !== undefined) query = query.where('role', '=', filter.role);
  return (await query.execute()).map(agentOfRow);
}

/** Takes an agent out of future assignments; its history stays. False where there is none that could be retired. */
export async function retireAgent(db: Database, id: string): Promise<boolean> {
  const result = await db
    .updateTable('agents')
    .set(({ fn }) => ({ retired_at: fn<Date>('now') }))
    .where('id', '=', id)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Freezes the agents of a run; gives the sha256 that names them. The same agents have the same name, in any order. */
export async function insertAgentSet(db: Database, specs: readonly AgentSpec[]): Promise<string> {
  const sorted = [...specs].sort((a, b) => (a.id < b.id ? -1 : 1));
  const sha256 = sha256Hex(canonicalJson(sorted));
  await db
    .insertInto('agent_sets')
    .values({ sha256, specs: jsonText(sorted) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return sha256;
}

/** By sha256, so whatever database it came from. */
const agentSets = new Map<string, readonly AgentSpec[]>();
const cachedAgentSets = 200;

/** The frozen agents. Kept in memory: they never change. Throws AppError `not_found`. */
export async function loadAgentSet(db: Database, sha256: string): Promise<readonly AgentSpec[]> {
  const cached = agentSets.get(sha256);
  if (cached !== undefined) return cached;
  const row = await db.selectFrom('agent_sets').select('specs').where('sha256', '=', sha256).executeTakeFirst();
  if (row === undefined) {
    throw new AppError('not_found', `no agent set ${sha256}`, { hint: 'Is DATABASE_URL the database in which the run was started?' });
  }
  for (const oldest of agentSets.keys()) {
    if (agentSets.size < cachedAgentSets) break;
    agentSets.delete(oldest);
  }
  agentSets.set(sha256, row.specs);
  return row.specs;
}

function agentOfRow(row: Selectable<AgentsTable>): RegisteredAgent {
  return {
    id: row.id,
    role: row.role,
    skills: row.skills,
    capacity: row.capacity,
    cost: row.cost,
    executor: row.executor,
    ...(row.compensate !== null && { compensate: row.compensate }),
    registeredAt: row.registered_at,
    retiredAt: row.retired_at,
  };
}
