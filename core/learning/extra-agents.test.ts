import type { AgentSpec } from '../contract/agents';
import { findExtraAgents } from './extra-agents';

function agent(id: string, role: string, kind: 'simulate' | 'command' | 'human' = 'command'): AgentSpec {
  const executor = kind === 'command' ? { kind, argv: ['x'] } : { kind };
  return { id, role, skills: [], capacity: 2, cost: {}, executor };
}

const dev = agent('dev-1', 'developer');

test.each<[string, AgentSpec[], AgentSpec[], number, string[]]>([
  ['registered ones first, then copies', [dev], [dev, agent('dev-9', 'developer')], 3, ['dev-9', 'dev-1.2', 'dev-1.3']],
  ['copies of each in turn', [dev, agent('dev-2', 'developer')], [], 3, ['dev-1.2', 'dev-2.2', 'dev-1.3']],
  ['an id that is taken is passed over', [dev, agent('dev-1.2', 'tester')], [], 1, ['dev-1.3']],
  ['nobody of another role', [dev], [agent('t', 'tester')], 1, ['dev-1.2']],
  ['who can do anything', [agent('any', '*')], [], 1, ['any.2']],
  [
    'no simulated one beside a real one',
    [dev, agent('sim', 'developer', 'simulate')],
    [agent('sim-2', 'developer', 'simulate')],
    2,
    ['dev-1.2', 'dev-1.3'],
  ],
  ['only registered ones, where the run has none', [agent('t', 'tester')], [dev], 2, ['dev-1', 'dev-1.2']],
])('%s', (_, agents, registered, count, ids) => {
  const { added, problem } = findExtraAgents(agents, { role: 'developer', count, registered });
  expect(added.map(({ id }) => id)).toEqual(ids);
  expect(problem).toBeUndefined();
});

test('a copy is its original under another id', () => {
  expect(findExtraAgents([dev], { role: 'developer', count: 1, registered: [] }).added).toEqual([{ ...dev, id: 'dev-1.2' }]);
});

test('people are not copied', () => {
  expect(findExtraAgents([agent('eva', 'developer', 'human')], { role: 'developer', count: 1, registered: [] })).toEqual({
    added: [],
    problem: 'there is no agent for developer, in the run or registered, that could be added',
  });
});
