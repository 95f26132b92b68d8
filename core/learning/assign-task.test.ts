import type { AgentSpec } from '../contract/agents';
import { type AgentFacts, assignTask, type TaskDemand } from './assign-task';
import type { ExecutionData } from './expertise';
import { createLearningProfile, updateProfileWithLearning } from './profile';

const nowMs = Date.UTC(2026, 0, 31);

function agent(id: string, overrides: Partial<AgentSpec> = {}): AgentSpec {
  return { id, role: 'developer', skills: [], capacity: 1, cost: {}, executor: { kind: 'simulate' }, ...overrides };
}

function demand(overrides: Partial<TaskDemand> = {}): TaskDemand {
  return { role: 'developer', skills: [], exclude: [], taskType: 'Testing', quality: 'High', policy: 'exploit', ...overrides };
}

function knows(agentId: string, successes: number, failures = 0): AgentFacts {
  const rows = Array.from({ length: successes + failures }, (_, n): ExecutionData => ({
    agentId,
    taskType: 'Testing',
    outcome: n < successes ? 'success' : 'failure',
    finishedAtMs: nowMs,
  }));
  return { running: 0, profile: updateProfileWithLearning(createLearningProfile(agentId), rows, nowMs) };
}

function assign(task: TaskDemand, agents: AgentSpec[], facts: Record<string, AgentFacts> = {}) {
  return assignTask(task, agents, new Map(Object.entries(facts)), nowMs);
}

