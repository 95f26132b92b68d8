import { agentNamed, byStep, EngineDriver, type DriverOptions, type Ending } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';

const failing: Ending = { failure: { kind: 'failed' } };
const run = (draft: PlanDraft, endings: Record<string, Ending> = {}, options: DriverOptions = {}): EngineDriver =>
  new EngineDriver(buildPlan(draft), { behave: byStep(endings), ...options }).run();
const lastIgnored = (driver: EngineDriver): string | undefined =>
  driver.audit().findLast((entry) => entry.action === 'vote.ignored')?.reason;

describe('overriding a check of a step that has an approval is up to its approvers', () => {
  const approval = { approvers: ['ana', 'bob', 'ivo'], quorum: 2, distinctFrom: ['initiator' as const] };
  const gate: Condition = { op: 'metric', name: 'ok' };

  test.each<[string, PlanDraft['steps'][string], number]>([
    ['a rejection', { approval, ifBlocked: { kind: 'escalate' } }, 2],
    ['a gate', { approval, gate }, 0],
  ])('%s', (_, step, rejections) => {
    const driver = run({ steps: { a: step } });
    for (const by of ['ana', 'bob'].slice(0, rejections)) driver.vote('a', 'reject', by, 'no');
    expect(driver.state.gates['a:blocked']).toMatchObject({
      state: 'open',
      approvers: approval.approvers,
      quorum: 2,
      barred: [{ id: 'ivo', why: 'initiator' }],
    });
    driver.vote('a:blocked', 'approve', 'ivo', 'mine');
    expect(lastIgnored(driver)).toBe('ivo may not decide about a:blocked: distinct_from initiator');
    driver.vote('a:blocked', 'approve', 'mallory', 'why not');
    expect(lastIgnored(driver)).toContain('mallory is not an approver of a:blocked');
    driver.vote('a:blocked', 'approve', 'ana', 'after all');
    expect(driver.stateOf('a')).toBe('blocked');
    driver.vote('a:blocked', 'approve', 'bob', 'agreed');
    expect(driver.stateOf('a')).not.toBe('blocked');
  });

  const humans = [
    { id: 'dora', role: 'decision-maker' },
    { id: 'dev', role: 'developer' },
  ];
  const hourMs = 3_600_000;

  test.each<[string, PlanDraft['steps'][string], Partial<PlanDraft>, number, string[]]>([
    ['to the decision-makers, after an hour', { gate }, {}, hourMs, ['dev', 'dora']],
    ['not before', { gate }, {}, hourMs - 1, ['dev']],
    ['when the step says', { gate, escalateAfterMs: 1_000 }, {}, 1_000, ['dev', 'dora']],
    ['when the workflow says', { gate }, { escalateAfterMs: 2_000 }, 2_000, ['dev', 'dora']],
    ['at once', { gate, ifBlocked: { kind: 'escalate' } }, {}, 0, ['dev', 'dora']],
    [
      'through the levels of the plan',
      { gate, escalateAfterMs: 1_000 },
      {
        escalation: [
          { afterMs: 5_000, to: ['bosses'] },
          { afterMs: 5_000, to: ['eva'] },
        ],
        approvers: { bosses: ['bob'] },
      },
      6_000,
      ['dev', 'bob', 'eva'],
    ],
  ])('what is held back is put before more people: %s', (_, step, plan, passMs, approvers) => {
    const draft = { ...plan, steps: { a: { approval: { approvers: ['dev'] }, ...step } } };
    const driver = new EngineDriver(buildPlan(draft), { engine: { humans } }).run().pass(passMs);
    expect(driver.state.gates['a:blocked']).toMatchObject({ state: 'open', approvers });
    expect(driver.vote('a:blocked', 'approve', approvers.at(-1), 'it is fine').stateOf('a')).not.toBe('blocked');
    expect(driver.audit().filter(({ action }) => action === 'gate.escalated').length).toBe(approvers.length - 1);
  });

  test('silence overrides nothing', () => {
    const driver = run({ steps: { a: { approval: { onTimeout: 'approve', timeoutMs: 1_000 }, gate } } }).pass(1_000_000);
    expect(driver.stateOf('a')).toBe('blocked');
  });
});

