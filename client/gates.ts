import { isAppError } from '../core/contract/errors';
import type { RunStatus } from '../core/contract/states';
import type { GateView } from '../core/contract/views';
import type { VaporaClient } from './connect';
import { listRuns } from './list-runs';
import { getGates } from './run-views';

/** A gate and the run it belongs to. */
export interface RunGate {
  run: string;
  gate: GateView;
}

/** In each of these a gate may be open: others of the run's steps go on while one waits. */
const openStatuses: readonly RunStatus[] = ['in_progress', 'waiting_approval', 'blocked', 'paused', 'deferred'];

const maxRuns = 500;
/** Queries at once: each may wake a workflow from its history. */
const batchSize = 20;

/** Everything that waits for a person, over all runs, the oldest run first. */
export async function listOpenGates(client: VaporaClient): Promise<RunGate[]> {
  const runs = (await listRuns(client, { limit: maxRuns, isOpen: true })).filter(({ status }) => openStatuses.includes(status)).reverse();
  const found: RunGate[] = [];
  for (let from = 0; from < runs.length; from += batchSize) {
    const batch = runs.slice(from, from + batchSize).map(async ({ id }) => openGatesOf(client, id));
    found.push(...(await Promise.all(batch)).flat());
  }
  return found;
}

async function openGatesOf(client: VaporaClient, id: string): Promise<RunGate[]> {
  try {
    const { view } = await getGates(client, id);
    return view.filter(({ state }) => state === 'open').map((gate) => ({ run: id, gate }));
  } catch (error) {
    // A run that ended since the list was made has nothing to ask any more.
    if (isAppError(error) && error.code === 'not_found') return [];
    throw error;
  }
}
