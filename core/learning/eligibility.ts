import type { AgentSpec } from '../contract/agents';

/** What a piece of work asks of an agent. */
export interface WorkDemand {
  role: string;
  /** All of them. */
  skills: readonly string[];
  /** Only this agent may do it, whatever its role. */
  agentId?: string;
  exclude: readonly string[];
}

export interface Eligibility {
  eligible: AgentSpec[];
  /** Why each agent that came near cannot do it. */
  rejected: { agentId: string; reason: string }[];
}

/**
 * Which agents may do it: those of the role and those of any role (`*`); where no agent has the role, those of a hyphen prefix of
 * it that have the rest as skills (`developer-frontend` → `developer` with skill `frontend`). All skills are needed. People are
 * never assigned: their work is waited for. A simulated agent does only what no real one could: it never stands in for one that
 * is busy or has failed.
 */
export function findEligible(agents: readonly AgentSpec[], demand: WorkDemand): Eligibility {
  const rejected: Eligibility['rejected'] = [];
  const eligible: AgentSpec[] = [];
  const roleExists = agents.some((agent) => agent.role === demand.role);
  for (const agent of agents) {
    if (demand.agentId !== undefined ? agent.id !== demand.agentId : !hasRole(agent, demand.role, roleExists)) continue;
    const reason = reasonAgainst(agent, demand);
    if (reason === undefined) eligible.push(agent);
    else rejected.push({ agentId: agent.id, reason });
  }
  const real = (agent: AgentSpec): boolean => agent.executor.kind !== 'simulate' && agent.executor.kind !== 'human';
  const hasReal = agents.some(
    (agent) => real(agent) && hasRole(agent, demand.role, roleExists) && reasonAgainst(agent, { ...demand, exclude: [] }) === undefined,
  );
  if (!hasReal || demand.agentId !== undefined) return { eligible, rejected };
  for (const agent of eligible)
    if (!real(agent)) rejected.push({ agentId: agent.id, reason: 'is simulated, and there are real agents for it' });
  return { eligible: eligible.filter(real), rejected };
}

function hasRole(agent: AgentSpec, role: string, roleExists: boolean): boolean {
  if (agent.role === '*' || agent.role === role) return true;
  return !roleExists && role.startsWith(`${agent.role}-`) && skillsCover(agent.skills, role.slice(agent.role.length + 1));
}

/** `a-b` is covered by the skill `a-b`, or by `a` and `b`. */
function skillsCover(skills: readonly string[], rest: string): boolean {
  return skills.includes(rest) || rest.split('-').every((skill) => skills.includes(skill));
}

function reasonAgainst(agent: AgentSpec, demand: WorkDemand): string | undefined {
  if (agent.executor.kind === 'human') return 'is a person';
  if (demand.exclude.includes(agent.id)) return 'has tried it already';
  // A named agent is the author's choice: role and skills are not asked of it.
  if (demand.agentId !== undefined) return undefined;
  const missing = demand.skills.filter((skill) => !agent.skills.includes(skill));
  return missing.length === 0 ? undefined : `lacks ${missing.length === 1 ? 'the skill' : 'the skills'} ${missing.join(', ')}`;
}
