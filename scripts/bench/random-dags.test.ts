import { compileWorkflow } from '../../core/dsl/compile';
import { listScheduleMs } from './baseline/list-schedule';
import { randomDag, slottedScenario } from './random-dags';

const numbers = Array.from({ length: 20 }, (_, number) => number);

test('the same number gives the same steps, another number others', () => {
  expect(randomDag(1)).toEqual(randomDag(1));
  expect(randomDag(1)).not.toEqual(randomDag(2));
});

test.each(numbers)('the steps of number %d are as many and as long as said, and can all run', (number) => {
  const steps = randomDag(number);
  expect(steps.length).toBeGreaterThanOrEqual(30);
  expect(steps.length).toBeLessThanOrEqual(60);
  for (const { durationMs } of steps) expect(durationMs >= 500 && durationMs <= 3_000).toBe(true);
  const inOne = listScheduleMs({ steps, slots: 1 });
  const [inFour, inTen] = [4, 10].map((slots) => listScheduleMs({ steps, slots }));
  expect(inOne).toBe(steps.reduce((sum, { durationMs }) => sum + durationMs, 0));
  expect(inFour).toBeGreaterThanOrEqual(inOne / 4);
  expect(inTen).toBeLessThanOrEqual(inFour ?? 0);
});

test('the file says the same steps, with their durations as estimates', () => {
  const steps = randomDag(3);
  const { plan } = compileWorkflow(slottedScenario('dag', { steps, slots: 4 }).source);
  expect(plan?.maxConcurrentSteps).toBe(4);
  const compiled = plan?.steps.map(({ id, dependsOn, estimateMs }) => ({ id, needs: dependsOn.map((need) => need.step), estimateMs }));
  const sorted = (ids: string[]): string[] => ids.toSorted();
  expect(compiled?.map((each) => ({ ...each, needs: sorted(each.needs) }))).toEqual(
    expect.arrayContaining(steps.map(({ id, needs, durationMs }) => ({ id, needs: sorted(needs), estimateMs: durationMs }))),
  );
});
