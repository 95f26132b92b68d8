import { createDraw } from '../../activities/executors/deterministic-draw';
import type { SlottedSteps, TimedStep } from './baseline/list-schedule';
import type { Scenario } from './scenarios';

const sizes = { min: 30, max: 60 };
/** Real time: long against what an engine costs a step. */
const durationsMs = { min: 500, max: 3_000 };
const needsAtMost = 3;
/** A step needs only steps among so many before it: about as many can run at once. */
const reach = 15;

/** The same number gives the same steps. */
export function randomDag(number: number): TimedStep[] {
  const draw = createDraw('makespan', number);
  const between = (label: string, { min, max }: { min: number; max: number }): number => min + Math.floor(draw(label) * (max - min + 1));
  return Array.from({ length: between('steps', sizes) }, (_, place) => {
    const count = Math.min(place, between(`needs of ${place}`, { min: 0, max: needsAtMost }));
    const back = (need: number): number => between(`need ${need} of ${place}`, { min: 1, max: Math.min(place, reach) });
    const needs = Array.from({ length: count }, (__, need) => stepId(place - back(need)));
    return { id: stepId(place), needs: [...new Set(needs)], durationMs: between(`duration of ${place}`, durationsMs) };
  });
}

function stepId(place: number): string {
  return `step-${place}`;
}

/** The steps as a workflow file, whose estimates are the true durations: the engine's priority is then the rule of the other sides. */
export function slottedScenario(name: string, { steps, slots }: SlottedSteps): Scenario {
  const lines = steps.map(
    ({ id, needs, durationMs }) =>
      `  ${id}: {agent: developer, estimated_duration: ${durationMs}ms${needs.length > 0 ? `, dependencies: [${needs.join(', ')}]` : ''}}`,
  );
  return {
    name,
    title: `${steps.length} random steps in ${slots} slots`,
    definition: `bench-${name}`,
    source: `${[`Workflow: bench-${name}`, `allow_concurrent_agents: ${slots}`, 'Steps:', ...lines].join('\n')}\n`,
    timeScale: 1,
    runs: 1,
    repetitions: 1,
    baseline: { workflowType: 'slotted', input: { steps, slots } },
  };
}
