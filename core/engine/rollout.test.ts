import { agentNamed, EngineDriver, type DriverOptions, type Ending, type Launch } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import { subStepsOf } from './rollout';

const failing: Ending = { failure: { kind: 'failed' } };
const blueGreen: StepDraft = { deployment: { strategy: 'blue_green' }, deploys: true, environments: ['staging'] };
const errorRate = {
  condition: {
    op: '>' as const,
    left: { op: 'metric' as const, name: 'error_rate' },
    right: { op: 'literal' as const, value: 1, unit: 'percent' as const },
  },
  text: 'error_rate > 1%',
};
const canary: StepDraft = { deploys: true, deployment: { strategy: 'canary', steps: [5, 100], waitMs: 600_000, abortIf: errorRate } };

/** Endings by the effect's path, an undo's by `<path>!undo`. */
const byPath =
  (endings: Record<string, Ending>) =>
  ({ effect }: Launch): Ending =>
    endings[`${effect.path}${effect.mode === 'undo' ? '!undo' : ''}`] ?? {};

function run(draft: PlanDraft, endings: Record<string, Ending> = {}, options: DriverOptions = {}): EngineDriver {
  return new EngineDriver(buildPlan(draft), { behave: byPath(endings), ...options }).run();
}

const ids = (driver: EngineDriver): string[] => driver.launches.map(({ id }) => id);

describe('the sub-steps', () => {
  test.each<[string, Parameters<typeof subStepsOf>[0], string[]]>([
    ['of blue_green', { deployment: { strategy: 'blue_green' }, actions: [] }, ['deploy', 'health_check', 'traffic_switch']],
    ['of rolling', { deployment: { strategy: 'rolling' }, actions: [] }, ['deploy', 'health_check']],
    ['of recreate', { deployment: { strategy: 'recreate' }, actions: [] }, ['stop', 'deploy', 'health_check']],
    [
      'of canary',
      { deployment: { strategy: 'canary', steps: [5, 100], waitMs: 1 }, actions: [] },
      ['deploy', 'traffic_5', 'health_check_5', 'traffic_100', 'health_check_100'],
    ],
    [
      'are the actions that the step lists',
      { deployment: { strategy: 'rolling' }, actions: ['Push images', 'a/b', 'a b'] },
      ['Push_images', 'a_b', 'a_b.2'],
    ],
    ['of a step without a strategy', { actions: ['deploy'] }, []],
  ])('%s', (_, step, names) => {
    expect(subStepsOf(step).map(({ name }) => name)).toEqual(names);
  });

  test('run one after the other, by one agent, each told what it is to do', () => {
    const driver = run({ steps: { d: blueGreen, after: { after: ['d'] } } });
    expect(ids(driver)).toEqual(['d/deploy#1', 'd/health_check#1', 'd/traffic_switch#1', 'after#1']);
    expect(driver.launches.map(({ launch }) => launch.action)).toEqual(['deploy', 'health_check', 'traffic_switch', undefined]);
    expect(driver.assigns[1]).toMatchObject([{ path: 'd/health_check', step: 'd', agentId: 'developer-1' }]);
    expect(driver.finished?.status).toBe('completed');
    const starts = driver.launches.map(({ atMs }) => atMs - driver.launches[0]!.atMs);
    expect(starts).toEqual([0, 1_000, 2_000, 3_000]);
    expect(driver.state.steps['d']!.endedAtMs! - driver.state.steps['d']!.startedAtMs!).toBe(3_000);
  });

  test('what they report is the report of the step, the later one right', () => {
    const driver = run(
      { steps: { d: { ...blueGreen, outputs: ['url'] } } },
      {
        'd/deploy': { result: { metrics: { error_rate: 5, pods: 3 }, summary: 'deployed', cost: { usd: 1 } } },
        'd/traffic_switch': { result: { metrics: { error_rate: 0 }, outputs: { url: 'x' }, summary: 'switched', cost: { usd: 2 } } },
      },
    );
    expect(driver.state.steps['d']?.result).toMatchObject({
      status: 'success',
      summary: 'switched',
      outputs: { url: 'x' },
      metrics: { error_rate: 0, pods: 3 },
      cost: { usd: 3 },
    });
  });

  test('the status says which one runs', () => {
    const driver = run({ steps: { d: blueGreen } }, { 'd/health_check': { never: true } });
    expect(driver.engine.statusView(driver.nowMs).steps[0]).toMatchObject({
      state: 'running',
      reason: 'health_check, 2 of 3',
      progress: 1 / 3,
    });
    expect(driver.engine.timelineView().steps).toMatchObject([
      { step: 'd', subStep: 'deploy', outcome: 'success' },
      { step: 'd', subStep: 'health_check', outcome: null },
    ]);
  });

  test('a step that several agents do, and a run from before there were any, has none', () => {
    expect(ids(run({ steps: { d: { ...blueGreen, count: 2 } } }))).toEqual(['d#1', 'd#1.2']);
    expect(ids(run({ steps: { d: blueGreen } }, {}, { engine: { version: 1 } }))).toEqual(['d#1']);
  });

  test('another agent where the first one fails, and that one from there on', () => {
    let failures = 0;
    const driver = run(
      { steps: { d: { ...blueGreen, reassign: 1 } } },
      {},
      {
        behave: ({ effect }) => (effect.path === 'd/health_check' && (failures += 1) === 1 ? failing : {}),
      },
    );
    expect(driver.launches.map(({ id, launch }) => [id, launch.agent.id])).toEqual([
      ['d/deploy#1', 'developer-1'],
      ['d/health_check#1', 'developer-1'],
      ['d/health_check#1.1.2', 'developer-2'],
      ['d/traffic_switch#1', 'developer-2'],
    ]);
  });
});

