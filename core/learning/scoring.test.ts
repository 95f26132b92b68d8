import fc from 'fast-check';
import { dayMs, type ExecutionData } from './expertise';
import { addTaskTypeExpertise, createLearningProfile, type LearningProfile, updateProfileWithLearning } from './profile';
import { type Candidate, rankAgents, rankAgentsWithRecency, rankCandidates, selectBest } from './scoring';

const nowMs = Date.UTC(2026, 0, 31);

interface Record_ {
  successes: number;
  failures: number;
  /** Of all of them. */
  ageDays?: number;
  /** Record in other task types. */
  other?: { successes: number; failures: number };
}

function executions(
  agentId: string,
  { successes, failures, ageDays = 0, other = { successes: 0, failures: 0 } }: Record_,
): ExecutionData[] {
  const make = (count: number, outcome: 'success' | 'failure', taskType: string) =>
    Array.from({ length: count }, (): ExecutionData => ({ agentId, taskType, outcome, finishedAtMs: nowMs - ageDays * dayMs }));
  return [
    ...make(successes, 'success', 'Testing'),
    ...make(failures, 'failure', 'Testing'),
    ...make(other.successes, 'success', 'Other'),
    ...make(other.failures, 'failure', 'Other'),
  ];
}

function profileOf(agentId: string, record: Record_): LearningProfile {
  return updateProfileWithLearning(createLearningProfile(agentId), executions(agentId, record), nowMs);
}

function candidate(agentId: string, record: Record_ | null, overrides: Partial<Candidate> = {}): Candidate {
  const profile = record === null ? createLearningProfile(agentId) : profileOf(agentId, record);
  return { agentId, running: 0, capacity: 2, profile, ...overrides };
}

describe('the documented score, worked by hand', () => {
  // 0.3·base + 0.5·expertise + 0.2·confidence, base = (s + 1)/(n + 2)/(1 + load)
  test.each<[string, Candidate, Partial<ReturnType<typeof rankAgents>[number]>]>([
    ['10 runs, 8 good, idle', candidate('a', { successes: 8, failures: 2 }), { base: 0.75, expertise: 0.8, confidence: 0.5, score: 0.725 }],
    ['the same, half loaded', candidate('a', { successes: 8, failures: 2 }, { running: 1 }), { load: 0.5, base: 0.5, score: 0.65 }],
    [
      'other task types count in the base alone',
      candidate('a', { successes: 1, failures: 0, other: { successes: 0, failures: 7 } }),
      { base: 0.2, expertise: 1, confidence: 0.05, score: 0.57 },
    ],
    ['20 runs at p = 0.5: 0.8 p + 0.2', candidate('a', { successes: 10, failures: 10 }), { base: 0.5, score: 0.6 }],
  ])('%s', (_name, one, expected) => {
    const [actual] = rankAgents([one], 'Testing');
    for (const [key, value] of Object.entries(expected))
      expect([key, (actual as unknown as Record<string, unknown>)[key]]).toEqual([key, expect.closeTo(value as number, 12)]);
  });

  test('an untried agent among known ones has expertise 0.5 and confidence 0: at most 0.40', () => {
    const ranked = rankAgents([candidate('known', { successes: 1, failures: 19 }), candidate('new', null)], 'Testing');
    expect(ranked.find(({ agentId }) => agentId === 'new')).toMatchObject({ expertise: 0.5, confidence: 0, score: 0.4 });
  });

  test('with recency the recent rate is the expertise', () => {
    const rows = [...executions('a', { successes: 1, failures: 0 }), ...executions('a', { successes: 0, failures: 1, ageDays: 7 })];
    const one: Candidate = {
      agentId: 'a',
      running: 0,
      capacity: 1,
      profile: updateProfileWithLearning(createLearningProfile('a'), rows, nowMs),
    };
    expect(rankAgents([one], 'Testing')[0]?.expertise).toBe(0.5);
    expect(rankAgentsWithRecency([one], 'Testing')[0]?.expertise).toBeCloseTo(2 / 3, 12);
  });
});

test('explore, worked by hand: N = 10, the known one 0.84998, the untried one 0.72242', () => {
  const ranked = rankCandidates([candidate('new', null), candidate('known', { successes: 8, failures: 2 })], 'Testing', {
    policy: 'explore',
    recency: true,
  });
  expect(ranked.map(({ agentId, score, documented, bonus }) => [agentId, score, documented, bonus])).toEqual([
    ['known', expect.closeTo(0.849978, 6), expect.closeTo(0.725, 12), expect.closeTo(0.124978, 6)],
    ['new', expect.closeTo(0.722421, 6), expect.closeTo(0.4, 12), expect.closeTo(0.322421, 6)],
  ]);
});

