import type { LearningProfile } from './profile';

/** An agent who could do a task, with what decides whether it should. */
export interface Candidate {
  agentId: string;
  /** Steps it is doing now, over all runs. */
  running: number;
  /** Steps it can do at once. */
  capacity: number;
  profile: LearningProfile;
  /** Epoch ms; null = never. */
  lastAssignedAtMs?: number | null;
}

/** A candidate's score with every term it is made of. */
export interface AgentScore {
  agentId: string;
  /** What the ranking is by: documented score + bonus. */
  score: number;
  /** 0.3·base + 0.5·expertise + 0.2·confidence. */
  documented: number;
  /** What the `explore` policy adds for trying; 0 under `exploit`. */
  bonus: number;
  /** (s + 1)/(n + 2)/(1 + load) over all task types. */
  base: number;
  expertise: number;
  confidence: number;
  successRate: number;
  recentSuccessRate: number;
  /** Executions of this task type considered. */
  n: number;
  running: number;
  capacity: number;
  /** running / capacity. */
  load: number;
  lastAssignedAtMs: number | null;
  /** From 1. */
  rank: number;
}

export interface RankOptions {
  policy: 'exploit' | 'explore';
  /** Expertise = recent_success_rate instead of success_rate. */
  recency: boolean;
}

/** Version of the formulas: stored with every explanation. */
export const policyVersion = 1;

export const baseWeight = 0.3;
export const expertiseWeight = 0.5;
export const confidenceWeight = 0.2;
/** Of an agent without executions of the task type, where others have some. */
export const unknownExpertise = 0.5;
export const explorationFactor = 0.05;
/** Scores closer than this are equal. */
export const tieWidth = 1e-9;

/** By the documented score, expertise being the plain success rate. */
export function rankAgents(candidates: readonly Candidate[], taskType: string): AgentScore[] {
  return rankCandidates(candidates, taskType, { policy: 'exploit', recency: false });
}

/** By the documented score, expertise being the recency-weighted success rate. */
export function rankAgentsWithRecency(candidates: readonly Candidate[], taskType: string): AgentScore[] {
  return rankCandidates(candidates, taskType, { policy: 'exploit', recency: true });
}

/** The best candidate, or undefined where there is none. */
export function selectBest(candidates: readonly Candidate[], taskType: string, options?: Partial<RankOptions>): AgentScore | undefined {
  return rankCandidates(candidates, taskType, { policy: 'exploit', recency: true, ...options })[0];
}

/**
 * All candidates, best first. Where nobody has executions of this task type the least loaded is first; the scores are shown all
 * the same.
 */
export function rankCandidates(candidates: readonly Candidate[], taskType: string, options: RankOptions): AgentScore[] {
  const pool = poolOf(candidates, taskType);
  const scores = candidates.map((candidate) => scoreOf(candidate, taskType, pool, options));
  const sorted = sortByScore(scores, pool.known ? (score) => score.score : (score) => -score.load);
  return sorted.map((score, index) => ({ ...score, rank: index + 1 }));
}

/** What a score needs to know of the others. */
interface Pool {
  /** Some candidate has executions of this task type. */
  known: boolean;
  /** N: decayed executions over all candidates. */
  decayed: number;
}

function poolOf(candidates: readonly Candidate[], taskType: string): Pool {
  const expertises = candidates.map(({ profile }) => expertiseIn(profile, taskType));
  // Summed in a fixed order: floating-point sums would otherwise depend on the order of the candidates.
  const counts = expertises.map((expertise) => (expertise ? expertise.decayedSuccesses + expertise.decayedFailures : 0));
  return {
    known: expertises.some((expertise) => expertise !== undefined && expertise.n > 0),
    decayed: counts.sort((a, b) => a - b).reduce((sum, count) => sum + count, 0),
  };
}

function scoreOf(candidate: Candidate, taskType: string, pool: Pool, options: RankOptions): Omit<AgentScore, 'rank'> {
  const { profile, running, capacity } = candidate;
  const known = expertiseIn(profile, taskType);
  const n = known?.n ?? 0;
  const load = running / Math.max(1, capacity);
  const base = (profile.overall.successes + 1) / (profile.overall.n + 2) / (1 + load);
  const rate = options.recency ? known?.recentSuccessRate : known?.successRate;
  const expertise = n === 0 ? unknownExpertise : (rate ?? unknownExpertise);
  const confidence = known?.confidence ?? 0;
  const documented = baseWeight * base + expertiseWeight * expertise + confidenceWeight * confidence;
  const score = options.policy === 'explore' ? exploreScore(base, known, pool.decayed) : documented;
  return {
    agentId: candidate.agentId,
    score,
    documented,
    bonus: score - documented,
    base,
    expertise,
    confidence,
    successRate: known?.successRate ?? 0,
    recentSuccessRate: known?.recentSuccessRate ?? 0,
    n,
    running,
    capacity,
    load,
    lastAssignedAtMs: candidate.lastAssignedAtMs ?? null,
  };
}

/** 0.3·base + 0.5·min(1, μ + √(0.05·ln(1+N)/n)) + 0.2, with n = S+F+2 and μ = (S+1)/n. */
function exploreScore(base: number, known: { decayedSuccesses: number; decayedFailures: number } | undefined, decayed: number): number {
  const successes = known?.decayedSuccesses ?? 0;
  const n = successes + (known?.decayedFailures ?? 0) + 2;
  const mean = (successes + 1) / n;
  const optimistic = Math.min(1, mean + Math.sqrt((explorationFactor * Math.log(1 + decayed)) / n));
  return baseWeight * base + expertiseWeight * optimistic + confidenceWeight;
}

/**
 * Highest key first. Keys within 1e-9 of the best of their group are equal: then recent rate, load, fewer runs, least recently
 * assigned, id. Groups, because "within 1e-9" alone is not transitive and would make the order depend on the input's.
 */
function sortByScore(
  scores: readonly Omit<AgentScore, 'rank'>[],
  key: (score: Omit<AgentScore, 'rank'>) => number,
): Omit<AgentScore, 'rank'>[] {
  const byKey = [...scores].sort((a, b) => key(b) - key(a));
  const sorted: Omit<AgentScore, 'rank'>[] = [];
  for (let start = 0; start < byKey.length;) {
    const best = byKey[start];
    if (best === undefined) break;
    let end = start;
    while (end < byKey.length && key(best) - key(byKey[end] ?? best) < tieWidth) end += 1;
    sorted.push(...byKey.slice(start, end).sort(compareTied));
    start = end;
  }
  return sorted;
}

function compareTied(a: Omit<AgentScore, 'rank'>, b: Omit<AgentScore, 'rank'>): number {
  return (
    b.recentSuccessRate - a.recentSuccessRate ||
    a.load - b.load ||
    a.n - b.n ||
    (a.lastAssignedAtMs ?? -Infinity) - (b.lastAssignedAtMs ?? -Infinity) ||
    (a.agentId < b.agentId ? -1 : a.agentId > b.agentId ? 1 : 0)
  );
}

function expertiseIn(profile: LearningProfile, taskType: string) {
  return Object.hasOwn(profile.expertise, taskType) ? profile.expertise[taskType] : undefined;
}
