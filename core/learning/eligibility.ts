import type { AgentSpec } from '../contract/agents';

/** What a piece of work asks of an agent. */
export interface WorkDemand {
  role: string;
  /** All of them. */
  skills: readonly string[];
  /** Only this agent may do it, whatever its role. */
  agentId?: string;
  exclude: readonly string[];
  machinesOnly?: boolean;
}

export interface Eligibility {
  eligible: AgentSpec[];
  /** Why each agent that came near cannot do it. */
  rejected: { agentId: string; reason: string }[];
}

/**
 * Which agents may do it: those of the role and those of any role (`*`); where no agent has the role, those of a hyphen prefix of
 * it that have the rest as skills (`developer-frontend` → `developer` with skill `frontend`); or the agent of that id: `agent: ana`. All skills are needed. A simulated agent
 * does only what no real machine could: it never stands in for one that is busy or has failed. People do what no machine can, or what all
 * of them have tried: nobody is bothered with what a machine is there for, unless the step names the person.
 */
export function findEligible(agents: readonly AgentSpec[], asked: WorkDemand): Eligibility {
  const rejected: Eligibility['rejected'] = [];
  const able: AgentSpec[] = [];
  const roleExists = agents.some((agent) => agent.role === asked.role);
  const isName = asked.agentId === undefined && !roleExists && agents.some(({ id }) => id === asked.role);
  const demand = isName ? { ...asked, agentId: asked.role } : asked;
  for (const agent of agents) {
    if (demand.agentId !== undefined ? agent.id !== demand.agentId : !hasRole(agent, demand.role, roleExists)) continue;
    const reason = reasonAgainst(agent, demand);
    if (reason === undefined) able.push(agent);
    else rejected.push({ agentId: agent.id, reason });
  }
  if (demand.agentId !== undefined) return { eligible: able, rejected };
  const hasReal = agents.some(
    (agent) => isReal(agent) && hasRole(agent, demand.role, roleExists) && reasonAgainst(agent, { ...demand, exclude: [] }) === undefined,
  );
  const machines = able.filter((agent) => !isPerson(agent) && (isReal(agent) || !hasReal));
  const eligible = machines.length > 0 ? machines : able.filter(isPerson);
  for (const agent of able) {
    if (eligible.includes(agent)) continue;
    const reason = isPerson(agent) ? 'is a person, and there are machines for it' : 'is simulated, and there are real agents for it';
    rejected.push({ agentId: agent.id, reason });
  }
  return { eligible, rejected };
}

/** Somebody who is asked, instead of a program that is called. */
export function isPerson({ executor }: AgentSpec): boolean {
  return executor.kind === 'human';
}

function isReal(agent: AgentSpec): boolean {
  return agent.executor.kind !== 'simulate' && !isPerson(agent);
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
  if (demand.machinesOnly === true && isPerson(agent)) return 'is a person, and a monitor takes its samples without one';
  if (demand.exclude.includes(agent.id)) return 'has tried it already';
  // A named agent is the author's choice: role and skills are not asked of it.
  if (demand.agentId !== undefined) return undefined;
  const missing = demand.skills.filter((skill) => !agent.skills.includes(skill));
  return missing.length === 0 ? undefined : `lacks ${missing.length === 1 ? 'the skill' : 'the skills'} ${missing.join(', ')}`;
}
