import { computeLearningCurve } from './curve';
import { computeExpertise, dayMs, type ExecutionData } from './expertise';
import { addTaskTypeExpertise, createLearningProfile, updateProfileWithLearning } from './profile';

const nowMs = Date.UTC(2026, 0, 31, 12);

function row(day: number, outcome: ExecutionData['outcome'], overrides: Partial<ExecutionData> = {}): ExecutionData {
  return { agentId: 'a', taskType: 'Testing', outcome, finishedAtMs: Date.UTC(2026, 0, day, 23, 59), ...overrides };
}

describe('learning curve', () => {
  test('UTC days, empty ones too, with the rate so far', () => {
    const curve = computeLearningCurve([
      row(10, 'failure', { durationMs: 30 }),
      row(10, 'success', { durationMs: 10 }),
      row(12, 'success'),
      row(12, 'cancelled'),
      row(12, 'success', { finishedAtMs: Date.UTC(2026, 0, 13) - 1 }),
    ]);
    expect(curve.days).toEqual([
      { day: '2026-01-10', n: 2, successes: 1, rate: 0.5, meanDurationMs: 20, cumulativeRate: 0.5 },
      { day: '2026-01-11', n: 0, successes: 0, rate: null, meanDurationMs: null, cumulativeRate: 0.5 },
      { day: '2026-01-12', n: 2, successes: 2, rate: 1, meanDurationMs: null, cumulativeRate: 0.75 },
    ]);
    expect(curve.trendPerDay).toBeNull();
  });

  test.each<[string, [day: number, n: number, successes: number][], number | null]>([
    [
      'a steady rise',
      [
        [1, 4, 0],
        [2, 4, 1],
        [3, 4, 2],
        [4, 4, 3],
      ],
      0.25,
    ],
    // Days 0, 1, 3 with weights 2, 4, 4 and rates 0, 0.5, 1: mean x 1.6, mean y 0.6; Σw(x-x̄)(y-ȳ) = 4.4, Σw(x-x̄)² = 14.4.
    [
      'weighted by n',
      [
        [1, 2, 0],
        [2, 4, 2],
        [4, 4, 4],
      ],
      4.4 / 14.4,
    ],
    [
      'two days are too few',
      [
        [1, 10, 0],
        [2, 10, 5],
      ],
      null,
    ],
    [
      'nine executions are too few',
      [
        [1, 3, 0],
        [2, 3, 1],
        [3, 3, 2],
      ],
      null,
    ],
    [
      'no change',
      [
        [1, 5, 5],
        [2, 5, 5],
        [3, 5, 5],
      ],
      0,
    ],
  ])('trend: %s', (_name, days, trend) => {
    const rows = days.flatMap(([day, n, successes]) =>
      Array.from({ length: n }, (_, k) => row(day, k < successes ? 'success' : 'failure')),
    );
    const { trendPerDay } = computeLearningCurve(rows);
    if (trend === null) expect(trendPerDay).toBeNull();
    else expect(trendPerDay).toBeCloseTo(trend, 12);
  });

  test('a long pause does not make a long list', () => {
    const { days } = computeLearningCurve([row(1, 'failure', { finishedAtMs: 0 }), row(20, 'success')]);
    expect(days).toHaveLength(90);
    expect(days.at(-1)).toMatchObject({ day: '2026-01-20', rate: 1, cumulativeRate: 0.5 });
  });
});

describe('profile', () => {
  test('starts empty and never changes in place', () => {
    const empty = createLearningProfile('a');
    const expertise = computeExpertise('Testing', [row(1, 'success')], nowMs);
    const profile = addTaskTypeExpertise(empty, expertise);
    expect(empty.expertise).toEqual({});
    expect(profile.expertise).toEqual({ Testing: expertise });
  });

  test('learns all task types of its own executions', () => {
    const profile = updateProfileWithLearning(
      createLearningProfile('a'),
      [
        row(1, 'success'),
        row(2, 'failure'),
        row(3, 'success', { taskType: 'Planning' }),
        row(4, 'failure', { agentId: 'b' }),
        row(5, 'cancelled'),
      ],
      nowMs,
    );
    expect(profile.overall).toEqual({ n: 3, successes: 2 });
    expect(profile.expertise['Testing']).toMatchObject({ n: 2, successes: 1 });
    expect(profile.expertise['Planning']).toMatchObject({ n: 1, successes: 1 });
    expect(Object.keys(profile.curves).sort()).toEqual(['Planning', 'Testing']);
  });

  test('the overall record is of the newest 100, whatever the task type', () => {
    const old = Array.from({ length: 60 }, (_, n) => row(1, 'failure', { finishedAtMs: nowMs - (100 + n) * dayMs }));
    const recent = Array.from({ length: 80 }, (_, n) => row(1, 'success', { taskType: 'Planning', finishedAtMs: nowMs - n }));
    expect(updateProfileWithLearning(createLearningProfile('a'), [...old, ...recent], nowMs).overall).toEqual({ n: 100, successes: 80 });
  });
});
