import { rankTeam, type TeamQuestion, type TeamRanking } from '../core/learning/rank-team';
import { loadAgentFacts } from '../db/queries/agent-facts';
import { listAgents } from '../db/queries/agents';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

export type { TeamRanking } from '../core/learning/rank-team';

export interface RankQuestion extends TeamQuestion {
  /** Ages count from then, and what ended later is not known. Epoch ms; default now. Loads are always those of now. */
  atMs?: number | undefined;
}

/**
 * How the registered agents stand for a task type, by the code that assigns tasks. A run with an agents file of its own chooses among
 * those alone. AppError `unavailable` without Postgres.
 */
export async function rankRegisteredAgents(client: VaporaClient, question: RankQuestion): Promise<TeamRanking> {
  const { taskType, atMs = Date.now() } = question;
  return callDatabase(client, async (db) => {
    const agents = await listAgents(db);
    const ids = agents.map(({ id }) => id);
    const facts = await loadAgentFacts(db, ids, [taskType], atMs, { asOf: question.atMs !== undefined });
    return rankTeam(question, agents, facts, atMs);
  });
}
