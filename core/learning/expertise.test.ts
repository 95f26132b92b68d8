import fc from 'fast-check';
import { computeExpertise, dayMs, type ExecutionData, recencyWeight } from './expertise';

const nowMs = Date.UTC(2026, 0, 31);

/** `+3` = success 3 days ago, `-10` = failure 10 days ago. */
function rows(...marks: string[]): ExecutionData[] {
  return marks.map((mark) => ({
    agentId: 'a',
    taskType: 'Testing',
    outcome: mark.startsWith('+') ? 'success' : 'failure',
    finishedAtMs: nowMs - Number(mark.slice(1)) * dayMs,
  }));
}

describe('recency weight, 3× within a week, half-life of 7 days', () => {
  test.each([
    [0, 3],
    [7, 1.5],
    [7.0001, 2 ** (-7.0001 / 7)],
    [14, 0.25],
    [21, 0.125],
  ])('age %d days: %d', (age, weight) => {
    expect(recencyWeight(age)).toBeCloseTo(weight, 12);
  });
});

describe('expertise, worked by hand', () => {
  test.each<[string, string[], Partial<ReturnType<typeof computeExpertise>>]>([
    [
      'nothing',
      [],
      { n: 0, successRate: 0, recentSuccessRate: 0, confidence: 0, effectiveN: 0, averageDurationMs: null, lastFinishedAtMs: null },
    ],
    ['one success', ['+0'], { n: 1, successes: 1, successRate: 1, recentSuccessRate: 1, confidence: 0.05, effectiveN: 1 }],
    // Weights 3, 1.5, 0.25, 0.125: 3.25 of 4.875.
    [
      'a month',
      ['+0', '-7', '+14', '-21'],
      { n: 4, successRate: 0.5, recentSuccessRate: 2 / 3, confidence: 0.2, effectiveN: 1.625, decayedSuccesses: 1.5 },
    ],
    // 2^(-7/14) + 2^(-21/14)
    ['a month, failures', ['+0', '-7', '+14', '-21'], { decayedFailures: 1.0606601717798212 }],
    [
      'the week turns the rate',
      ['-1', '-1', '+8', '+8', '+8'],
      { successRate: 0.6, recentSuccessRate: (3 * 2 ** (-8 / 7)) / (6 * 2 ** (-1 / 7) + 3 * 2 ** (-8 / 7)) },
    ],
    ['full confidence', Array<string>(20).fill('+1'), { confidence: 1 }],
    ['very old rows do not underflow', ['+20000', '-20007'], { recentSuccessRate: 2 / 3, effectiveN: 0 }],
    ['the future counts as now, and says so', ['+-2', '-0'], { recentSuccessRate: 0.5, clockSkew: true }],
  ])('%s', (_name, marks, expected) => {
    const actual = computeExpertise('Testing', rows(...marks), nowMs) as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(expected)) {
      if (typeof value === 'number') expect([key, actual[key]]).toEqual([key, expect.closeTo(value, 12)]);
      else expect([key, actual[key]]).toEqual([key, value]);
    }
  });

  test('only success and failure count, only the newest 100', () => {
    const others: ExecutionData[] = rows('+0').flatMap((row) => [
      { ...row, outcome: 'cancelled' },
      { ...row, outcome: 'unknown' },
    ]);
    const old = Array.from({ length: 50 }, (_, n) => `-${50 + n}`);
    const recent = Array.from({ length: 100 }, (_, n) => `+${n / 100}`);
    expect(computeExpertise('Testing', [...rows(...old, ...recent), ...others], nowMs)).toMatchObject({
      n: 100,
      successes: 100,
      successRate: 1,
    });
  });

  test('averages leave out what is not known', () => {
    const [a, b, c] = rows('+0', '+0', '+0') as [ExecutionData, ExecutionData, ExecutionData];
    const known = [{ ...a, durationMs: 10, costUsd: 1 }, { ...b, durationMs: 30, costUsd: null }, c];
    expect(computeExpertise('Testing', known, nowMs)).toMatchObject({ averageDurationMs: 20, averageCostUsd: 1 });
  });
});

describe('laws', () => {
  const history = fc.array(
    fc.record<ExecutionData>({
      agentId: fc.constant('a'),
      taskType: fc.constant('Testing'),
      outcome: fc.constantFrom('success', 'failure', 'cancelled', 'unknown'),
      finishedAtMs: fc.oneof(fc.integer({ min: nowMs - 400 * dayMs, max: nowMs + dayMs }), fc.constantFrom(0, nowMs, nowMs - 7 * dayMs)),
      durationMs: fc.option(fc.nat()),
      costUsd: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    }),
    { maxLength: 150 },
  );

  test('all numbers are finite, rates and confidence within 0..1', () => {
    fc.assert(
      fc.property(history, (executions) => {
        const expertise = computeExpertise('Testing', executions, nowMs);
        for (const value of Object.values(expertise)) if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
        for (const rate of [expertise.successRate, expertise.recentSuccessRate, expertise.confidence]) {
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('the order of the rows does not matter', () => {
    fc.assert(
      fc.property(
        history.chain((executions) => fc.tuple(fc.constant(executions), fc.shuffledSubarray(executions, { minLength: executions.length }))),
        ([executions, shuffled]) => {
          expect(computeExpertise('Testing', shuffled, nowMs)).toEqual(computeExpertise('Testing', executions, nowMs));
        },
      ),
    );
  });

  test('a failure that had been a success never lowers a rate', () => {
    fc.assert(
      fc.property(history, fc.nat(), (executions, pick) => {
        const failures = executions.filter(({ outcome }) => outcome === 'failure');
        const changed = failures[pick % Math.max(1, failures.length)];
        if (changed === undefined) return;
        const before = computeExpertise('Testing', executions, nowMs);
        // Times apart, so that the newest 100 are the same rows before and after.
        if (new Set(executions.map(({ finishedAtMs }) => finishedAtMs)).size < executions.length) return;
        const after = computeExpertise(
          'Testing',
          executions.map((row) => (row === changed ? { ...row, outcome: 'success' as const } : row)),
          nowMs,
        );
        expect(after.successRate).toBeGreaterThanOrEqual(before.successRate);
        expect(after.recentSuccessRate).toBeGreaterThanOrEqual(before.recentSuccessRate - 1e-12);
        expect(after.decayedSuccesses).toBeGreaterThanOrEqual(before.decayedSuccesses);
      }),
    );
  });
});