describe('who can do it', () => {
  const team = [
    agent('front', { skills: ['frontend', 'react'] }),
    agent('full', { skills: ['front', 'end', 'backend'] }),
    agent('any', { role: '*', skills: ['backend'] }),
    agent('lead', { role: 'developer-lead' }),
    agent('ana', { role: 'developer', executor: { kind: 'human' } }),
  ];
  test.each<[string, Partial<TaskDemand>, string[]]>([
    ['the role, and any role', {}, ['any', 'front', 'full']],
    ['all skills', { skills: ['backend'] }, ['any', 'full']],
    ['not the excluded', { exclude: ['any', 'full'] }, ['front']],
    ['the role itself before its prefix', { role: 'developer-lead' }, ['any', 'lead']],
    ['a prefix with the rest as skill', { role: 'developer-frontend' }, ['any', 'front']],
    ['a prefix with the rest as skills', { role: 'developer-front-end' }, ['any', 'full']],
    ['the one of that id, where no agent has the role', { role: 'lead', skills: ['cooking'] }, ['lead']],
    ['the named one alone, whatever its role and skills', { agentId: 'lead', skills: ['cooking'] }, ['lead']],
  ])('%s', (_name, overrides, expected) => {
    const choice = assign(demand(overrides), team);
    if (choice.kind !== 'assigned') throw new Error(choice.reason);
    expect(choice.explanation.candidates.map(({ agentId }) => agentId).sort()).toEqual(expected);
  });

  test.each<[string, Partial<TaskDemand>, AgentSpec[], Record<string, AgentFacts>, RegExp]>([
    ['the role', { role: 'tester' }, [agent('a')], {}, /none of this run's 1 agents has the role tester/],
    ['a name', { agentId: 'zed' }, [agent('a')], {}, /agent zed is not among this run's 1 agents/],
    ['a skill', { skills: ['rust', 'go'] }, [agent('a', { skills: ['go'] })], {}, /a lacks the skill rust/],
    ['anybody new', { exclude: ['a'] }, [agent('a')], {}, /a has tried it already/],
    ['a machine', { machinesOnly: true }, [agent('ana', { executor: { kind: 'human' } })], {}, /ana is a person/],
    ['who is still here', {}, [agent('a')], { a: { running: 0, retired: true } }, /a is retired/],
  ])('nobody for lack of %s', (_name, overrides, agents, facts, reason) => {
    expect(assign(demand(overrides), agents, facts)).toEqual({ kind: 'nobody', reason: expect.stringMatching(reason) });
  });
});

describe('who does it', () => {
  test('busy ones wait, and the sentence says how busy', () => {
    expect(assign(demand(), [agent('a'), agent('b', { capacity: 2 })], { a: { running: 1 }, b: { running: 3, capacity: 3 } })).toEqual({
      kind: 'busy',
      reason: 'all 2 agents for role developer are busy: a 1/1, b 3/3',
    });
  });

  test('the best one is passed over while it is busy', () => {
    const choice = assign(demand(), [agent('best'), agent('other')], {
      best: { ...knows('best', 20), running: 1 },
      other: knows('other', 0, 20),
    });
    expect(choice).toMatchObject({
      kind: 'assigned',
      agent: { id: 'other' },
      explanation: { candidates: [{ agentId: 'best', lost: 'is busy (1/1)' }, { agentId: 'other' }] },
    });
  });

  test('critical work goes to those with confidence 0.5, where one is free', () => {
    const agents = [agent('star'), agent('steady')];
    const facts = { star: knows('star', 9), steady: knows('steady', 7, 3) };
    expect(assign(demand(), agents, facts)).toMatchObject({ agent: { id: 'star' } });
    expect(assign(demand({ quality: 'Critical' }), agents, facts)).toMatchObject({
      agent: { id: 'steady' },
      explanation: { candidates: [{ agentId: 'star', lost: 'has too little experience for critical work' }, { agentId: 'steady' }] },
    });
    expect(assign(demand({ quality: 'Critical' }), agents, { ...facts, steady: { ...facts.steady, running: 1 } })).toMatchObject({
      agent: { id: 'star' },
    });
  });

  test('an explanation of a hundred candidates stays short and keeps the chosen one', () => {
    const agents = Array.from({ length: 100 }, (_, n) => agent(`a${n}`));
    const facts = Object.fromEntries(agents.slice(0, 99).map(({ id }, n) => [id, { ...knows(id, 10 + n), running: 1 }]));
    const choice = assign(demand(), agents, facts);
    expect(choice).toMatchObject({ kind: 'assigned', agent: { id: 'a99' }, explanation: { more: 88 } });
    if (choice.kind === 'assigned') expect(choice.explanation.candidates.at(-1)).toMatchObject({ agentId: 'a99', rank: 100 });
  });
});

describe('people', () => {
  const ana = agent('ana', { executor: { kind: 'human' } });
  const bo = agent('bo', { executor: { kind: 'human' } });
  const sim = agent('sim', { executor: { kind: 'simulate' } });
  const real = agent('real', { executor: { kind: 'command', argv: ['x'] } });

  test.each<[string, Partial<TaskDemand>, AgentSpec[], string[]]>([
    ['do what no machine can', {}, [ana, bo, agent('t', { role: 'tester' })], ['ana', 'bo']],
    ['are not asked while a machine can', {}, [ana, real], ['real']],
    ['nor while a simulated one can', {}, [ana, sim], ['sim']],
    ['unless they are named', { agentId: 'ana' }, [ana, real], ['ana']],
    ['take over what all machines have tried, and no simulated one does', { exclude: ['real'] }, [ana, sim, real], ['ana']],
    ['and from each other', { exclude: ['ana'] }, [ana, bo], ['bo']],
  ])('%s', (_name, overrides, agents, expected) => {
    const choice = assign(demand(overrides), agents);
    if (choice.kind !== 'assigned') throw new Error(choice.reason);
    expect(choice.explanation.candidates.map(({ agentId }) => agentId).sort()).toEqual(expected);
  });

  test('that people are busy is said', () => {
    expect(assign(demand(), [ana, bo], { ana: { running: 1 }, bo: { running: 1 } })).toEqual({
      kind: 'busy',
      reason: 'all 2 agents for role developer are busy: ana 1/1, bo 1/1',
      people: true,
    });
  });

  test('a busy machine is waited for, and the explanation says why nobody was asked', () => {
    expect(assign(demand(), [ana, real], { real: { running: 1 } }).kind).toBe('busy');
    const choice = assign(demand(), [ana, real]);
    expect(choice.kind === 'assigned' && choice.explanation.rejected).toEqual([
      { agentId: 'ana', reason: 'is a person, and there are machines for it' },
    ]);
  });
});
