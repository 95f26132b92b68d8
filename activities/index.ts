import type { AddAgentsInput, AddAgentsOutput, RecordInput, RecordOutput, WaveInput, WaveOutput } from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';
import type { Database } from '../db/connect';
import { addAgents } from './add-agents';
import { recordChanges } from '../db/queries/recording';
import { assignWave } from '../db/queries/waves';
import { createAgentActivity } from './agent-activity';
import type { AgentActivityOptions } from './agent-activity';
import { refuseUndoneWork } from './refuse-undone-work';
import { createResolveActivities } from './resolve';

export interface ActivityOptions extends Omit<AgentActivityOptions, 'db'> {
  /** Null: only runs with recording `none` can be served. */
  db: Database | null;
}

/**
 * What a worker serves. Roles are activity types and any role may come, so agents are the `default` activity; local
 * activities are named `vapora.*` and cannot collide with a role.
 */
export function createActivities(options: ActivityOptions) {
  const { db } = options;
  const { resolve, loadPlan } = createResolveActivities(db);
  const recorded = (): Database => {
    if (!db) throw new Error('a recorded run reached a worker without a database');
    return db;
  };
  return {
    default: createAgentActivity(options),
    [localActivityNames.resolve]: resolve,
    [localActivityNames.loadPlan]: loadPlan,
    async [localActivityNames.wave](input: WaveInput): Promise<WaveOutput> {
      await refuseUndoneWork(recorded(), input.run);
      return assignWave(recorded(), input);
    },
    async [localActivityNames.record](input: RecordInput): Promise<RecordOutput> {
      await refuseUndoneWork(recorded(), input.run);
      return recordChanges(recorded(), input);
    },
    [localActivityNames.addAgents]: (input: AddAgentsInput): Promise<AddAgentsOutput> => addAgents(recorded(), input),
  };
}
