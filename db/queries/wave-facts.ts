import type { AgentSpec } from '../../core/contract/agents';
import type { AgentResult } from '../../core/contract/agent-document';
import type { AssignmentRequest, EffectRef, RecordedSuccess, RunRef } from '../../core/contract/local-activities';
import type { AgentFacts } from '../../core/learning/assign-task';
import { findEligible } from '../../core/learning/eligibility';
import { addTaskTypeExpertise, createLearningProfile } from '../../core/learning/profile';
import type { Database } from '../connect';
import { jsonText } from '../json-text';
import { expertiseOfRow, type ExpertiseRow, expertiseSql, overallSql } from './expertise';
import { reopensSql } from './reopening';
import { isoOf, Statement } from './statement';

/** What a wave has to know before it chooses. */
export interface WaveFacts {
  /** Choices of an earlier call, by effect key. */
  earlier: Map<string, EarlierChoice>;
  agents: Map<string, AgentFacts>;
  /** Numbers of the slots that are held now. */
  takenSlots: Map<string, Set<number>>;
}

export interface EarlierChoice {
  /** Of its row in `executions`. */
  id: number;
  agentId: string;
  why: string | null;
  /** Its work ended without success before the run was reset: it is to be done again. */
  reopens: boolean;
  /** Its work had succeeded before the run was reset. */
  done?: RecordedSuccess;
}

export interface WaveQuestion {
  run: RunRef;
  requests: readonly AssignmentRequest[];
  agents: readonly AgentSpec[];
  atMs: number;
}

interface EarlierSuccess {
  result: AgentResult | null;
  startedAtMs: number;
  endedAtMs: number;
}

interface FactsRow {
  earlier: (EffectRef & { id: number; agent_id: string; why: string | null; reopens: boolean; done: EarlierSuccess | null })[] | null;
  agents:
    { id: string; capacity: number | null; retired: boolean; taken: number[]; n: number; successes: number; last: number | null }[] | null;
  expertise: ExpertiseRow[] | null;
}

/** Everything in one round trip: earlier choices, loads, records, and the history of each candidate for each task type. */
export async function readWaveFacts(db: Database, question: WaveQuestion): Promise<WaveFacts> {
  const { run, requests, agents, atMs } = question;
  const pairs = candidatePairs(requests, agents);
  const statement = new Statement();
  const root = statement.value(run.rootRunId, 'text');
  const runId = statement.value(run.runId, 'text');
  const keys = requests.map(({ path, generation, slot, assignment, mode }) => ({ path, generation, slot, assignment, mode }));
  const keysValue = statement.value(jsonText(keys), 'jsonb');
  const ids = statement.value([...new Set(pairs.map(([id]) => id))], 'text[]');
  const at = statement.value(isoOf(atMs), 'timestamptz');
  const pairAgents = statement.value(
    pairs.map(([id]) => id),
    'text[]',
  );
  const pairTypes = statement.value(
    pairs.map(([, taskType]) => taskType),
    'text[]',
  );
  const [row] = await statement.run<FactsRow>(
    db,
    'wave-facts',
    `select
       (select jsonb_agg(e) from jsonb_to_recordset(${keysValue}) as k(path text, generation int, slot int, assignment int, mode text)
        cross join lateral (
          select id, path, generation, slot, assignment, mode, agent_id, explanation->>'why' as why,
            ${reopensSql({ row: 'executions', root, runId, owner: 'run_id' })} as reopens,
            case when ${runId} <> ${root} and outcome = 'success' then jsonb_build_object('result', result,
              'startedAtMs', extract(epoch from coalesce(started_at, assigned_at)) * 1000, 'endedAtMs', extract(epoch from finished_at) * 1000) end as done
          from executions where root_run_id = ${root} and path = k.path and generation = k.generation and slot = k.slot and assignment = k.assignment and mode = k.mode
        ) e) as earlier,
       (select jsonb_agg(jsonb_build_object('id', c.id, 'capacity', a.capacity, 'retired', a.retired_at is not null, 'taken', l.taken,
          'n', o.n, 'successes', o.successes, 'last', extract(epoch from s.assigned_at) * 1000))
        from unnest(${ids}) as c(id)
        left join agents a on a.id = c.id
        cross join lateral (select coalesce(jsonb_agg(slot_no), '[]') as taken from agent_leases where agent_id = c.id and expires_at > now()) l
        cross join lateral (${overallSql('c.id', at)}) o
        left join lateral (select assigned_at from executions where agent_id = c.id order by assigned_at desc limit 1) s on true) as agents,
       (select jsonb_agg(x) from unnest(${pairAgents}, ${pairTypes}) as p(agent_id, task_type)
        cross join lateral (${expertiseSql('p.agent_id', 'p.task_type', at)}) x where x.n > 0) as expertise`,
  );
  return factsOf(row);
}

/** Each agent that could do a request, with the request's task type; each pair once. */
function candidatePairs(
  requests: readonly AssignmentRequest[],
  agents: readonly AgentSpec[],
): (readonly [agentId: string, taskType: string])[] {
  const pairs = new Map<string, readonly [string, string]>();
  const seen = new Set<string>();
  for (const request of requests) {
    const demand = jsonText([request.role, request.skills, request.agentId, request.exclude, request.taskType]);
    if (seen.has(demand)) continue;
    seen.add(demand);
    for (const { id } of findEligible(agents, request).eligible) pairs.set(`${id}\n${request.taskType}`, [id, request.taskType]);
  }
  return [...pairs.values()];
}

function factsOf(row: FactsRow | undefined): WaveFacts {
  const facts: WaveFacts = { earlier: new Map(), agents: new Map(), takenSlots: new Map() };
  for (const choice of row?.earlier ?? []) {
    const { path, generation, slot, assignment, mode } = choice;
    facts.earlier.set([mode, generation, slot, assignment, path].join(' '), {
      id: choice.id,
      agentId: choice.agent_id,
      why: choice.why,
      reopens: choice.reopens,
      ...(choice.done && { done: { ...choice.done, result: choice.done.result ?? { status: 'success' } } }),
    });
  }
  for (const agent of row?.agents ?? []) {
    facts.takenSlots.set(agent.id, new Set(agent.taken));
    facts.agents.set(agent.id, {
      running: agent.taken.length,
      retired: agent.retired,
      lastAssignedAtMs: agent.last,
      profile: { ...createLearningProfile(agent.id), overall: { n: agent.n, successes: agent.successes } },
      ...(agent.capacity !== null && { capacity: agent.capacity }),
    });
  }
  for (const expertise of row?.expertise ?? []) {
    const known = facts.agents.get(expertise.agent_id);
    if (known?.profile === undefined) continue;
    known.profile = addTaskTypeExpertise(known.profile, expertiseOfRow(expertise));
  }
  return facts;
}
