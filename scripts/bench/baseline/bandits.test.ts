import type { ExecutionData } from '../../../core/learning/expertise';
import { createSeeded } from '../selection/seeded';
import { type BanditContext, discountedUcb, discountFor, drawBeta, thompson, ucb1 } from './bandits';
import type { Contender, SelectionPolicy, StartPolicy } from './selection-policy';

const team: Contender[] = ['a', 'b', 'c'].map((agentId) => ({ agentId, running: 0, capacity: 1 }));

/** `a+` = a success of a. */
function learn(policy: SelectionPolicy, taskType: string, marks: string): void {
  for (const mark of marks.split(' ')) {
    const outcome: ExecutionData['outcome'] = mark[1] === '+' ? 'success' : 'failure';
    policy.learn({ agentId: mark[0] ?? '', taskType, outcome, finishedAtMs: 0 });
  }
}

const undiscounted = (context: BanditContext): StartPolicy => discountedUcb(context, 1);

test.each<[string, StartPolicy, string, string]>([
  ['UCB1 tries everybody first', ucb1('byTaskType'), 'a+ b+', 'c'],
  // n = 4, √(2·ln 4) = 1.665: a 2/2 + 1.177 = 2.177, b and c 0 + 1.665
  ['UCB1 keeps to who is good', ucb1('byTaskType'), 'a+ a+ b- c-', 'a'],
  // n = 12, √(2·ln 12) = 2.229: a 6/10 + 0.705 = 1.305, b 0 + 2.229
  ['UCB1 goes back to who was tried once', ucb1('byTaskType'), 'a+ a+ a+ a+ a+ a+ a- a- a- a- b- c-', 'b'],
  // The same, with 2·√(0.6·ln 4) = 1.824: a 1 + 1.290, b 0 + 1.824
  ['discounted UCB without a discount', undiscounted('byTaskType'), 'a+ a+ b- c-', 'a'],
  // γ = 0.5: a 0.125 + 0.0625 = 0.1875 plays, all good, b 0.5, c 1; n = 1.6875, √(0.6·ln 1.6875) = 0.560: a 1 + 2.588, b 1.585, c 1 + 1.121
  ['discounted UCB forgets the plays of long ago', discountedUcb('byTaskType', 0.5), 'a+ a+ b- c+', 'a'],
])('%s', (_, start, marks, expected) => {
  const policy = start(createSeeded(1));
  learn(policy, 'Testing', marks);
  expect(policy.choose('Testing', team, 0)).toBe(expected);
});

test.each([
  ['UCB1', ucb1],
  ['Thompson', thompson],
  ['discounted UCB', undiscounted],
])('%s by task type knows nothing of another one, pooled it does, and nobody busy is chosen', (_, create) => {
  const chosenIn = (context: BanditContext, contenders: Contender[]): Set<string> => {
    const policy = create(context)(createSeeded(2));
    learn(policy, 'Testing', [...Array(300)].map(() => 'a- b- c+').join(' '));
    return new Set(Array.from({ length: 50 }, () => policy.choose('Other', contenders, 0)));
  };
  expect(chosenIn('pooled', team)).toEqual(new Set(['c']));
  expect(chosenIn('byTaskType', team).has('a')).toBe(true);
  expect(chosenIn('pooled', [...team.slice(0, 2), { agentId: 'c', running: 1, capacity: 1 }]).has('c')).toBe(false);
});

test('the discount of one change in 500 plays', () => {
  expect(discountFor(500)).toBeCloseTo(0.98882, 5);
});

test.each([
  [1, 1],
  [8, 2],
  [3, 30],
])('Beta(%d, %d) has its mean and its variance', (a, b) => {
  const draw = createSeeded(3);
  const values = Array.from({ length: 20_000 }, () => drawBeta(a, b, draw));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(a / (a + b), 2);
  expect(variance / ((a * b) / ((a + b) ** 2 * (a + b + 1)))).toBeCloseTo(1, 1);
});
