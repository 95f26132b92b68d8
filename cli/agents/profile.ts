import { listAgents, unknownAgent } from '../../client/agents';
import { getProfiles } from '../../client/profiles';
import type { LearningProfile } from '../../core/learning/profile';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, parseTime } from '../option-parsers';
import { renderLearningProfile } from '../render/learning-profile';

/** What the history says of one agent: rates, confidence, trend and learning curve. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<id>', "the agent's id")
      .option('--task-type <type>', 'only this kind of task')
      .option('--at <time>', 'as the history was known then', parseTime);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = context.arguments[0] ?? '';
    const taskType = options.text('taskType');
    const at = options.number('at');
    const atMs = at ?? context.render.nowMs ?? Date.now();
    const client = openClient(context);
    const [[whole], [agent]] = await Promise.all([
      getProfiles(client, [id], atMs, { asOf: at !== undefined }),
      listAgents(client, { ids: [id], includeRetired: true }),
    ]);
    // Who left the registry, or never was in it, may have a history; without either the id is wrong.
    if (whole === undefined || (agent === undefined && whole.overall.n === 0)) throw unknownAgent(id);
    const profile = taskType === undefined ? whole : ofTaskType(whole, taskType);
    if (context.isJson) context.printJson({ schemaVersion: 1, at: new Date(atMs).toISOString(), ...toJson(profile) });
    else context.print(renderLearningProfile(profile, context.render));
    return exitCodes.done;
  },
};

function ofTaskType(profile: LearningProfile, taskType: string): LearningProfile {
  const only = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(of).filter(([name]) => name === taskType));
  return { ...profile, expertise: only(profile.expertise), curves: only(profile.curves) };
}

function toJson({ agentId, overall, expertise, curves }: LearningProfile): object {
  return {
    agent: agentId,
    overall,
    taskTypes: Object.values(expertise)
      .sort((a, b) => (a.taskType < b.taskType ? -1 : 1))
      .map((known) => ({ ...known, trendPerDay: curves[known.taskType]?.trendPerDay ?? null, days: curves[known.taskType]?.days ?? [] })),
  };
}
