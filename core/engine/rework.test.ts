import { EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';

/** `review` asks for changes in its first generation, after two seconds; all else takes one. */
const behave: DriverOptions['behave'] = ({ step, effect }) =>
  step === 'review' && effect.generation === 1 ? { durationMs: 2_000, result: { verdict: 'changes_requested' } } : {};
const driverOf = (plan: PlanDraft): EngineDriver => new EngineDriver(buildPlan(plan), { behave });
const launchesOf = (driver: EngineDriver): string[] => driver.launches.map(({ id, atMs }) => `${(atMs - startMs) / 1_000} ${id}`);

test('a manual start belongs to one generation', () => {
  const driver = driverOf({ steps: { dev: {}, merge: { after: ['dev'], automatic: false }, review: { after: ['dev'] } } });
  driver.pass(1_500);
  driver.vote('merge:start', 'approve');
  expect(driver.engine.waitsFor()).toEqual(['merge:start']);
  expect(driver.vote('merge:start', 'approve').order().slice(-1)).toEqual(['merge']);
  expect(driver.finished).toEqual({ status: 'completed' });
});

describe('rework.steps', () => {
  test('may name steps that the review does not depend on: it waits for them nevertheless', () => {
    const driver = driverOf({ steps: { dev: {}, review: { rework: { steps: ['dev'], maxRounds: 2 } } } }).run();
    expect(launchesOf(driver)).toEqual(['0 dev#1', '0 review#1', '2 dev#2', '3 review#2']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('runs a step once again though it is named twice', () => {
    const driver = driverOf({ steps: { dev: {}, review: { after: ['dev'], rework: { steps: ['dev', 'dev'], maxRounds: 2 } } } }).run();
    expect(launchesOf(driver)).toEqual(['0 dev#1', '1 review#1', '3 dev#2', '4 review#2']);
    expect(driver.state.steps['dev']?.comments).toHaveLength(1);
  });
});

describe('a phase that is opened again', () => {
  const phases = [{ id: 'p' }, { id: 'q', barrier: true }];

  test.each<[string, PlanDraft['steps'][string], string[]]>([
    ['waits for its start', { automatic: false }, ['late:start']],
    ['waits for its approval', { approval: { when: 'before' } }, ['late']],
    ['is blocked', { requires: { op: 'metric', name: 'nothing' } }, ['late:blocked']],
  ])('holds a step behind it that %s', (_, late, asked) => {
    const driver = driverOf({
      phases,
      steps: { dev: {}, review: { after: ['dev'], phase: 'q' }, late: { phase: 'q', ...late } },
    });
    driver.pass(3_500);
    expect(driver.engine.waitsFor()).toEqual(asked);
    driver.vote(asked[0]!, 'approve', 'ana', 'fine');
    expect(launchesOf(driver)).toEqual(['0 dev#1', '1 review#1', '3 dev#2', '4 review#2', '4 late#1']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('leaves what is deferred behind it to its time', () => {
    const late = { phase: 'q', approval: { when: 'before' as const }, ifBlocked: { kind: 'defer' as const, forMs: 9_500 } };
    const driver = driverOf({ phases, steps: { dev: {}, review: { after: ['dev'], phase: 'q' }, late } });
    driver.pass(3_500);
    driver.schedule(driver.nowMs, () => driver.voteEvent('late', 'reject'));
    driver.pass(8_500);
    expect(driver.stateOf('late')).toBe('deferred');
    driver.pass(2_000);
    expect(driver.engine.waitsFor()).toEqual(['late']);
  });

  test('holds a step behind it that was ready and had no slot', () => {
    const steps = { dev: {}, review: { after: ['dev'], phase: 'q', priority: 'high' as const }, late: { phase: 'q' } };
    const driver = driverOf({ phases, steps, maxConcurrentSteps: 1 }).run();
    expect(launchesOf(driver)).toEqual(['0 dev#1', '1 review#1', '3 dev#2', '4 review#2', '5 late#1']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('is one that waits for the steps that run again: for no `async` step', () => {
    const driver = driverOf({
      phases: [{ id: 'o' }, ...phases],
      steps: { dev: { async: true }, build: { phase: 'q' }, review: { after: ['dev', 'build'], phase: 'q' } },
    }).run();
    expect(launchesOf(driver)).toEqual(['0 dev#1', '0 build#1', '1 review#1', '3 dev#2', '3 build#2', '4 review#2']);
    expect(driver.finished).toEqual({ status: 'completed' });
  });
});

test('an early vote counts in a new generation, however often the gate was asked in the one before', () => {
  const steps: PlanDraft['steps'] = {
    dev: {},
    review: { after: ['dev'] },
    signed: { after: ['review'], approval: true },
    audit: { after: ['signed'] },
  };
  const asksForChanges = ['review', 'audit'];
  const driver = new EngineDriver(buildPlan({ steps }), {
    behave: ({ step, effect }) =>
      asksForChanges.includes(step) && effect.generation === 1 ? { result: { verdict: 'changes_requested' } } : {},
  });
  const vote = (): void => driver.schedule(driver.nowMs, () => driver.voteEvent('signed', 'approve'));
  driver.pass(500);
  vote();
  driver.pass(4_500);
  // The first vote went with the rework; this one, at its second asking, counts.
  vote();
  driver.pass(1_500);
  expect(driver.stateOf('signed')).toBe('running');
  vote();
  expect(driver.run().finished).toEqual({ status: 'completed' });
  expect(driver.audit().filter(({ action }) => action === 'vote.ignored')).toEqual([]);
});
