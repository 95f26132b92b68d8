import type { Continuation } from '../core/contract/continuation';
import { continuationNeed, type HistoryLimits, type HistorySize } from '../core/contract/history-limits';
import type {
  AddAgentsInput,
  AddAgentsOutput,
  CompilePlanInput,
  CompilePlanOutput,
  LoadRunInput,
  RecordInput,
  RecordOutput,
  SaveRunInput,
  WaveInput,
  WaveOutput,
} from '../core/contract/local-activities';
import { activityNames, localActivityNames } from '../core/contract/names';
import type { Database } from '../db/connect';
import { addAgents } from './add-agents';
import { recordChanges } from '../db/queries/recording';
import { assignWave } from '../db/queries/waves';
import { createAgentActivity } from './agent-activity';
import { compilePlan } from './compile-plan';
import type { AgentActivityOptions } from './agent-activity';
import { createNotifyActivity } from './notify/notify';
import { refuseUndoneWork } from './refuse-undone-work';
import { createResolveActivities } from './resolve';
import { loadRun, saveRun } from './saved-runs';
import { createTextPieces } from './text-pieces';
import { createVerifyActivity } from './verify-tokens';

export interface ActivityOptions extends Omit<AgentActivityOptions, 'db'> {
  /** Null: only runs with recording `none` can be served. */
  db: Database | null;
  /** From where on a run continues as new. Default: somewhat below the server's limits. */
  historyLimits?: HistoryLimits | undefined;
  /** Every run takes signed requests only, whatever it asks for itself. */
  strict?: boolean | undefined;
}

/**
 * What a worker serves. Roles are activity types and any role may come, so agents are the `default` activity; all others, local
 * ones too, are named `vapora.*` and cannot collide with a role.
 */
export function createActivities(options: ActivityOptions) {
  const { db, historyLimits, strict = false } = options;
  const pieces = createTextPieces();
  const { resolve, loadPlan } = createResolveActivities(db, pieces, { strict });
  const withNeed = <Output extends RecordOutput>(output: Output, history: HistorySize | undefined): Output => {
    const continuation = history === undefined ? undefined : continuationNeed(history, historyLimits);
    return continuation === undefined ? output : { ...output, continuation };
  };
  const recorded = (): Database => {
    if (!db) throw new Error('a recorded run reached a worker without a database');
    return db;
  };
  return {
    default: createAgentActivity(options),
    [activityNames.notify]: createNotifyActivity(options),
    [activityNames.verify]: createVerifyActivity(recorded),
    [localActivityNames.resolve]: resolve,
    [localActivityNames.loadPlan]: loadPlan,
    async [localActivityNames.wave](input: WaveInput): Promise<WaveOutput> {
      await refuseUndoneWork(recorded(), input.run);
      return withNeed(await assignWave(recorded(), input), input.history);
    },
    async [localActivityNames.record](input: RecordInput): Promise<RecordOutput> {
      await refuseUndoneWork(recorded(), input.run);
      return withNeed(await recordChanges(recorded(), input), input.history);
    },
    [localActivityNames.saveRun]: (input: SaveRunInput): Promise<Continuation> => saveRun(recorded(), pieces, input),
    [localActivityNames.loadRun]: (input: LoadRunInput): Promise<Uint8Array> => loadRun(recorded(), pieces, input),
    [localActivityNames.compilePlan]: (input: CompilePlanInput): Promise<CompilePlanOutput> =>
      compilePlan(input.agents === undefined ? recorded() : null, pieces, input),
    [localActivityNames.addAgents]: (input: AddAgentsInput): Promise<AddAgentsOutput> => addAgents(recorded(), input),
  };
}
