import { executorFactsOf, type AgentSpec } from '../core/contract/agents';
import type { AssignmentReply, AssignmentRequest } from '../core/contract/local-activities';
import { findEligible } from '../core/learning/eligibility';
import { findExtraAgents } from '../core/learning/extra-agents';
import type { Recorder } from './recorder';

/** Dry runs and benchmarks of the engine alone: agents in turn, no history, no capacity, no Postgres, no event in the history. */
export function createUnrecordedRecorder(agents: AgentSpec[]): Recorder {
  const turns = new Map<string, number>();

  function choose(request: AssignmentRequest): AssignmentReply {
    const { path, generation, slot, assignment, mode } = request;
    const effect = { path, generation, slot, assignment, mode };
    const { eligible: able } = findEligible(agents, request);
    const turn = turns.get(request.role) ?? 0;
    turns.set(request.role, turn + 1);
    const agent = able[turn % Math.max(1, able.length)];
    if (!agent) return { ...effect, kind: 'nobody', reason: `no agent of role ${request.role} can do it` };
    const { id, role, skills, executor, compensate } = agent;
    return {
      ...effect,
      kind: 'assigned',
      why: 'in turn: this run is not recorded',
      agent: {
        id,
        role,
        skills,
        ...executorFactsOf(executor),
        ...(compensate !== undefined && { compensate }),
      },
    };
  }

  return {
    state: { refused: 0 },
    assign: (_changes, requests) => requests.map(choose),
    record: () => undefined,
    addAgents(role, count) {
      const { added, problem } = findExtraAgents(agents, { role, count, registered: [] });
      agents.push(...added);
      return { agentSet: '', added: added.map(({ id }) => id), ...(problem !== undefined && { problem }) };
    },
  };
}
