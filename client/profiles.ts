import type { LearningProfile } from '../core/learning/profile';
import { loadLearningProfile } from '../db/queries/history';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

/** What the execution history says of each agent, in the order asked. AppError `unavailable` without Postgres. */
export function getProfiles(client: VaporaClient, agentIds: readonly string[], atMs: number = Date.now()): Promise<LearningProfile[]> {
  return callDatabase(client, (db) => Promise.all(agentIds.map((id) => loadLearningProfile(db, id, atMs))));
}
