import type { AgentSpec } from '../../core/contract/agents';
import type { AgentFacts } from '../../core/learning/assign-task';
import { dayMs, type ExecutionData } from '../../core/learning/expertise';
import { createLearningProfile, updateProfileWithLearning } from '../../core/learning/profile';
import { rankTeam } from '../../core/learning/rank-team';
import { renderAgentState } from './agent-state';
import { renderLearningProfile } from './learning-profile';
import { renderRanking } from './ranking';
import { renderSparkline } from './sparkline';
import { plainOptions } from './style';

const nowMs = Date.UTC(2026, 0, 31, 12);

/** Successes and failures of each day, the last one today. */
function history(agentId: string, days: [successes: number, failures: number][]): ExecutionData[] {
  return days.flatMap(([successes, failures], n) =>
    Array.from({ length: successes + failures }, (_, k): ExecutionData => ({
      agentId,
      taskType: 'Testing',
      outcome: k < successes ? 'success' : 'failure',
      finishedAtMs: nowMs - (days.length - 1 - n) * dayMs,
      durationMs: 90_000,
      costUsd: 0.25,
    })),
  );
}

function agent(id: string, overrides: Partial<AgentSpec> = {}): AgentSpec {
  return { id, role: 'tester', skills: [], capacity: 2, cost: {}, executor: { kind: 'simulate' }, ...overrides };
}

function facts(id: string, days: [number, number][], running = 0): [string, AgentFacts] {
  return [id, { running, profile: updateProfileWithLearning(createLearningProfile(id), history(id, days), nowMs) }];
}

test('a sparkline in blocks and in ASCII; a day without work is a gap, and what is out of range stays in', () => {
  const values = [0, 0.5, null, 1, 2, -1];
  expect(renderSparkline(values, { ...plainOptions, unicode: true })).toBe('▁▅·██▁');
  expect(renderSparkline(values, plainOptions)).toBe('_= ##_');
});

test('a profile', () => {
  const profile = updateProfileWithLearning(
    createLearningProfile('ci'),
    history('ci', [
      [1, 3],
      [0, 0],
      [2, 2],
      [4, 0],
    ]),
    nowMs,
  );
  expect(`\n${renderLearningProfile(profile, plainOptions)}\n`).toBe(`
ci: 7 of its newest 12 executions succeeded

Testing
  succeeded   7 of 12 (58%), recently 62%
  confidence  0.60 (full from 20 executions on)
  on average  1min 30s, $0.25
  trend       +23.2 points a day
  by day      - =#  2026-01-28 - 2026-01-31, 25% -> 100%
`);
  const narrow = renderLearningProfile(profile, { ...plainOptions, unicode: true, width: 40 });
  expect(narrow.split('\n').every((line) => line.length <= 40)).toBe(true);
  expect(renderLearningProfile(createLearningProfile('new'), plainOptions)).toBe('new: no history yet');
});

const team = [agent('good'), agent('poor'), agent('busy', { capacity: 1 }), agent('ana', { executor: { kind: 'human' } })];
const known = new Map([facts('good', [[8, 2]]), facts('poor', [[2, 8]]), facts('busy', [[10, 0]], 1)]);

test('a ranking, and its explanation', () => {
  const question = { taskType: 'Testing', role: 'tester', policy: 'exploit' as const, recency: false };
  const machines = team.map((one) =>
    one.executor.kind === 'human' ? one : { ...one, executor: { kind: 'command' as const, argv: ['x'] } },
  );
  const ranking = rankTeam(question, machines, known, nowMs);
  expect(`\n${renderRanking(ranking, { ...question, isExplained: false }, plainOptions)}\n`).toBe(`
RANK  AGENT  SCORE  BASE   EXPERTISE  CONFIDENCE  BONUS  SUCCESS  RECENTLY  N   LOAD
1     busy   0.737  0.458  1.000      0.500       0.000  100%     100%      10  1/1
2     good   0.725  0.750  0.800      0.500       0.000  80%      80%       10  0/2
3     poor   0.275  0.250  0.200      0.500       0.000  20%      20%       10  0/2

A Testing task would go to good (exploit): good scores 0.725 of 3 candidates: 80 % recent success in 10 Testing runs, load 0/2.
`);
  const explained = renderRanking(ranking, { ...question, isExplained: true }, plainOptions);
  expect(explained).toContain(`
2. good  0.725
   = 0.3 x 0.750 base + 0.5 x 0.800 expertise + 0.2 x 0.500 confidence
   80% of 10 succeeded, recently 80%; load 0/2
   would get it
3. poor  0.275
   = 0.3 x 0.250 base + 0.5 x 0.200 expertise + 0.2 x 0.500 confidence
   20% of 10 succeeded, recently 20%; load 0/2
   scores 0.450 less, most of it by expertise

No candidates:
  ana is a person, and there are machines for it
`);
  expect(explained).toContain('   is busy (1/1)');
});

test('all are busy', () => {
  const question = { taskType: 'Testing', policy: 'explore' as const, recency: true };
  const ranking = rankTeam(question, [agent('busy', { capacity: 1 })], known, nowMs);
  expect(ranking.explanation).toBeUndefined();
  expect(renderRanking(ranking, { ...question, isExplained: false }, plainOptions)).toContain('Nobody would get a Testing task now');
});

test('an agent of the registry, without what could move the cursor', () => {
  const spec = agent('ci\u001b[2J', { skills: ['go'], cost: { usdPerHour: 4 }, executor: { kind: 'command', argv: ['make', 'test'] } });
  const state = { agent: { ...spec, registeredAt: new Date(nowMs), retiredAt: null }, running: 1, overall: { n: 4, successes: 3 } };
  const text = renderAgentState(state, plainOptions);
  expect(text).toContain(`agent       ci
role        tester
skills      go
load        1 of 2 steps at once
history     3 of the newest 4 succeeded
cost        $4 an hour
executor    command
  argv      ["make","test"]
registered  2026-01-31`);
  expect(text).not.toContain('retired');
});
