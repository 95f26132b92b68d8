import fc from 'fast-check';
import { EngineDriver, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan } from '../../test/support/plan-builder';
import { drive, findDifference, planCase, planOf } from '../../test/support/random-plan';
import { randomScript } from '../../test/support/random-script';
import { runEngine } from '../../test/support/scripted-engine';
import type { Plan } from '../plan/types';
import type { EngineEvent } from './types';
import { isSettled } from './transitions';

/** What must hold of every run, from what was launched and ended. */
function checkLaws(plan: Plan, driver: EngineDriver): void {
  expect(driver.finished?.reason ?? '').not.toMatch(/internal error/);
  expect(driver.maxRunning).toBeLessThanOrEqual(plan.maxConcurrentSteps);
  const stepOf = new Map(plan.steps.map((step) => [step.id, step]));
  const running = new Map<string, number>();
  const happened = [
    ...driver.launches.filter(({ launch }) => launch.effect.mode === 'do').map((one) => ({ ...one, isLaunch: true })),
    ...driver.ends.filter(({ id }) => !id.endsWith('!undo')).map((one) => ({ ...one, isLaunch: false })),
  ].sort((a, b) => a.atMs - b.atMs || Number(a.isLaunch) - Number(b.isLaunch));
  for (const { step, isLaunch } of happened) {
    running.set(step, (running.get(step) ?? 0) + (isLaunch ? 1 : -1));
    if (!isLaunch) continue;
    // What it depends on has run and ended, or was skipped.
    for (const { step: before } of stepOf.get(step)!.dependsOn) {
      expect(running.get(before) ?? (driver.stateOf(before) === 'skipped' ? 0 : 'it has not run')).toBe(0);
    }
  }
  for (const [id, { state }] of Object.entries(driver.state.steps)) {
    expect(isSettled(state)).toBe(true);
    if (state !== 'passed') continue;
    for (const { step: before } of stepOf.get(id)!.dependsOn) expect(['passed', 'skipped']).toContain(driver.stateOf(before));
  }
  // Compensations in reverse order of completion, one at a time.
  const undone = driver.launches.filter(({ launch }) => launch.effect.mode === 'undo');
  const endOrder = new Map(driver.ends.map(({ id }, index) => [id, index]));
  const sequence = undone.map(({ id }) => driver.ends.find((end) => end.id === id.replace('!undo', ''))!.atMs);
  expect(sequence).toEqual([...sequence].sort((a, b) => b - a));
  undone.forEach(({ id, atMs }, index) => {
    const next = undone[index + 1];
    if (next !== undefined) expect(next.atMs).toBeGreaterThanOrEqual(driver.ends[endOrder.get(id)!]!.atMs);
    expect(atMs).toBeGreaterThan(0);
  });
}

test('random plans end, respect dependencies and limits, and undo in reverse order', () => {
  fc.assert(
    fc.property(planCase, (one) => {
      const plan = planOf(one);
      checkLaws(plan, drive(plan, one));
    }),
    { numRuns: 300 },
  );
});

function createShuffle(seed: number): NonNullable<DriverOptions['shuffle']> {
  let state = seed >>> 0;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  return (events) =>
    events
      .map((event) => ({ event, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ event }) => event);
}

test('the order in which simultaneous completions are listed changes nothing', () => {
  fc.assert(
    fc.property(planCase, fc.integer(), (one, seed) => {
      const plan = planOf(one);
      expect(findDifference(drive(plan, one, { shuffle: createShuffle(seed) }), drive(plan, one))).toBe('');
    }),
    { numRuns: 100 },
  );
});

/** Of what happens at one moment, all but what people ask for: that is taken as it came. */
function shuffleCompletions(seed: number): NonNullable<DriverOptions['shuffle']> {
  const shuffle = createShuffle(seed);
  return (events) => {
    const isAsked = (event: unknown): boolean => /^(voted|.*Requested)$/.test((event as EngineEvent).type);
    const asked = events.filter(isAsked);
    return shuffle(events).map((event) => (isAsked(event) ? asked.shift()! : event));
  };
}

test('nor does it with deployments, levels of escalation and busy agents', () => {
  fc.assert(
    fc.property(randomScript, fc.integer(), (script, seed) => {
      const shuffled = runEngine(script, { shuffle: shuffleCompletions(seed) }).driver;
      expect(findDifference(shuffled, runEngine(script).driver)).toBe('');
    }),
    { numRuns: 100 },
  );
});

test('with those too, a state that goes through JSON continues the same', () => {
  fc.assert(
    fc.property(randomScript, (script) => {
      expect(findDifference(runEngine(script, { restoreAlways: true }).driver, runEngine(script).driver)).toBe('');
    }),
    { numRuns: 100 },
  );
});

test('a state that goes through JSON between any two turns continues the same', () => {
  fc.assert(
    fc.property(planCase, (one) => {
      const plan = planOf(one);
      expect(findDifference(drive(plan, one, { restoreAlways: true }), drive(plan, one))).toBe('');
    }),
    { numRuns: 100 },
  );
});

test('the laws catch a run that breaks them', () => {
  const undo = { compensate: { action: 'undo' } };
  const steps = { a: undo, b: { after: ['a'], ...undo }, c: {}, d: { after: ['b'] } };
  const driver = new EngineDriver(buildPlan({ steps }), {
    behave: ({ step, effect }) => (step === 'd' && effect.mode === 'do' ? { failure: { kind: 'failed' } } : {}),
  }).run();
  expect(() => checkLaws(buildPlan({ steps }), driver)).not.toThrow();
  const afterC = buildPlan({ steps: { ...steps, a: { ...undo, after: ['c'] } } });
  expect(() => checkLaws(afterC, driver)).toThrow();
  expect(() => checkLaws(buildPlan({ steps, maxConcurrentSteps: 1 }), driver)).toThrow();
  driver.launches.push(...driver.launches.splice(-2).reverse());
  expect(() => checkLaws(buildPlan({ steps }), driver)).toThrow();
});
