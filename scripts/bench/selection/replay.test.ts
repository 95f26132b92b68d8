import { dayMs, type ExecutionData } from '../../../core/learning/expertise';
import { createLearningProfile, updateProfileWithLearning } from '../../../core/learning/profile';
import { rankCandidates } from '../../../core/learning/scoring';
import type { Contender, SelectionPolicy } from '../baseline/selection-policy';
import { documented, History, loadOnly, random } from './policies';
import { replay, type ReplayTask, type World } from './replay';
import { createSeeded } from './seeded';

/** `good` is at 0.9 and succeeds, `bad` at 0.2 and fails. */
function task(atMs: number, overrides: Partial<ReplayTask> = {}): ReplayTask {
  const prospects = [
    { agentId: 'good', succeeds: true, rate: 0.9 },
    { agentId: 'bad', succeeds: false, rate: 0.2 },
  ];
  return { taskType: 'Testing', atMs, durationMs: 1, prospects, ...overrides };
}

function scripted(...choices: string[]): SelectionPolicy & { seen: [number, Contender[]][]; heard: ExecutionData[] } {
  const seen: [number, Contender[]][] = [];
  const heard: ExecutionData[] = [];
  return {
    seen,
    heard,
    choose: (_, contenders, atMs) => {
      seen.push([atMs, [...contenders]]);
      return choices.shift() ?? '';
    },
    learn: (outcome) => heard.push(outcome),
  };
}

const worldOf = (...tasks: ReplayTask[]): World => ({ tasks, capacity: 1 });

test('regret is what the chosen one is expected to do less, not its luck', () => {
  const result = replay(worldOf(task(0), task(10), task(20), task(30)), scripted('good', 'bad', 'good', 'bad'));
  expect(result).toEqual({ regret: expect.closeTo(1.4, 12), succeeded: 2, tasks: 4, largestShare: 0.5 });
});

test('an agent that is not there is not regretted', () => {
  const alone = task(0, { prospects: task(0).prospects.slice(1) });
  expect(replay(worldOf(alone), scripted('bad')).regret).toBe(0);
});

test('an outcome is heard of at its end, and a task for which nobody is free waits', () => {
  const policy = scripted('good', 'bad', 'bad');
  replay(worldOf(task(0, { durationMs: 100 }), task(5, { durationMs: 20 }), task(10)), policy);
  const at = (atMs: number, good: number, bad: number) => [
    atMs,
    [
      { agentId: 'good', running: good, capacity: 1 },
      { agentId: 'bad', running: bad, capacity: 1 },
    ],
  ];
  expect(policy.seen).toEqual([at(0, 0, 0), at(5, 1, 0), at(25, 1, 0)]);
  expect(policy.heard).toEqual([{ agentId: 'bad', taskType: 'Testing', outcome: 'failure', finishedAtMs: 25 }]);
});

test('a task that nobody can ever take is an error, not an endless loop', () => {
  expect(() => replay(worldOf(task(0, { prospects: [] })), scripted())).toThrow(RangeError);
  expect(() => replay({ tasks: [task(0)], capacity: 0 }, scripted())).toThrow(RangeError);
});

test('by load alone idle agents take turns, and the formulas of the product find who is good', () => {
  const world = worldOf(...Array.from({ length: 40 }, (_, n) => task(n * 10)));
  expect(replay(world, loadOnly(createSeeded(1))).succeeded).toBe(20);
  for (const policy of ['exploit', 'explore'] as const) expect(replay(world, documented(policy)(createSeeded(1))).regret).toBeLessThan(2.8);
  const first = replay(world, random(createSeeded(1)));
  expect(replay(world, random(createSeeded(1)))).toEqual(first);
  expect(first.succeeded).toBeGreaterThan(8);
});

test('the history kept for replays gives the scores of the whole one', () => {
  const draw = createSeeded(4);
  const nowMs = 200 * dayMs;
  // 400 over 200 days: more than the newest 100, and older than what Postgres is asked for.
  const rows = Array.from({ length: 400 }, (_, n): ExecutionData => {
    const taskType = draw() < 0.7 ? 'Testing' : 'Other';
    return { agentId: 'a', taskType, outcome: draw() < 0.6 ? 'success' : 'failure', finishedAtMs: (n * dayMs) / 2 };
  });
  const history = new History('a');
  for (const row of rows) history.add(row);
  const whole = updateProfileWithLearning(
    createLearningProfile('a'),
    rows.filter(({ finishedAtMs }) => finishedAtMs > nowMs - 90 * dayMs),
    nowMs,
  );
  for (const taskType of ['Testing', 'Other', 'Unheard']) {
    const scoreOf = (profile: typeof whole) =>
      rankCandidates([{ agentId: 'a', running: 0, capacity: 1, profile }], taskType, { policy: 'explore', recency: true });
    expect(scoreOf(history.profileFor(taskType, nowMs))).toEqual(scoreOf(whole));
  }
});
