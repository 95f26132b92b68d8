import { sampleMs, type SampleKind } from './run-script';
import { beginEnding, fail } from './reference-steps';
import { isSettled, stepOf, type Effect, type Step, type World } from './reference-world';

/** The monitors of the reference model: samples by the clock, alerts, and what an alert undoes. */

/** The next sample of each monitor for which it is time; the end of those that have taken all of theirs. */
export function goOnMonitoring(world: World): void {
  for (const step of world.steps) {
    if (step.nextSampleMs === undefined || step.nextSampleMs > world.nowMs) continue;
    delete step.nextSampleMs;
    const taken = samplesOf(world, step);
    if (taken.length < sampleCount(step)) takeSample(world, step);
    else if (taken.every(({ end }) => end === 'failed')) fail(world, step);
    else {
      step.slots[0]!.state = 'succeeded';
      step.hasNews = true;
    }
  }
}

export function takeSample(world: World, step: Step): void {
  const { id, role } = step.plan;
  const { generation } = step;
  const index = samplesOf(world, step).length;
  const kind = kindOf(world, step, index);
  world.effects.push({
    ...{ step: id, path: `${id}/sample-${index}`, generation, slot: 1, assignment: 1, mode: 'do', agent: `${role}-1` },
    ...{ launchedAtMs: world.nowMs, endsAtMs: world.nowMs + sampleMs, end: kind === 'failed' ? 'failed' : 'success' },
    ...{ report: {}, hasEnded: false, isStopping: false, isSample: true },
  });
}

/** After a sample: an alert that holds for so many in a row is raised, and may end the step or the run. */
export function judgeSample(world: World, { step: id, generation }: Effect): void {
  const step = stepOf(world, id);
  if (world.ending !== undefined || step.state !== 'running' || step.generation !== generation) return;
  const { intervalMs, durationMs, forSamples, onAlert } = step.plan.monitor!;
  const taken = samplesOf(world, step);
  const [first] = taken;
  // A sample that failed says nothing: it neither counts nor interrupts.
  const kinds = taken.map((_, index) => kindOf(world, step, index)).filter((kind) => kind !== 'failed');
  const held = kinds.length - 1 - kinds.lastIndexOf('calm');
  const isRaised = taken.at(-1)!.end === 'success' && kinds.at(-1) === 'alarming' && held === forSamples;
  if (isRaised && onAlert === 'fail') return fail(world, step);
  if (isRaised && onAlert === 'rollback') {
    step.state = 'failed';
    return beginEnding(world, { kind: 'fail', rollback: 'steps', steps: findWatched(world, [step]) });
  }
  step.nextSampleMs = first!.launchedAtMs + (taken.length < sampleCount(step) ? taken.length * intervalMs : durationMs);
}

function samplesOf(world: World, step: Step): Effect[] {
  return world.effects.filter((effect) => effect.isSample && effect.step === step.plan.id && effect.generation === step.generation);
}

function sampleCount({ plan }: Step): number {
  return Math.ceil(plan.monitor!.durationMs / plan.monitor!.intervalMs);
}

function kindOf(world: World, step: Step, index: number): SampleKind {
  return world.script.work[step.plan.id]!.samples[index] ?? 'calm';
}

/** The deployments nearest before it. */
function findWatched(world: World, from: readonly Step[]): string[] {
  const before = from.flatMap((step) => step.plan.dependsOn.map((dependency) => stepOf(world, dependency.step)));
  const deployments = before.filter((step) => step.plan.deploys).map((step) => step.plan.id);
  return deployments.length > 0 || before.length === 0 ? deployments : findWatched(world, before);
}

export function isBetweenSamples(step: Step): boolean {
  return !isSettled(step) && step.nextSampleMs !== undefined;
}
