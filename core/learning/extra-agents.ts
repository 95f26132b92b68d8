import type { AgentSpec } from '../contract/agents';
import { findEligible, isPerson } from './eligibility';

export interface ExtraAgents {
  added: AgentSpec[];
  /** Why there are fewer than asked for, or none. */
  problem?: string;
}

/**
 * Whom a run gets that needs `count` more for a role: those of `registered` that could do its work and are not among the run's
 * agents, then copies of those that are (`developer-1.2`), one after the other. A copy is reached as its original is, has its
 * capacity, and a history of its own. Pure: the same question has the same answer.
 */
export function findExtraAgents(
  agents: readonly AgentSpec[],
  { role, count, registered }: { role: string; count: number; registered: readonly AgentSpec[] },
): ExtraAgents {
  const taken = new Set(agents.map(({ id }) => id));
  const spare = registered.filter(({ id }) => !taken.has(id));
  const able = findEligible([...agents, ...spare], { role, skills: [], exclude: [] }).eligible;
  const added = able.filter(({ id }) => !taken.has(id)).slice(0, count);
  const originals = able.filter(({ id }) => taken.has(id));
  // There is one of each person.
  const templates = (originals.length > 0 ? originals : added).filter((agent) => !isPerson(agent));
  if (templates.length === 0 && added.length < count) {
    const nobody = `there is no ${added.length === 0 ? '' : 'other '}agent for ${role}, in the run or registered, that could be added`;
    return { added, problem: nobody };
  }
  for (const { id } of [...added, ...spare]) taken.add(id);
  for (let turn = 0; added.length < count; turn += 1) {
    const template = templates[turn % templates.length] as AgentSpec;
    const copy = { ...template, id: nextFreeId(template.id, taken) };
    taken.add(copy.id);
    added.push(copy);
  }
  return { added };
}

function nextFreeId(id: string, taken: ReadonlySet<string>): string {
  for (let n = 2; ; n += 1) if (!taken.has(`${id}.${n}`)) return `${id}.${n}`;
}
