import type { AgentSpec } from '../contract/agents';
import { type AgentFacts, candidateOf, passOverBusy } from './assign-task';
import { findEligible } from './eligibility';
import { type AssignmentExplanation, explainAssignment } from './explanation';
import { type AgentScore, rankCandidates, type RankOptions } from './scoring';

export interface TeamQuestion extends RankOptions {
  taskType: string;
  /** Only those who may do a step of this role; without it everybody is a candidate. */
  role?: string | undefined;
}

export interface TeamRanking {
  /** All candidates, best first. */
  ranked: AgentScore[];
  /** Who of them would get a task now, and why the others would not; absent where all are busy, or there is nobody. */
  explanation?: AssignmentExplanation;
  /** Who cannot be a candidate, and why. */
  rejected: { agentId: string; reason: string }[];
}

/** How these agents stand for a task type: who may do it, the scores and the choice, by the code that assigns tasks. */
export function rankTeam(
  question: TeamQuestion,
  agents: readonly AgentSpec[],
  facts: ReadonlyMap<string, AgentFacts>,
  atMs: number,
): TeamRanking {
  const { taskType, role, policy } = question;
  const { eligible, rejected } =
    role === undefined ? { eligible: agents, rejected: [] } : findEligible(agents, { role, skills: [], exclude: [] });
  const ranked = rankCandidates(
    eligible.map((agent) => candidateOf(agent, facts.get(agent.id))),
    taskType,
    question,
  );
  const { free, passedOver } = passOverBusy(ranked);
  const [chosen] = free;
  if (chosen === undefined) return { ranked, rejected };
  const explanation = explainAssignment({ policy, taskType, atMs, chosen, ranked, passedOver, rejected, limit: Infinity });
  return { ranked, explanation, rejected };
}