describe('votes belong to one generation', () => {
  const review = ({ step, effect }: { step: string; effect: { generation: number } }): Ending =>
    step === 'review' && effect.generation === 1 ? { result: { verdict: 'changes_requested' } } : {};
  const draft: PlanDraft = {
    phases: [
      {
        id: 'all',
        approval: {
          when: 'after',
          approvers: [],
          quorum: 1,
          timeoutMs: 3_600_000,
          timeoutIsExplicit: false,
          onTimeout: 'reject',
          distinctFrom: [],
        },
      },
    ],
    steps: { dev: {}, review: { after: ['dev'], canBlockMerge: true }, ship: { after: ['review'], approval: true } },
  };

  test.each([
    ['a step to come', 'ship'],
    ['a phase', 'all'],
  ])('an early vote for %s does not outlive a rework, one after it counts', (_, gate) => {
    const driver = new EngineDriver(buildPlan(draft), { behave: review });
    driver.engine.apply(driver.voteEvent(gate, 'approve'));
    driver.pass(2_500);
    expect(driver.state.steps['dev']?.generation).toBe(2);
    expect(driver.state.gates[gate]).toMatchObject({ state: 'decided', decision: 'withdrawn' });
    driver.run();
    if (gate === 'all') driver.vote('ship', 'approve');
    expect(driver.state.gates[gate]).toMatchObject({ state: 'open', votes: [] });

    const again = new EngineDriver(buildPlan(draft), { behave: review });
    again.engine.apply(again.voteEvent(gate, 'approve'));
    again.pass(2_500);
    again.engine.apply(again.voteEvent(gate, 'approve', 'bob'));
    again.engine.apply(again.voteEvent(gate, 'approve', 'eva'));
    again.run();
    if (gate === 'all') again.vote('ship', 'approve');
    expect(again.state.gates[gate]).toMatchObject({ decision: 'approved', votes: [{ by: 'bob' }, { by: 'eva' }] });
  });

  test('a late vote about a phase that has passed changes nothing', () => {
    const driver = run({
      phases: [{ ...draft.phases![0]!, id: 'p' }, { id: 'q' }],
      steps: { a: {}, b: { phase: 'q', after: ['a'], approval: true } },
    }).vote('p', 'approve');
    const before = structuredClone(driver.state.gates['p']);
    driver.vote('p', 'reject', 'bob');
    expect(lastIgnored(driver)).toBe('p is already decided: approved');
    expect(driver.state.gates['p']).toEqual(before);
  });
});

describe('answers about agents', () => {
  test('that nobody else is left does not hide why the last agent failed', () => {
    const driver = run(
      { steps: { a: { reassign: 2 } } },
      { a: failing },
      {
        assign: ({ exclude }) =>
          exclude.length > 0 ? { kind: 'nobody', reason: 'x has tried it already' } : { kind: 'assigned', agent: agentNamed('x') },
      },
    );
    expect(driver.finished?.reason).toBe('step a failed: by script; no other agent: x has tried it already');
  });

  test.each(['rollback', 'continue'] as const)('an agent for a slot of a step that has just failed is given back (%s)', (onFailure) => {
    const driver = run(
      { onFailure, steps: { a: { count: 2 }, b: {} } },
      {},
      {
        assign: ({ step, slot }) =>
          step === 'a' && slot === 1 ? { kind: 'nobody', reason: 'none' } : { kind: 'assigned', agent: agentNamed(`${step}-${slot}`) },
      },
    );
    const ends = driver.changes.flatMap((change) => change.ends).filter((end) => end.outcome === 'cancelled');
    expect(ends).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'a', slot: 2, outcome: 'cancelled', failure: 'no longer wanted' })]),
    );
    expect(ends).toHaveLength(onFailure === 'rollback' ? 2 : 1);
    expect(driver.launches.map(({ step }) => step)).toEqual(onFailure === 'rollback' ? [] : ['b']);
  });

  test('what had succeeded before a reset is not launched, and counts in the order in which it ended then', () => {
    const done = (endedAtMs: number) => ({
      result: { status: 'success' as const, summary: 'done then' },
      startedAtMs: endedAtMs - 5,
      endedAtMs,
    });
    const driver = run(
      {
        steps: {
          a: { compensate: { action: 'undo' } },
          b: { compensate: { action: 'undo' } },
          m: { monitor: {} },
          c: { after: ['a', 'b', 'm'] },
        },
      },
      { c: failing },
      {
        assign: ({ step, mode }) => ({
          kind: 'assigned',
          agent: agentNamed(`${step}-1`),
          ...(step !== 'c' && mode === 'do' && { done: done(step === 'a' ? 20 : 10) }),
        }),
      },
    );
    expect(driver.order()).toEqual(['c', 'undo a', 'undo b']);
    expect(driver.engine.timelineView().steps[0]).toMatchObject({ startedAt: '1970-01-01T00:00:00.005Z', outcome: 'success' });
    expect(driver.state.steps['m']?.result).toMatchObject({ summary: 'done then' });
  });

  test('a step that waits for a busy agent says so', () => {
    let isBusy = true;
    const driver = new EngineDriver(buildPlan({ steps: { a: {}, b: {} } }), {
      assign: ({ step }) =>
        isBusy ? { kind: 'busy', reason: 'developer-1 is busy (1/1)' } : { kind: 'assigned', agent: agentNamed(`${step}-1`) },
    }).pass(500);
    const reasons = (): (string | null)[] => driver.engine.statusView(driver.nowMs).steps.map((step) => step.reason);
    expect(reasons()).toEqual(Array(2).fill('waiting for an agent: developer-1 is busy (1/1)'));
    expect(driver.changes.flatMap((change) => change.steps).findLast((step) => step.step === 'a')).toMatchObject({
      reason: 'waiting for an agent: developer-1 is busy (1/1)',
    });
    isBusy = false;
    expect(driver.pass(1_200).engine.statusView(driver.nowMs).steps[0]).toMatchObject({ state: 'running', reason: null });
  });
});

