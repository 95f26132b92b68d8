import { byStep, EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';

const hourMs = 3_600_000;
const drive = (draft: PlanDraft, options: DriverOptions = {}): EngineDriver => new EngineDriver(buildPlan(draft), options);

test('a status says where the run stands, in plan time', () => {
  const driver = drive(
    {
      title: 'A feature',
      phases: [{ id: 'Plan' }, { id: 'Build', title: 'Building' }],
      steps: { a: { estimateMs: hourMs }, b: { phase: 'Build', after: ['a'], estimateMs: 3 * hourMs } },
    },
    { behave: byStep({ a: { durationMs: 1_000 }, b: { durationMs: 3_000 } }), engine: { timeScale: 3_600 } },
  );
  driver.pass(2_000);
  expect(driver.engine.statusView(driver.nowMs)).toMatchObject({
    schemaVersion: 1,
    title: 'A feature',
    status: 'in_progress',
    phase: 'Build',
    phaseIndex: 2,
    phaseCount: 2,
    progress: 0.25,
    waitsFor: [],
    startedAt: '2026-01-05T12:00:00.000Z',
    phases: [
      { id: 'Plan', title: 'Plan', state: 'passed', done: 1, total: 1 },
      { id: 'Build', title: 'Building', state: 'running', done: 0, total: 1, elapsedMs: hourMs },
    ],
    steps: [
      { id: 'a', state: 'passed', agent: 'developer-1', progress: 1, endedAt: '2026-01-05T12:00:01.000Z' },
      { id: 'b', state: 'running', progress: null, estimateMs: 3 * hourMs },
    ],
    timeline: { plannedMs: 4 * hourMs, elapsedMs: 2 * hourMs, etaP50: 4 * hourMs },
  });
  driver.run();
  expect(driver.engine.statusView(driver.nowMs + 99_000)).toMatchObject({
    status: 'completed',
    progress: 1,
    timeline: { elapsedMs: 4 * hourMs, etaP50: 4 * hourMs, etaP90: 4 * hourMs },
  });
});

test('progress counts steps where not all have an estimate', () => {
  const driver = drive({ steps: { a: { estimateMs: 1 }, b: { after: ['a'], approval: true } } }).run();
  expect(driver.engine.statusView(driver.nowMs).progress).toBe(0.5);
});

test('every gate is listed: those to come as pending, with who will be asked', () => {
  const driver = drive({
    phases: [{ id: 'p' }],
    steps: { a: { automatic: false }, b: { after: ['a'], approval: { quorum: 2, approvers: ['x', 'y'], prompt: 'Good?' } } },
  }).run();
  expect(driver.engine.gateViews(driver.nowMs)).toEqual([
    expect.objectContaining({ id: 'a:start', kind: 'start', step: 'a', state: 'open', decision: null }),
    {
      id: 'b',
      generation: 1,
      kind: 'approval',
      step: 'b',
      state: 'pending',
      decision: null,
      approvers: ['x', 'y'],
      barred: [],
      isOverride: false,
      quorum: 2,
      votes: [],
      deadline: null,
      prompt: 'Good?',
    },
  ]);
});

test('the timeline has every effect that was launched, undoing included', () => {
  const driver = drive(
    { steps: { a: { compensate: { action: 'undo' }, reassign: 1 }, b: { after: ['a'] } } },
    {
      behave: ({ step, effect }) =>
        effect.mode === 'do' && (step === 'b' || effect.assignment === 1) ? { failure: { kind: 'failed' } } : {},
    },
  ).run();
  expect(driver.engine.timelineView().steps.map(({ step, mode, agent, outcome }) => [step, mode, agent, outcome])).toEqual([
    ['a', 'do', 'developer-1', 'failure'],
    ['a', 'do', 'developer-2', 'success'],
    ['b', 'do', 'developer-1', 'failure'],
    ['a', 'undo', 'developer-2', 'success'],
    ['a', 'undo', 'developer-1', 'success'],
  ]);
});

test('explain says why a step is as it is', () => {
  const driver = drive(
    { onFailure: 'continue', steps: { a: {}, b: { approval: true }, c: { after: ['a', 'b'], reassign: 1 } } },
    { behave: byStep({ a: { failure: { kind: 'failed' } } }) },
  ).run();
  expect(driver.engine.explain('c')).toEqual({
    step: 'c',
    state: 'pending',
    reason: null,
    waitsFor: ['b'],
    lines: ['depends on a (holds): failed, does not hold', 'depends on b (holds): waiting_approval, is waited for'],
  });
  expect(driver.engine.explain('b')?.lines).toEqual([
    'gate b: open, 0 of 1 approvals (anyone)',
    'agent developer-1 (succeeded): by script',
  ]);
  expect(driver.engine.explain('nothing')).toBeNull();
});

describe('the projection', () => {
  test.each<[string, PlanDraft, number | null]>([
    ['a chain', { steps: { a: { estimateMs: 10 }, b: { estimateMs: 20, after: ['a'] }, c: { estimateMs: 30, after: ['b'] } } }, 60],
    ['side by side', { steps: { a: { estimateMs: 10 }, b: { estimateMs: 20 } } }, 20],
    ['two slots for three', { maxConcurrentSteps: 2, steps: { a: { estimateMs: 30 }, b: { estimateMs: 20 }, c: { estimateMs: 20 } } }, 40],
    [
      'behind a barrier',
      { phases: [{ id: 'p' }, { id: 'q', barrier: true }], steps: { a: { estimateMs: 30 }, b: { estimateMs: 20, phase: 'q' } } },
      50,
    ],
    [
      'a monitor beside it',
      { maxConcurrentSteps: 1, steps: { m: { monitor: { durationMs: 100 } }, a: { estimateMs: 30 }, b: { estimateMs: 30 } } },
      100,
    ],
    ['the hours of a phase', { phases: [{ id: 'p', plannedMs: 80 }], steps: { a: {}, b: { after: ['a'] }, c: {} } }, 80],
    ['nobody knows', { steps: { a: { estimateMs: 10 }, b: {} } }, null],
  ])('%s', (_, draft, expected) => {
    const { etaP50, etaP90 } = drive(draft).engine.statusView(startMs).timeline;
    expect(etaP50).toBe(expected);
    if (expected === null) expect(etaP90).toBeNull();
    else expect(etaP90).toBeGreaterThanOrEqual(expected);
  });

  test('history knows better than the file', () => {
    const driver = drive({ steps: { a: { estimateMs: 10 } } }, { engine: { historyEstimatesMs: { a: 50 } } });
    expect(driver.engine.statusView(startMs).timeline.etaP50).toBe(50);
  });

  test('where nobody knows, the finished steps of the run are the guess', () => {
    const driver = drive({ steps: { a: {}, b: { after: ['a'] } } }, { behave: byStep({ a: { durationMs: 4_000 } }) }).pass(4_000);
    expect(driver.engine.statusView(driver.nowMs).timeline.etaP50).toBe(8_000);
  });
});
