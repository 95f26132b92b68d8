import { defineQuery, defineSignal, setHandler } from '@temporalio/workflow';
import type { BaselineInput, WorkStep } from './contract';
import { chainStep, layerDependencies, layerStep } from './graphs';
import type { LayersShape } from './graphs';
import { byLongestPath } from './list-schedule';
import type { SlottedSteps, TimedStep } from './list-schedule';
import { openStepRunner } from './step-runner';

/**
 * The workflows a team would write by hand for the steps of each scenario: the baseline of every ratio. Plain Temporal
 * TypeScript: a promise per step that waits for the promises it needs, nothing that a workflow file could say.
 */
export { featureAuthMfa } from './feature-auth-mfa';

const doneQuery = defineQuery<number>('done');
/** Every workflow of a team can be asked and told something: the handlers cost both sides the same. */
const cancelSignal = defineSignal<[{ reason: string }]>('stop');

export async function chain(input: BaselineInput & { length: number }): Promise<number> {
  const progress = trackProgress();
  const runner = await openStepRunner(input);
  for (let index = 0; index < input.length; index++) {
    await runner.perform({ id: chainStep(index), role: 'developer' });
    progress.done++;
  }
  await runner.close();
  return progress.done;
}

export async function fan(input: BaselineInput & { width: number }): Promise<number> {
  const progress = trackProgress();
  const runner = await openStepRunner(input);
  await Promise.all(
    Array.from({ length: input.width }, async (_, index) => {
      await runner.perform({ id: chainStep(index), role: 'developer' });
      progress.done++;
    }),
  );
  await runner.close();
  return progress.done;
}

export async function layers(input: BaselineInput & LayersShape): Promise<number> {
  const progress = trackProgress();
  const runner = await openStepRunner(input);
  const finished = new Map<string, Promise<void>>();
  const start = async (step: WorkStep, dependencies: string[]): Promise<void> => {
    await Promise.all(dependencies.map((id) => finished.get(id) ?? Promise.resolve()));
    await runner.perform(step);
    progress.done++;
  };
  for (let layer = 0; layer < input.layers; layer++) {
    for (let place = 0; place < input.width; place++) {
      const step = { id: layerStep(layer, place), role: 'developer' };
      finished.set(step.id, start(step, layerDependencies(input, layer, place)));
    }
  }
  await Promise.all(finished.values());
  await runner.close();
  return progress.done;
}

/** Whenever a slot is free, the ready step with the longest remaining path starts. */
export async function slotted(input: BaselineInput & SlottedSteps): Promise<number> {
  const progress = trackProgress();
  const runner = await openStepRunner(input);
  const waiting = byLongestPath(input.steps);
  const ended = new Set<string>();
  const running = new Set<Promise<void>>();
  const start = async ({ id, durationMs }: TimedStep): Promise<void> => {
    await runner.perform({ id, role: 'developer', durationMs });
    ended.add(id);
    progress.done++;
  };
  while (progress.done < input.steps.length) {
    for (let next = 0; running.size < input.slots && next >= 0;) {
      next = waiting.findIndex(({ needs }) => needs.every((id) => ended.has(id)));
      for (const step of next < 0 ? [] : waiting.splice(next, 1)) {
        const work = start(step).finally(() => running.delete(work));
        running.add(work);
      }
    }
    await Promise.race(running);
  }
  await runner.close();
  return progress.done;
}

function trackProgress(): { done: number } {
  const progress = { done: 0 };
  setHandler(doneQuery, () => progress.done);
  setHandler(cancelSignal, () => undefined);
  return progress;
}