test.each([
  ['the first attempt', { attempt: 1 }, {}, []],
  ['a later attempt', { attempt: 2 }, {}, ['a#1!undo']],
  ['an attempt whose number is not known', { attempt: null }, {}, ['a#1!undo']],
  ['the only attempt there can be', { attempt: null }, { retry: { attempts: 1, initialIntervalMs: 1, backoff: 1, maxIntervalMs: 1 } }, []],
])('what could not run on %s is undone only where an attempt may have started', (_, ending, step, expected) => {
  const driver = run(
    { steps: { a: { compensate: { action: 'undo' }, ...step } } },
    { a: { ...ending, failure: { kind: 'not_runnable' } } },
  );
  expect(driver.launches.filter(({ launch }) => launch.effect.mode === 'undo').map(({ id }) => id)).toEqual(expected);
});

test.each<[string, PlanDraft, string, number]>([
  ['failed', { onFailure: 'fail', steps: {} }, 'failed', 0.5],
  ['rolled back', { onFailure: 'rollback', steps: {} }, 'rolled_back', 0.25],
])('a run that has %s shows what was done, in the phase where it ended', (_, draft, status, progress) => {
  const driver = run(
    {
      ...draft,
      phases: [{ id: 'p' }, { id: 'q' }, { id: 'r' }],
      steps: {
        a: { compensate: { action: 'undo' } },
        b: { after: ['a'] },
        c: { phase: 'q', after: ['b'] },
        d: { phase: 'r', after: ['c'] },
      },
    },
    { c: failing },
  );
  expect(driver.engine.statusView(driver.nowMs)).toMatchObject({ status, progress, phase: 'q', phaseIndex: 2 });
  expect(driver.changes.at(-1)?.run).toMatchObject({ progress, phase: 'q' });
});

test.each([
  ['a text', 'too slow'],
  ['an object', { why: 'too slow' }],
  ['a list of other things', [1, null]],
])('reasons of a foreign agent that are %s do not stop the run', (_, reasons) => {
  const result = { verdict: 'rejected' as const, reasons: reasons as unknown as string[], summary: 'slow' };
  const driver = run({ steps: { a: { canBlockMerge: true } } }, { a: { result } });
  expect(driver.state.steps['a']).toMatchObject({ state: 'blocked', reason: expect.stringContaining('slow') });
  const sentBack = run({ steps: { a: {}, b: { after: ['a'] } } }, { b: { result: { ...result, verdict: 'changes_requested' } } });
  expect(sentBack.state.steps['a']?.comments?.[0]?.text).toContain('slow');
});

test('nobody can do a step whose failure is for people to decide', () => {
  const driver = run(
    { onFailure: 'block', steps: { a: { count: 2 } } },
    {},
    {
      assign: ({ slot }) => (slot === 1 ? { kind: 'nobody', reason: 'none' } : { kind: 'assigned', agent: agentNamed('x') }),
    },
  );
  expect(driver.stateOf('a')).toBe('blocked');
  expect(driver.launches).toEqual([]);
  expect(driver.vote('a:blocked', 'approve', 'ana', 'done by hand').finished).toEqual({ status: 'completed' });
});
