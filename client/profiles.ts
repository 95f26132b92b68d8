import type { LearningProfile } from '../core/learning/profile';
import { loadLearningProfile, type ProfileOptions } from '../db/queries/history';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

/**
 * What the execution history says of each agent, in the order asked; ages count from `atMs`, and with `asOf` nothing that ended after it
 * is known. AppError `unavailable` without Postgres.
 */
export function getProfiles(
  client: VaporaClient,
  agentIds: readonly string[],
  atMs: number = Date.now(),
  options: ProfileOptions = {},
): Promise<LearningProfile[]> {
  return callDatabase(client, (db) => Promise.all(agentIds.map((id) => loadLearningProfile(db, id, atMs, options))));
}
