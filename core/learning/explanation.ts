import type { AgentScore } from './scoring';
import { policyVersion, tieWidth } from './scoring';

/** One line of an explanation: the terms as `vapora agents rank --explain` shows them. */
export interface ExplainedCandidate extends Omit<AgentScore, 'lastAssignedAtMs'> {
  /** Why it did not get the step; absent for the one that did. */
  lost?: string;
}

/** Stored with every assignment. */
export interface AssignmentExplanation {
  policy: 'exploit' | 'explore';
  policyVersion: number;
  taskType: string;
  atMs: number;
  chosen: string;
  /** One sentence. */
  why: string;
  /** Best first, at most 12. */
  candidates: ExplainedCandidate[];
  /** Candidates left off the list. */
  more: number;
  /** Agents that could not be candidates at all, at most 12. */
  rejected: { agentId: string; reason: string }[];
}

const listedCandidates = 12;

export interface ExplainInput {
  policy: 'exploit' | 'explore';
  taskType: string;
  atMs: number;
  chosen: AgentScore;
  ranked: readonly AgentScore[];
  /** Reasons that outrank the score, by agent id: `is busy`, `has too little experience for critical work`. */
  passedOver: ReadonlyMap<string, string>;
  rejected: readonly { agentId: string; reason: string }[];
  /** How many candidates, and how many others, are listed; an explanation that is stored with each assignment must stay short. */
  limit?: number;
}

export function explainAssignment(input: ExplainInput): AssignmentExplanation {
  const { chosen, ranked, limit = listedCandidates } = input;
  const nobodyKnown = ranked.every(({ n }) => n === 0);
  const listed = ranked.slice(0, limit);
  if (!listed.includes(chosen)) listed[listed.length - 1] = chosen;
  return {
    policy: input.policy,
    policyVersion,
    taskType: input.taskType,
    atMs: input.atMs,
    chosen: chosen.agentId,
    why: whySentence(chosen, ranked, nobodyKnown, input.taskType),
    candidates: listed.map(({ lastAssignedAtMs: _at, ...score }) =>
      score.agentId === chosen.agentId
        ? score
        : { ...score, lost: input.passedOver.get(score.agentId) ?? whyLost(score, chosen, nobodyKnown) },
    ),
    more: ranked.length - listed.length,
    rejected: input.rejected.slice(0, limit),
  };
}

function whySentence(chosen: AgentScore, ranked: readonly AgentScore[], nobodyKnown: boolean, taskType: string): string {
  if (ranked.length === 1) return `${chosen.agentId} is the only agent that can do it`;
  const field = `of ${ranked.length} candidates`;
  if (nobodyKnown) return `${chosen.agentId} is the least loaded ${field}; nobody has a history in ${taskType} yet`;
  if (chosen.n === 0) return `${chosen.agentId} scores ${format(chosen.score)} ${field}: new to ${taskType}, worth a try`;
  const record = `${percent(chosen.recentSuccessRate)} recent success in ${chosen.n} ${taskType} ${chosen.n === 1 ? 'run' : 'runs'}`;
  return `${chosen.agentId} scores ${format(chosen.score)} ${field}: ${record}, load ${chosen.running}/${chosen.capacity}`;
}

function whyLost(score: Omit<AgentScore, 'lastAssignedAtMs'>, chosen: AgentScore, nobodyKnown: boolean): string {
  if (nobodyKnown) return score.load - chosen.load > tieWidth ? 'is more loaded' : 'is as little loaded, but lost the tie';
  const gap = chosen.score - score.score;
  if (gap < tieWidth) return 'scores the same, but lost the tie';
  const terms: [name: string, difference: number][] = [
    ['base', 0.3 * (chosen.base - score.base)],
    ['expertise', 0.5 * (chosen.expertise - score.expertise)],
    ['confidence', 0.2 * (chosen.confidence - score.confidence)],
    ['exploration bonus', chosen.bonus - score.bonus],
  ];
  const [largest] = terms.sort((a, b) => b[1] - a[1]);
  return `scores ${format(gap)} less, most of it by ${largest?.[0] ?? 'base'}`;
}

function format(value: number): string {
  return value.toFixed(3);
}

function percent(rate: number): string {
  return `${Math.round(rate * 100)} %`;
}
