import { Option } from 'commander';
import { rankRegisteredAgents, type TeamRanking } from '../../client/rank-agents';
import { AppError } from '../../core/contract/errors';
import { policyVersion } from '../../core/learning/scoring';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, parseTime } from '../option-parsers';
import { renderRanking } from '../render/ranking';

/** How the registered agents stand for a task type, by the code that assigns tasks. */
export const command: CliCommand = {
  configure(command) {
    command
      .requiredOption('--task-type <type>', 'CodeGeneration, CodeReview, Testing, …')
      .option('--role <role>', 'only those who may do a step of this role')
      .addOption(
        new Option('--policy <policy>', 'how a step of this policy would choose').choices(['explore', 'exploit']).default('explore'),
      )
      .option('--recency', 'expertise is the recent success rate, as in assignments, instead of the plain one')
      .option('--at <time>', 'as the history was known then (loads are those of now)', parseTime)
      .option('--explain', 'each term of each score, and why the others lost');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const policy = options.text('policy') === 'exploit' ? 'exploit' : 'explore';
    const recency = options.flag('recency');
    const taskType = options.required('taskType');
    const role = options.text('role');
    const atMs = options.number('at');
    const ranking = await rankRegisteredAgents(openClient(context), { taskType, role, policy, recency, atMs });
    if (ranking.ranked.length === 0) throw nobody(ranking, role);
    if (context.isJson) {
      const question = { taskType, role: role ?? null, policy, policyVersion, recency };
      context.printJson({
        schemaVersion: 1,
        ...question,
        at: isoTime(atMs ?? context.render.nowMs ?? Date.now()),
        ...toJson(context, ranking),
      });
    } else context.print(renderRanking(ranking, { taskType, policy, isExplained: options.flag('explain') }, context.render));
    return exitCodes.done;
  },
};

/** The documented shape of `rank --json`; `--explain` adds to it. */
function toJson({ options }: CommandContext, { ranked, explanation, rejected }: TeamRanking): object {
  const isExplained = options.flag('explain');
  const lost = new Map(explanation?.candidates.map((candidate) => [candidate.agentId, candidate.lost]));
  return {
    chosen: explanation?.chosen ?? null,
    ...(isExplained && { why: explanation?.why ?? null }),
    candidates: ranked.map((score) => ({
      agent: score.agentId,
      score: score.score,
      base: score.base,
      expertise: score.expertise,
      confidence: score.confidence,
      success_rate: score.successRate,
      recent_success_rate: score.recentSuccessRate,
      n: score.n,
      load: score.load,
      bonus: score.bonus,
      rank: score.rank,
      ...(isExplained && {
        documented: score.documented,
        running: score.running,
        capacity: score.capacity,
        lost: lost.get(score.agentId) ?? null,
      }),
    })),
    ...(isExplained && { rejected }),
  };
}

function nobody({ rejected }: TeamRanking, role: string | undefined): AppError {
  if (role === undefined) {
    return new AppError('not_found', 'no agents are registered', { hint: "register those of a file: 'vapora agents add FILE'" });
  }
  const reasons = rejected.slice(0, 5).map(({ agentId, reason }) => `${agentId} ${reason}`);
  return new AppError('not_found', `no registered agent does the role ${role}${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}`, {
    hint: "'vapora agents list' shows the roles",
  });
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
