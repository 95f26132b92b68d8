import type { AgentSpec } from '../contract/agents';
import { findEligible, isPerson, type WorkDemand } from './eligibility';
import { type AssignmentExplanation, explainAssignment } from './explanation';
import { createLearningProfile, type LearningProfile } from './profile';
import { type AgentScore, type Candidate, rankCandidates } from './scoring';

/** What is known of an agent beyond its spec when a task is assigned. */
export interface AgentFacts {
  /** Steps it is doing now, over all runs. */
  running: number;
  /** The registry's present word, where it differs from the spec's. */
  capacity?: number;
  retired?: boolean;
  profile?: LearningProfile;
  lastAssignedAtMs?: number | null;
}

export interface TaskDemand extends WorkDemand {
  taskType: string;
  /** `Critical` prefers agents with confidence of at least 0.5. */
  quality: string;
  policy: 'exploit' | 'explore';
}

export type TaskAssignment =
  | { kind: 'assigned'; agent: AgentSpec; score: AgentScore; explanation: AssignmentExplanation }
  /** All who could are at their capacity. `people`: all of them are people. */
  | { kind: 'busy'; reason: string; people?: true }
  /** No agent can do it. */
  | { kind: 'nobody'; reason: string };

const criticalConfidence = 0.5;

/**
 * Chooses who does a task: eligible agents with a free slot, ranked by the policy. A pure function of its arguments; the facts
 * of an agent that is not in the map are "idle and unknown".
 */
export function assignTask(
  demand: TaskDemand,
  agents: readonly AgentSpec[],
  facts: ReadonlyMap<string, AgentFacts>,
  atMs: number,
): TaskAssignment {
  const { eligible, rejected } = findEligible(agents, demand);
  const present = eligible.filter((agent) => facts.get(agent.id)?.retired !== true);
  const retired = eligible.filter((agent) => facts.get(agent.id)?.retired === true);
  const allRejected = [...rejected, ...retired.map(({ id }) => ({ agentId: id, reason: 'is retired' }))];
  if (present.length === 0) return { kind: 'nobody', reason: nobodyReason(demand, agents.length, allRejected) };

  const candidates = present.map((agent) => candidateOf(agent, facts.get(agent.id)));
  const ranked = rankCandidates(candidates, demand.taskType, { policy: demand.policy, recency: true });
  const { free, passedOver } = passOverBusy(ranked);
  let choosable: readonly AgentScore[] = free;
  if (demand.quality === 'Critical') {
    const confident = free.filter(({ confidence }) => confidence >= criticalConfidence);
    if (confident.length > 0) {
      for (const { agentId } of free) {
        if (!confident.some((score) => score.agentId === agentId)) passedOver.set(agentId, 'has too little experience for critical work');
      }
      choosable = confident;
    }
  }
  const [chosen] = choosable;
  const agent = present.find(({ id }) => id === chosen?.agentId);
  if (chosen === undefined || agent === undefined) {
    return { kind: 'busy', reason: busyReason(demand, ranked), ...(present.every(isPerson) && { people: true as const }) };
  }
  const explanation = explainAssignment({
    policy: demand.policy,
    taskType: demand.taskType,
    atMs,
    chosen,
    ranked,
    passedOver,
    rejected: allRejected,
  });
  return { kind: 'assigned', agent, score: chosen, explanation };
}

/** Those who have a slot left, best first, and of the others why they cannot be given the task. */
export function passOverBusy(ranked: readonly AgentScore[]): { free: AgentScore[]; passedOver: Map<string, string> } {
  const isFree = ({ running, capacity }: AgentScore): boolean => running < capacity;
  const busy = ranked.filter((score) => !isFree(score));
  return {
    free: ranked.filter(isFree),
    passedOver: new Map(busy.map(({ agentId, running, capacity }) => [agentId, `is busy (${running}/${capacity})`])),
  };
}

/** An agent as it is ranked; without facts it is idle and unknown. */
export function candidateOf(agent: AgentSpec, facts: AgentFacts | undefined): Candidate {
  return {
    agentId: agent.id,
    running: facts?.running ?? 0,
    capacity: facts?.capacity ?? agent.capacity,
    profile: facts?.profile ?? createLearningProfile(agent.id),
    lastAssignedAtMs: facts?.lastAssignedAtMs ?? null,
  };
}

const namedInReasons = 5;

function nobodyReason(demand: TaskDemand, registered: number, rejected: readonly { agentId: string; reason: string }[]): string {
  const wanted = demand.agentId === undefined ? `role ${demand.role}${skillsText(demand.skills)}` : `agent ${demand.agentId}`;
  if (rejected.length === 0) {
    return demand.agentId === undefined
      ? `none of this run's ${registered} agents has the ${wanted}`
      : `${wanted} is not among this run's ${registered} agents`;
  }
  const details = rejected.slice(0, namedInReasons).map(({ agentId, reason }) => `${agentId} ${reason}`);
  const more = rejected.length > namedInReasons ? `, and ${rejected.length - namedInReasons} more` : '';
  return `no agent can do this (${wanted}): ${details.join(', ')}${more}`;
}

function busyReason(demand: TaskDemand, ranked: readonly AgentScore[]): string {
  const loads = ranked.slice(0, namedInReasons).map(({ agentId, running, capacity }) => `${agentId} ${running}/${capacity}`);
  const more = ranked.length > namedInReasons ? `, and ${ranked.length - namedInReasons} more` : '';
  const who = ranked.length === 1 ? 'the agent' : `all ${ranked.length} agents`;
  return `${who} for role ${demand.role}${skillsText(demand.skills)} ${ranked.length === 1 ? 'is' : 'are'} busy: ${loads.join(', ')}${more}`;
}

function skillsText(skills: readonly string[]): string {
  return skills.length === 0 ? '' : ` with ${skills.length === 1 ? 'the skill' : 'the skills'} ${skills.join(', ')}`;
}