test('who has failed at one sub-step is not asked again at a later one', () => {
  const driver = run(
    { steps: { d: { ...blueGreen, reassign: 1 } } },
    {},
    { behave: ({ effect }) => (effect.assignment === 1 && effect.path !== 'd/traffic_switch' ? failing : {}) },
  );
  expect(driver.launches.map(({ launch }) => launch.agent.id)).toEqual([1, 2, 2, 3, 3].map((k) => `developer-${k}`));
});

describe('a deployment that fails undoes itself', () => {
  const parts = ['deploy', 'health_check', 'traffic_switch'];

  test.each(parts.map((part, index) => [part, index] as const))(
    'at %s: what was started, in reverse, the failed one included',
    (part, index) => {
      const driver = run(
        {
          onFailure: 'continue',
          steps: { before: { compensate: { action: 'x' } }, d: { ...blueGreen, after: ['before'] }, later: { after: ['d'] } },
        },
        { [`d/${part}`]: failing },
      );
      const started = parts.slice(0, index + 1);
      expect(ids(driver)).toEqual([
        'before#1',
        ...started.map((one) => `d/${one}#1`),
        ...started.reverse().map((one) => `d/${one}#1!undo`),
      ]);
      expect(driver.launches.at(-1)?.launch).toMatchObject({ action: 'deploy', effect: { mode: 'undo' }, agent: { id: 'developer-1' } });
      expect(driver.statesOf()).toEqual({ before: 'passed', d: 'failed', later: 'skipped' });
      expect(driver.state.steps['d']?.reason).toBe('by script; undone');
      expect(driver.finished?.status).toBe('completed');
    },
  );

  test.each(parts)('at %s, and then the rest of the run', (part) => {
    const driver = run(
      { steps: { before: { compensate: { action: 'x' } }, d: { ...blueGreen, after: ['before'] } } },
      { [`d/${part}`]: failing },
    );
    expect(ids(driver).at(-1)).toBe('before#1!undo');
    expect(driver.finished?.status).toBe('rolled_back');
    expect(new Set(ids(driver)).size).toBe(ids(driver).length);
  });

  test('one undo after the other, while nothing else of the run waits for it', () => {
    const driver = run(
      { onFailure: 'continue', steps: { d: blueGreen, other: {} } },
      { 'd/traffic_switch': failing, other: { durationMs: 60_000 }, 'd/health_check!undo': { durationMs: 5_000 } },
    );
    const at = (id: string): number => driver.launches.find((one) => one.id === id)!.atMs;
    expect(at('d/deploy#1!undo') - at('d/health_check#1!undo')).toBe(5_000);
    expect(driver.cancelled).toEqual([]);
    expect(driver.stateOf('other')).toBe('passed');
  });

  test('what cannot be undone is said, the rest is undone all the same, and the run knows', () => {
    const driver = run({ onFailure: 'continue', steps: { d: blueGreen } }, { 'd/traffic_switch': failing, 'd/health_check!undo': failing });
    expect(ids(driver).slice(-3)).toEqual(['d/traffic_switch#1!undo', 'd/health_check#1!undo', 'd/deploy#1!undo']);
    expect(driver.state.steps['d']?.reason).toBe('by script; not undone: d/health_check');
    const rolledBack = run({ steps: { d: blueGreen } }, { 'd/traffic_switch': failing, 'd/health_check!undo': failing });
    expect(rolledBack.finished).toMatchObject({ status: 'rollback_failed', reason: expect.stringContaining('not undone: d') as string });
  });

  test('on_failure: block asks a person after it has gone back', () => {
    const driver = run({ onFailure: 'block', steps: { d: blueGreen } }, { 'd/health_check': failing });
    expect(driver.stateOf('d')).toBe('blocked');
    expect(ids(driver).slice(-2)).toEqual(['d/health_check#1!undo', 'd/deploy#1!undo']);
    driver.adjust({ kind: 'retry_step', step: 'd' });
    expect(ids(driver).slice(4, 6)).toEqual(['d/deploy#2', 'd/health_check#2']);
  });

  test('an unknown outcome waits for a person; who gives it up has it undone', () => {
    const driver = run({ onFailure: 'block', steps: { d: blueGreen } }, { 'd/traffic_switch': { failure: { kind: 'unknown' } } });
    expect(driver.state.gates['d:unknown']?.state).toBe('open');
    expect(ids(driver)).toHaveLength(3);
    driver.vote('d:unknown', 'reject');
    expect(ids(driver).slice(3)).toEqual(['d/traffic_switch#1!undo', 'd/health_check#1!undo', 'd/deploy#1!undo']);
    // Given up for good: what touched no production stays as it is.
    expect(driver.stateOf('d')).toBe('failed');
  });

  test('a refused approval of its result has it undone', () => {
    const driver = run({ onFailure: 'continue', steps: { d: { ...blueGreen, approval: true } } });
    driver.vote('d', 'reject', 'ana', 'too slow');
    expect(ids(driver).slice(3)).toEqual(['d/traffic_switch#1!undo', 'd/health_check#1!undo', 'd/deploy#1!undo']);
    expect(driver.state.steps['d']).toMatchObject({ state: 'failed', reason: 'rejected by ana: too slow; undone' });
  });

  test('who skips it in the middle has it undone first', () => {
    const driver = run({ steps: { d: { ...blueGreen, optional: true }, later: { after: ['d'] } } }, { 'd/health_check': { never: true } });
    driver.adjust({ kind: 'skip_step', step: 'd' });
    expect(ids(driver)).toEqual(['d/deploy#1', 'd/health_check#1', 'd/health_check#1!undo', 'd/deploy#1!undo', 'later#1']);
    expect(driver.statesOf()).toEqual({ d: 'skipped', later: 'passed' });
  });

  test('a pause does not keep traffic from going back', () => {
    const driver = run(
      { onFailure: 'continue', steps: { d: blueGreen } },
      { 'd/health_check': { ...failing, durationMs: 10_000 } },
      {},
    ).pass(0);
    expect(driver.finished?.status).toBe('completed');
    const paused = new EngineDriver(buildPlan({ onFailure: 'continue', steps: { d: blueGreen } }), {
      behave: byPath({ 'd/health_check': { ...failing, durationMs: 10_000 } }),
    }).pass(2_000);
    paused.adjust({ kind: 'pause' }, { reason: 'lunch' });
    expect(ids(paused).slice(-2)).toEqual(['d/health_check#1!undo', 'd/deploy#1!undo']);
  });

  test.each([false, true])('an agent that is busy is waited for (restored at every turn: %s)', (restoreAlways) => {
    let asked = 0;
    const driver = run(
      { onFailure: 'continue', steps: { d: blueGreen } },
      { 'd/health_check': failing },
      {
        restoreAlways,
        assign: ({ mode, role }) =>
          mode === 'undo' && (asked += 1) <= 2
            ? { kind: 'busy', reason: 'it is busy' }
            : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
      },
    );
    expect(ids(driver).slice(-2)).toEqual(['d/health_check#1!undo', 'd/deploy#1!undo']);
    expect(driver.stateOf('d')).toBe('failed');
  });

  test.each([false, true])('what had given its slot back needs none to go back (restored at every turn: %s)', (restoreAlways) => {
    const driver = new EngineDriver(
      buildPlan({
        maxConcurrentSteps: 1,
        onFailure: 'continue',
        steps: { d: { ...blueGreen, priority: 'high' }, e: {}, f: { after: ['e'] } },
      }),
      {
        restoreAlways,
        behave: ({ step, effect: { path, mode } }) => {
          if (path === 'd/deploy' && mode === 'do') return { failure: { kind: 'unknown' } };
          return { durationMs: mode === 'undo' ? 60_000 : step === 'e' ? 10_000 : 1_000 };
        },
      },
    );
    driver.schedule(driver.nowMs + 5_000, () => driver.voteEvent('d:unknown', 'reject'));
    driver.run();
    const secondsOf = (id: string): number => (driver.launches.find((one) => one.id === id)!.atMs - driver.launches[0]!.atMs) / 1_000;
    expect(['d/deploy#1!undo', 'e#1', 'f#1'].map(secondsOf)).toEqual([5, 1, 11]);
  });

  test('a run that ends meanwhile lets it go on to the end, whatever it keeps of the rest', () => {
    const driver = run(
      { onFailure: 'continue', steps: { d: blueGreen, w: { approval: true } } },
      { 'd/traffic_switch': failing, 'd/traffic_switch!undo': { durationMs: 50_000 } },
      {},
    );
    expect(driver.finished).toBeUndefined();
    const early = new EngineDriver(buildPlan({ onFailure: 'continue', steps: { d: blueGreen } }), {
      behave: byPath({ 'd/traffic_switch': failing, 'd/traffic_switch!undo': { durationMs: 50_000 } }),
    }).pass(10_000);
    early.cancel(true);
    expect(ids(early).slice(3)).toEqual(['d/traffic_switch#1!undo', 'd/health_check#1!undo', 'd/deploy#1!undo']);
    expect(early.finished?.status).toBe('cancelled');
  });

  test('what has failed and is to undo itself has failed, when the run ends in that moment', () => {
    const driver = run({ steps: { d: blueGreen, other: {} } }, { other: { ...failing, durationMs: 2_000 }, 'd/health_check': failing });
    expect(ids(driver).slice(3)).toEqual(['d/health_check#1!undo', 'd/deploy#1!undo']);
    expect(driver.statesOf()).toEqual({ d: 'failed', other: 'failed' });
    expect(driver.finished?.status).toBe('rolled_back');
  });

  test('what succeeds in the moment in which it has gone back counts, before its failure ends the run', () => {
    const gate = { op: 'metric' as const, name: 'ok' };
    const driver = run(
      { steps: { d: blueGreen, other: { gate, gateText: 'ok', environments: ['production'] } }, onFailure: 'fail' },
      { 'd/deploy': failing, other: { durationMs: 2_000, result: { metrics: { ok: true } } } },
    );
    expect(driver.statesOf()).toEqual({ d: 'failed', other: 'passed' });
  });

  test.each([false, true])('and runs again when what it rests on is sent back meanwhile (restored at every turn: %s)', (restoreAlways) => {
    const steps: PlanDraft['steps'] = {
      work: {},
      d: { ...blueGreen, after: ['work'] },
      review: { after: ['work'] },
    };
    const driver = run(
      { steps },
      {},
      {
        restoreAlways,
        behave: ({ step, effect: { path, generation, mode } }) => {
          if (mode === 'undo') return { durationMs: 3_000 };
          if (step === 'review') return { durationMs: 3_000, result: generation === 1 ? { verdict: 'changes_requested' } : {} };
          return path === 'd/health_check' && generation === 1 ? failing : {};
        },
      },
    );
    expect(ids(driver)).toEqual([
      'work#1', 'd/deploy#1', 'review#1', 'd/health_check#1', 'd/health_check#1!undo', 'work#2', 'review#2', 'd/deploy#1!undo',
      'd/deploy#2', 'd/health_check#2', 'd/traffic_switch#2',
    ]); // prettier-ignore
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('all of it survives a restart of the engine between any two events', () => {
    const draft: PlanDraft = { onFailure: 'continue', steps: { d: { ...canary, compensate: undefined }, x: {} } };
    const endings = {
      'd/health_check_100': { result: { metrics: { error_rate: { value: 2, unit: '%' } } } },
      'd/health_check_5': { result: { metrics: { error_rate: 0 } } },
    };
    const plain = run(draft, endings);
    const restored = run(draft, endings, { restoreAlways: true });
    expect(ids(restored)).toEqual(ids(plain));
    expect(restored.statesOf()).toEqual(plain.statesOf());
    expect(plain.stateOf('d')).toBe('failed');
  });
});

describe('canary', () => {
  const good: Ending = { result: { metrics: { error_rate: { value: 0.5, unit: '%' } } } };

  test('shares of the traffic grow, each is looked at after its wait', () => {
    const driver = run({ steps: { d: canary } }, { 'd/health_check_5': good, 'd/health_check_100': good });
    expect(driver.finished?.status).toBe('completed');
    expect(
      driver.launches.map(({ id, launch, atMs }) => [id, launch.share, Math.round((atMs - driver.launches[0]!.atMs) / 1_000)]),
    ).toEqual([
      ['d/deploy#1', undefined, 0],
      ['d/traffic_5#1', { percent: 5, before: 0 }, 1],
      ['d/health_check_5#1', { percent: 5, before: 0 }, 602],
      ['d/traffic_100#1', { percent: 100, before: 5 }, 603],
      ['d/health_check_100#1', { percent: 100, before: 5 }, 1_204],
    ]);
  });

  test.each<[string, Ending, string]>([
    [
      'holds',
      { result: { metrics: { error_rate: { value: 2, unit: '%' } } } },
      'health_check_5: error_rate > 1%: error_rate 2 % is > 1 %; undone',
    ],
    ['cannot be judged', {}, 'health_check_5: abort_if error_rate > 1% cannot be judged'],
  ])('abort_if that %s takes it back', (_, ending, reason) => {
    const driver = run({ onFailure: 'continue', steps: { d: canary } }, { 'd/health_check_5': ending });
    expect(ids(driver)).toEqual([
      'd/deploy#1', 'd/traffic_5#1', 'd/health_check_5#1', 'd/health_check_5#1!undo', 'd/traffic_5#1!undo', 'd/deploy#1!undo',
    ]); // prettier-ignore
    expect(driver.state.steps['d']?.reason).toContain(reason);
    expect(driver.launches[4]?.launch.share).toEqual({ percent: 5, before: 0 });
  });

  test('a cancel during the wait undoes what was done', () => {
    const driver = new EngineDriver(buildPlan({ steps: { d: canary } })).pass(100_000);
    driver.cancel();
    expect(ids(driver)).toEqual(['d/deploy#1', 'd/traffic_5#1', 'd/traffic_5#1!undo', 'd/deploy#1!undo']);
    expect(driver.finished?.status).toBe('cancelled');
  });
});

describe('rollback_on', () => {
  const plain: StepDraft = { deploys: true, environments: ['staging'], rollbackOn: errorRate };

  test('a condition undoes a deployment whose report it holds for', () => {
    const bad = { d: { result: { metrics: { error_rate: { value: 3, unit: '%' } } } } };
    const driver = run({ onFailure: 'continue', steps: { d: plain } }, bad);
    expect(ids(driver)).toEqual(['d#1', 'd#1!undo']);
    expect(driver.state.steps['d']).toMatchObject({ state: 'failed', reason: 'error_rate > 1%: error_rate 3 % is > 1 %; undone' });
    expect(run({ onFailure: 'continue', steps: { d: plain } }).statesOf()).toEqual({ d: 'passed' });
  });

  test('nothing of a deployment starts any more that undoes itself', () => {
    const driver = run(
      { onFailure: 'continue', steps: { d: { ...plain, count: 2, reassign: 1 } } },
      { d: failing },
      {
        assign: ({ slot, assignment, role, mode }) =>
          mode === 'do' && slot === 1 && assignment === 2
            ? { kind: 'nobody', reason: 'none' }
            : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
      },
    );
    expect(ids(driver)).toEqual(['d#1', 'd#1.2', 'd#1.2!undo', 'd#1!undo']);
  });

  test('a failure undoes the deployment even where the run goes on', () => {
    const anyError = { condition: { op: 'quantifier' as const, name: 'any_error' as const }, text: 'any_error' };
    const driver = run({ onFailure: 'continue', steps: { d: { ...plain, rollbackOn: anyError } } }, { d: failing });
    expect(ids(driver)).toEqual(['d#1', 'd#1!undo']);
  });
});

describe('compensate', () => {
  test('of the step undoes all of the deployment at once, and takes its place in the order', () => {
    const steps: PlanDraft['steps'] = {
      d: { ...blueGreen, compensate: { action: 'previous_version' } },
      e: { after: ['d'], compensate: { action: 'x' } },
      f: { after: ['e'] },
    };
    const driver = run({ steps }, { f: failing });
    expect(ids(driver).slice(-2)).toEqual(['e#1!undo', 'd#1!undo']);
    expect(driver.launches.at(-1)?.launch).toMatchObject({ action: 'previous_version', effect: { path: 'd', mode: 'undo' } });
    expect(driver.statesOf()).toMatchObject({ d: 'compensated', e: 'compensated' });
    expect(ids(run({ onFailure: 'continue', steps: { d: steps['d']! } }, { 'd/health_check': failing })).slice(-1)).toEqual(['d#1!undo']);
  });

  test('undoes what another agent did where the first one could not begin', () => {
    const behave = ({ step, effect }: Launch): Ending =>
      step === 'f' ? failing : effect.assignment === 1 && effect.path === 'd/deploy' ? { failure: { kind: 'not_runnable' } } : {};
    const steps = { d: { ...blueGreen, reassign: 1, compensate: { action: 'x' } }, f: { after: ['d'] } };
    const driver = run({ steps }, {}, { behave });
    expect(ids(driver).slice(-2)).toEqual(['f#1', 'd#1!undo']);
    expect(driver.launches.at(-1)?.launch.agent.id).toBe('developer-2');
  });

  test('undoes what the first agent began where the second one could not', () => {
    const failures = { 1: 'failed', 2: 'not_runnable' } as const;
    const driver = run(
      { onFailure: 'continue', steps: { d: { ...blueGreen, reassign: 1, compensate: { action: 'x' } } } },
      {},
      { behave: ({ effect }) => (effect.mode === 'undo' ? {} : { failure: { kind: failures[effect.assignment as 1 | 2] } }) },
    );
    expect(ids(driver)).toEqual(['d/deploy#1', 'd/deploy#1.1.2', 'd#1!undo']);
  });

  test('comes before all else while nobody knows what its last sub-step did', () => {
    const steps = { d: { ...blueGreen, compensate: { action: 'x' } }, e: { compensate: { action: 'y' } } };
    const driver = run({ steps }, { 'd/health_check': { failure: { kind: 'unknown' } }, e: { durationMs: 9_000 } });
    driver.cancel();
    expect(ids(driver).slice(-2)).toEqual(['d#1!undo', 'e#1!undo']);
  });

  test('is not needed by what never began', () => {
    const driver = run(
      { onFailure: 'continue', steps: { d: { ...blueGreen, compensate: { action: 'x' } } } },
      { 'd/deploy': { failure: { kind: 'not_runnable' } } },
    );
    expect(ids(driver)).toEqual(['d/deploy#1']);
  });
});

test('after it has passed, a later failure undoes its sub-steps the last first, among the other steps', () => {
  const steps: PlanDraft['steps'] = {
    a: { compensate: { action: 'x' } },
    d: { ...blueGreen, after: ['a'] },
    c: { after: ['d'], compensate: { action: 'x' } },
    f: { after: ['c'] },
  };
  const driver = run({ steps }, { f: failing });
  expect(ids(driver).slice(-5)).toEqual(['c#1!undo', 'd/traffic_switch#1!undo', 'd/health_check#1!undo', 'd/deploy#1!undo', 'a#1!undo']);
  expect(driver.statesOf()).toEqual({ a: 'compensated', d: 'compensated', c: 'compensated', f: 'failed' });
  expect(driver.finished?.status).toBe('rolled_back');
});
