import type { TeamRanking } from '../../client/rank-agents';
import { baseWeight, confidenceWeight, expertiseWeight, type AgentScore } from '../../core/learning/scoring';
import { formatPercent } from './duration';
import { fitLines, plainText, symbolOf, tableLines, type RenderOptions } from './style';

export interface RankingQuestion {
  taskType: string;
  policy: 'exploit' | 'explore';
  /** Each term of each score, and why the others lost. */
  isExplained: boolean;
}

/** How agents stand for a task type, best first. */
export function renderRanking(ranking: TeamRanking, question: RankingQuestion, options: RenderOptions): string {
  const lines = question.isExplained ? explainedLines(ranking, options) : tableOf(ranking);
  return fitLines([...lines, '', sentenceOf(ranking, question)], options);
}

function tableOf({ ranked }: TeamRanking): string[] {
  const rows = ranked.map((score) => [
    String(score.rank),
    plainText(score.agentId),
    number(score.score),
    number(score.base),
    number(score.expertise),
    number(score.confidence),
    number(score.bonus),
    ...recordOf(score),
    `${score.running}/${score.capacity}`,
  ]);
  return tableLines([['RANK', 'AGENT', 'SCORE', 'BASE', 'EXPERTISE', 'CONFIDENCE', 'BONUS', 'SUCCESS', 'RECENTLY', 'N', 'LOAD'], ...rows]);
}

function recordOf({ n, successRate, recentSuccessRate }: AgentScore): string[] {
  return n === 0 ? ['-', '-', '0'] : [formatPercent(successRate), formatPercent(recentSuccessRate), String(n)];
}

function explainedLines({ ranked, explanation, rejected }: TeamRanking, options: RenderOptions): string[] {
  const lost = new Map(explanation?.candidates.map((candidate) => [candidate.agentId, candidate.lost]));
  const times = symbolOf('times', options);
  const candidates = ranked.flatMap((score) => {
    const term = (weight: number, value: number, name: string): string => `${weight} ${times} ${number(value)} ${name}`;
    const bonus = score.bonus === 0 ? '' : ` ${score.bonus < 0 ? '-' : '+'} ${number(Math.abs(score.bonus))} for trying`;
    const [rate = '', recent = '', n = ''] = recordOf(score);
    const record = score.n === 0 ? 'new to it' : `${rate} of ${n} succeeded, recently ${recent}`;
    const fate = explanation === undefined ? 'busy' : (lost.get(score.agentId) ?? 'would get it');
    return [
      `${score.rank}. ${plainText(score.agentId)}  ${number(score.score)}`,
      `   = ${term(baseWeight, score.base, 'base')} + ${term(expertiseWeight, score.expertise, 'expertise')} + ${term(confidenceWeight, score.confidence, 'confidence')}${bonus}`,
      `   ${record}; load ${score.running}/${score.capacity}`,
      `   ${fate}`,
    ];
  });
  if (rejected.length === 0) return candidates;
  return [...candidates, '', 'No candidates:', ...rejected.map(({ agentId, reason }) => `  ${plainText(agentId)} ${plainText(reason)}`)];
}

function sentenceOf({ ranked, explanation }: TeamRanking, { taskType, policy }: RankingQuestion): string {
  const kind = plainText(taskType);
  if (explanation === undefined) return `Nobody would get a ${kind} task now (${policy}): all ${ranked.length} are busy.`;
  return `A ${kind} task would go to ${plainText(explanation.chosen)} (${policy}): ${plainText(explanation.why)}.`;
}

function number(value: number): string {
  return value.toFixed(3);
}