describe('who is first', () => {
  test.each<[string, Candidate[], string]>([
    [
      'nobody is known: the least loaded',
      [candidate('a', null, { running: 1 }), candidate('b', null, { running: 1, capacity: 9 }), candidate('c', null, { running: 1 })],
      'b',
    ],
    [
      'nobody is known: a good name elsewhere does not outweigh the load',
      [candidate('a', { successes: 0, failures: 0, other: { successes: 50, failures: 0 } }, { running: 1 }), candidate('b', null)],
      'b',
    ],
    [
      'a tie: fewer runs',
      [candidate('a', null), candidate('b', null)].map((one, n) => ({
        ...one,
        profile: addTaskTypeExpertise(one.profile, {
          ...profileOf('x', { successes: 0, failures: 1 }).expertise['Testing']!,
          n: 5 - n,
          successRate: 0,
          recentSuccessRate: 0,
          confidence: 0,
        }),
      })),
      'b',
    ],
    ['a tie: least recently assigned', [candidate('a', null, { lastAssignedAtMs: 5 }), candidate('b', null, { lastAssignedAtMs: 4 })], 'b'],
    ['a tie: never assigned before', [candidate('a', null, { lastAssignedAtMs: 0 }), candidate('b', null)], 'b'],
    ['a tie in all: the id', [candidate('b', null), candidate('a', null)], 'a'],
  ])('%s', (_name, candidates, first) => {
    expect(rankCandidates(candidates, 'Testing', { policy: 'exploit', recency: false })[0]?.agentId).toBe(first);
    expect(rankCandidates([...candidates].reverse(), 'Testing', { policy: 'exploit', recency: false })[0]?.agentId).toBe(first);
  });

  test('the formula alone locks newcomers out, explore does not', () => {
    const candidates = [candidate('mediocre', { successes: 11, failures: 9 }), candidate('new', null)];
    expect(selectBest(candidates, 'Testing')?.agentId).toBe('mediocre');
    expect(selectBest(candidates, 'Testing', { policy: 'explore' })?.agentId).toBe('new');
  });

  test('nobody', () => {
    expect(selectBest([], 'Testing')).toBeUndefined();
  });

  test('a task type that is called like a property of every object is unknown', () => {
    expect(rankAgents([candidate('a', null)], 'toString')[0]).toMatchObject({ n: 0, expertise: 0.5 });
  });
});

describe('laws', () => {
  const someone = fc.record({
    successes: fc.nat({ max: 25 }),
    failures: fc.nat({ max: 25 }),
    ageDays: fc.constantFrom(0, 1, 8, 89),
    other: fc.record({ successes: fc.nat({ max: 20 }), failures: fc.nat({ max: 20 }) }),
    running: fc.nat({ max: 5 }),
    capacity: fc.integer({ min: 1, max: 5 }),
    lastAssignedAtMs: fc.option(fc.nat()),
  });
  const team = fc
    .array(someone, { minLength: 1, maxLength: 6 })
    .map((records) =>
      records.map(({ running, capacity, lastAssignedAtMs, ...record }, n) =>
        candidate(`agent-${n}`, record, { running, capacity, lastAssignedAtMs }),
      ),
    );
  const options = fc.record({ policy: fc.constantFrom('exploit' as const, 'explore' as const), recency: fc.boolean() });

  test('no score is NaN or infinite, and documented + bonus = score', () => {
    fc.assert(
      fc.property(team, options, (candidates, chosen) => {
        for (const score of rankCandidates(candidates, 'Testing', chosen)) {
          for (const value of Object.values(score)) if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
          expect(score.documented + score.bonus).toBeCloseTo(score.score, 12);
          expect(score.score).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  test('the order of the candidates does not matter', () => {
    fc.assert(
      fc.property(
        team.chain((candidates) => fc.tuple(fc.constant(candidates), fc.shuffledSubarray(candidates, { minLength: candidates.length }))),
        options,
        ([candidates, shuffled], chosen) => {
          expect(rankCandidates(shuffled, 'Testing', chosen)).toEqual(rankCandidates(candidates, 'Testing', chosen));
        },
      ),
    );
  });

  test('one failure that had been a success never lowers the rank', () => {
    fc.assert(
      fc.property(fc.array(someone, { minLength: 2, maxLength: 5 }), options, (records, chosen) => {
        const [first] = records;
        // More than 100 rows would push others out of the window.
        if (
          first === undefined ||
          first.failures === 0 ||
          first.successes + first.failures + first.other.successes + first.other.failures > 100
        )
          return;
        const rankOf = (record: Record_) =>
          rankCandidates(
            records.map((other, n) =>
              candidate(`agent-${n}`, n === 0 ? record : other, { running: other.running, capacity: other.capacity }),
            ),
            'Testing',
            chosen,
          ).find(({ agentId }) => agentId === 'agent-0')?.rank;
        expect(rankOf({ ...first, successes: first.successes + 1, failures: first.failures - 1 })).toBeLessThanOrEqual(rankOf(first) ?? 0);
      }),
    );
  });
});
