import type { EngineEvent, VoteVerdict } from './types';
import { EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildApproval, buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';

const hourMs = 3_600_000;
const run = (approval: StepDraft['approval'], options: DriverOptions = {}, plan: Partial<PlanDraft> = {}): EngineDriver =>
  new EngineDriver(buildPlan({ ...plan, steps: { a: { role: 'architect', approval: approval! }, b: { after: ['a'] } } }), options).run();
const lastAudit = (driver: EngineDriver, action: string) => driver.audit().findLast((entry) => entry.action === action);

test('after: the work comes first and its result is what the approver reads', () => {
  const driver = run(true, { behave: () => ({ result: { summary: 'a design', outputs: { doc: 'text' } } }) });
  expect(driver.order()).toEqual(['a']);
  expect(driver.state.status).toBe('waiting_approval');
  expect(driver.engine.gateViews(driver.nowMs)).toMatchObject([
    { id: 'a', state: 'open', result: { summary: 'a design', outputs: { doc: 'text' } } },
  ]);
  expect(driver.vote('a', 'approve').order()).toEqual(['a', 'b']);
});

test('before: nothing is done until it is approved', () => {
  const driver = run({ when: 'before' });
  expect(driver.order()).toEqual([]);
  expect(driver.stateOf('a')).toBe('waiting_approval');
  expect(driver.vote('a', 'approve').finished).toEqual({ status: 'completed' });
});

test('a rejection fails the step, and the reason is kept', () => {
  const driver = run(true).vote('a', 'reject', 'ana', 'too risky');
  expect(driver.finished).toEqual({ status: 'failed', reason: 'step a failed: rejected by ana: too risky' });
});

test.each([
  ['named', { approval: { approvers: ['ana', 'bob'] }, humans: [{ id: 'eva', role: 'architect' }] }, ['ana', 'bob']],
  ['a group, with a group in it', { approval: { approvers: ['leads'] }, humans: [] }, ['ana', 'cleo', 'dora']],
  [
    'the people of the role',
    {
      approval: {},
      humans: [
        { id: 'eva', role: 'architect' },
        { id: 'max', role: 'decision-maker' },
      ],
    },
    ['eva'],
  ],
  [
    'else the decision-makers',
    {
      approval: {},
      humans: [
        { id: 'eva', role: 'tester' },
        { id: 'max', role: 'decision-maker' },
      ],
    },
    ['max'],
  ],
  ['else anyone', { approval: {}, humans: [] }, []],
])('approvers: %s', (_, { approval, humans }, expected) => {
  const driver = run(approval, { engine: { humans } }, { approvers: { leads: ['ana', 'others'], others: ['cleo', 'dora', 'leads'] } });
  expect(driver.state.gates['a']?.approvers).toEqual(expected);
  if (expected.length === 0) return;
  driver.vote('a', 'approve', 'mallory');
  expect(driver.stateOf('a')).toBe('waiting_approval');
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({
    actor: { id: 'mallory' },
    reason: `mallory is not an approver of a (${expected.join(', ')})`,
  });
  expect(driver.vote('a', 'approve', expected[0]).finished).toEqual({ status: 'completed' });
});

test.each<[string, number, string[], [string, 'approve' | 'reject'][], string]>([
  [
    'two of three approve',
    2,
    ['ana', 'bob', 'eva'],
    [
      ['ana', 'approve'],
      ['bob', 'approve'],
    ],
    'approved',
  ],
  ['one approval is not enough', 2, ['ana', 'bob', 'eva'], [['ana', 'approve']], 'open'],
  [
    'the same person twice is one',
    2,
    ['ana', 'bob', 'eva'],
    [
      ['ana', 'approve'],
      ['ana', 'approve'],
    ],
    'open',
  ],
  ['one rejection leaves two who can approve', 2, ['ana', 'bob', 'eva'], [['ana', 'reject']], 'open'],
  [
    'two rejections do not',
    2,
    ['ana', 'bob', 'eva'],
    [
      ['ana', 'reject'],
      ['bob', 'reject'],
    ],
    'rejected',
  ],
  ['one rejection decides where one approval does', 1, ['ana', 'bob'], [['ana', 'reject']], 'rejected'],
  ['all must approve: one rejection decides', 2, ['ana', 'bob'], [['ana', 'reject']], 'rejected'],
  [
    'a changed vote counts as it is now',
    2,
    ['ana', 'bob', 'eva'],
    [
      ['ana', 'reject'],
      ['ana', 'approve'],
      ['bob', 'approve'],
    ],
    'approved',
  ],
  [
    'anyone: two approvals',
    2,
    [],
    [
      ['x', 'approve'],
      ['y', 'approve'],
    ],
    'approved',
  ],
  [
    'anyone: as many rejections',
    2,
    [],
    [
      ['x', 'reject'],
      ['y', 'reject'],
    ],
    'rejected',
  ],
])('quorum: %s', (_, quorum, approvers, votes, expected) => {
  const driver = run({ quorum, approvers });
  for (const [by, decision] of votes) driver.vote('a', decision, by);
  const gate = driver.state.gates['a']!;
  expect(gate.decision ?? gate.state).toBe(expected);
});

test.each([
  ['initiator', 'ivo', 'ivo may not decide about a: distinct_from initiator'],
  ['author', 'architect-1', 'architect-1 may not decide about a: distinct_from author'],
] as const)('distinct_from %s', (who, by, reason) => {
  const driver = run({ distinctFrom: [who] }).vote('a', 'approve', by);
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({ reason, details: { code: 'barred' } });
  expect(driver.stateOf('a')).toBe('waiting_approval');
  expect(driver.engine.gateViews(driver.nowMs)).toMatchObject([{ id: 'a', barred: [{ id: by, why: who }], isOverride: false }]);
});

test('who may not vote is shown before the gate opens, as far as it is known', () => {
  const draft = { approval: { distinctFrom: ['initiator' as const, 'author' as const] }, after: ['a'] };
  const driver = new EngineDriver(buildPlan({ steps: { a: { approval: true }, b: draft } })).run();
  expect(driver.engine.gateViews(driver.nowMs)[1]).toMatchObject({
    id: 'b',
    state: 'pending',
    barred: [
      { id: 'ivo', why: 'initiator' },
      { id: 'developer-1', why: 'author' },
    ],
  });
});

test('a phase that is held back says that approving it overrides', () => {
  const gate: Condition = { op: 'metric', name: 'ok' };
  const driver = new EngineDriver(buildPlan({ phases: [{ id: 'p', gate }], steps: { a: {} } })).run();
  expect(driver.engine.gateViews(driver.nowMs)).toMatchObject([{ id: 'p', kind: 'phase', isOverride: true }]);
  expect(driver.changes.flatMap(({ gates }) => gates).at(-1)).toMatchObject({ gate: 'p', isOverride: true, barred: [] });
});

test('an early vote is kept, may be changed, and counts when the gate opens', () => {
  const driver = new EngineDriver(buildPlan({ steps: { a: { approval: true } } }));
  const vote = { gate: 'a', by: 'ana', decision: 'reject' as const, atMs: startMs, assurance: 'local' as const, via: 'update' as const };
  expect(driver.engine.judgeVote(vote)).toMatchObject({ ok: true, reply: { effect: 'early', decided: false } });
  const verdicts: VoteVerdict[] = [];
  const answer = (verdict: VoteVerdict) => void verdicts.push(verdict);
  driver.engine.apply({ type: 'voted', vote, answer });
  driver.engine.apply({ type: 'voted', vote: { ...vote, decision: 'approve' }, answer });
  expect(driver.engine.gateViews(startMs)).toMatchObject([{ id: 'a', state: 'pending', votes: [] }]);
  driver.run();
  expect(verdicts).toMatchObject([{ reply: { effect: 'early' } }, { reply: { effect: 'early' } }]);
  expect(driver.finished).toEqual({ status: 'completed' });
  expect(driver.changes.flatMap((change) => change.votes)).toMatchObject([
    { decision: 'reject', counted: true },
    { decision: 'approve', counted: true },
  ]);
});

test('an early vote for a phase counts too where its condition was overridden while a phase before it runs again', () => {
  const driver = new EngineDriver(
    buildPlan({
      phases: [
        { id: 'p' },
        { id: 'q', barrier: true, gate: { op: 'literal', value: false }, gateText: 'no', approval: buildApproval({}) },
        { id: 'r' },
      ],
      steps: { a: {}, review: { phase: 'r', after: ['a'] } },
    }),
    {
      behave: ({ step, effect: { generation } }) => ({
        ...(generation === 2 && { durationMs: 60_000 }),
        result: step === 'review' && generation === 1 ? { verdict: 'changes_requested' } : {},
      }),
    },
  );
  driver.pass(10_000);
  expect(driver.state.phases).toMatchObject({ p: { state: 'running' }, q: { state: 'gated' } });
  driver.schedule(driver.nowMs + 1_000, () => driver.voteEvent('q', 'approve', 'ana', 'overridden'));
  driver.schedule(driver.nowMs + 2_000, () => driver.voteEvent('q', 'approve', 'bob'));
  driver.schedule(driver.nowMs + 3_000, () => driver.voteEvent('q', 'reject', 'eva'));
  driver.pass(20_000);
  expect(driver.audit().filter(({ action }) => action.startsWith('vote.'))).toMatchObject([
    { action: 'vote.cast', actor: { id: 'ana' } },
    { action: 'vote.kept', actor: { id: 'bob' } },
    { action: 'vote.kept', actor: { id: 'eva' } },
  ]);
});

test.each([
  ['an unknown gate', 'nothing', 'there is no gate nothing now'],
  ['a step without approval', 'b', 'there is no gate b now'],
])('a vote for %s is refused, audited, and changes nothing', (_, gate, reason) => {
  const driver = run(true).vote(gate, 'approve');
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({ object: gate, reason });
  expect(driver.stateOf('a')).toBe('waiting_approval');
});

test('a late vote is refused; so is any when the run has ended', () => {
  const driver = run(true);
  driver.send(driver.voteEvent('a', 'approve'), driver.voteEvent('a', 'reject', 'bob'));
  expect(driver.finished).toEqual({ status: 'completed' });
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({ actor: { id: 'bob' }, reason: 'a is already decided: approved' });
  const vote = { gate: 'a', by: 'ana', decision: 'approve' as const, atMs: 0, assurance: 'local' as const, via: 'update' as const };
  expect(driver.engine.judgeVote(vote)).toEqual({ ok: false, code: 'run_ended', reason: 'the run has ended: completed' });
});

test('votes that come at once are each told what became of them, and judging tells what one would do', () => {
  const driver = run({ quorum: 2, approvers: ['ana', 'bob', 'eva'] });
  const vote = (by: string, decision: 'approve' | 'reject' = 'approve') => ({
    gate: 'a',
    by,
    decision,
    atMs: driver.nowMs,
    assurance: 'local' as const,
    via: 'update' as const,
  });
  const judge = (by: string, decision?: 'approve' | 'reject') => driver.engine.judgeVote(vote(by, decision));
  expect(judge('ana')).toMatchObject({ ok: true, reply: { effect: 'counted', decided: false } });
  expect(judge('max')).toMatchObject({ ok: false });
  const verdicts: VoteVerdict[] = [];
  const cast = (by: string, decision?: 'approve' | 'reject') =>
    ({ type: 'voted', vote: vote(by, decision), answer: (verdict) => void verdicts.push(verdict) }) satisfies EngineEvent;
  driver.send(cast('ana'), cast('ana'), cast('ana', 'reject'), cast('ana'), cast('bob'), cast('eva'));
  expect(verdicts).toMatchObject([
    { ok: true, reply: { effect: 'counted', decided: false } },
    { ok: true, reply: { effect: 'repeated', decided: false } },
    { ok: true, reply: { effect: 'changed', decided: false } },
    { ok: true, reply: { effect: 'changed', decided: false } },
    { ok: true, reply: { effect: 'counted', decided: true, message: 'a is approved' } },
    { ok: false },
  ]);
});

describe('deadlines', () => {
  test.each([
    { name: 'scaled', timeScale: 60, approval: { timeoutMs: 24 * hourMs }, expectedMs: 24 * 60_000 },
    { name: 'never below ten minutes', timeScale: 3_600, approval: { timeoutMs: 24 * hourMs }, expectedMs: 10 * 60_000 },
    { name: 'unless it is explicit', timeScale: 3_600, approval: { timeoutMs: 24 * hourMs, timeoutIsExplicit: true }, expectedMs: 24_000 },
    { name: 'or shorter itself', timeScale: 60, approval: { timeoutMs: 60_000 }, expectedMs: 60_000 },
  ])('$name', ({ timeScale, approval, expectedMs }) => {
    const driver = run(approval, { engine: { timeScale } });
    const gate = driver.state.gates['a']!;
    expect(gate.deadlineMs! - gate.openedAtMs!).toBe(expectedMs);
    driver.pass(expectedMs / 2 + 1);
    expect(lastAudit(driver, 'gate.reminded')).toMatchObject({ actor: { kind: 'timer' }, object: 'a' });
  });

  test.each([
    ['reject', 'failed'],
    ['approve', 'completed'],
    ['block', undefined],
    ['escalate', 'failed'],
  ] as const)('on_timeout %s', (onTimeout, status) => {
    const driver = run({ onTimeout, timeoutMs: hourMs }).pass(3 * hourMs);
    expect(driver.finished?.status).toBe(status);
    if (onTimeout === 'block') expect(driver.engine.waitsFor()).toEqual(['a:blocked']);
  });

  test('escalation: each level adds its people and its time, and after the last it is rejected', () => {
    const escalation = [
      { afterMs: hourMs, to: ['bosses'] },
      { afterMs: 2 * hourMs, to: ['ceo'] },
    ];
    const driver = run({ approvers: ['ana'], timeoutMs: hourMs }, {}, { escalation, approvers: { bosses: ['bob', 'eva'] } });
    driver.pass(hourMs + 1_000);
    expect(driver.state.gates['a']?.approvers).toEqual(['ana', 'bob', 'eva']);
    driver.pass(hourMs);
    expect(driver.state.gates['a']?.approvers).toEqual(['ana', 'bob', 'eva', 'ceo']);
    driver.pass(hourMs);
    expect(driver.finished).toBeUndefined();
    driver.pass(hourMs + 1_000);
    expect(driver.finished).toMatchObject({ status: 'failed', reason: expect.stringContaining('not approved in time') });
  });

  test('what is held back goes past a level that adds nobody, and stays open after the last', () => {
    const plan = buildPlan({
      steps: { a: { gate: { op: 'metric', name: 'ok' }, gateText: 'ok', approval: { approvers: ['ana', 'bob'] } } },
      escalation: [
        { afterMs: hourMs, to: ['bob'] },
        { afterMs: 2 * hourMs, to: ['ceo'] },
      ],
      escalateAfterMs: hourMs,
    });
    const driver = new EngineDriver(plan).run().pass(hourMs + 1_000);
    expect(driver.state.gates['a:blocked']?.approvers).toEqual(['ana', 'bob', 'ceo']);
    driver.pass(100 * hourMs);
    expect(driver.engine.waitsFor()).toEqual(['a:blocked']);
    expect(driver.vote('a:blocked', 'approve', 'ceo', 'now').stateOf('a')).toBe('waiting_approval');
  });

  test('a vote in the very moment of the deadline counts', () => {
    const driver = run({ timeoutMs: hourMs, onTimeout: 'reject' });
    driver.nowMs = driver.state.gates['a']!.deadlineMs!;
    driver.send({ type: 'timerFired', atMs: driver.nowMs, id: 'gate/a#1/deadline' }, driver.voteEvent('a', 'approve'));
    expect(driver.finished).toEqual({ status: 'completed' });
  });
});

test('a manual start', () => {
  const driver = new EngineDriver(buildPlan({ steps: { a: { automatic: false } } })).run();
  expect(driver.state).toMatchObject({ status: 'waiting_approval' });
  expect(driver.engine.waitsFor()).toEqual(['a:start']);
  expect(driver.vote('a:start', 'approve').finished).toEqual({ status: 'completed' });
});

test('automatic approval approves, but overrides nothing', () => {
  const gate = { op: 'metric' as const, name: 'ok' };
  const driver = new EngineDriver(
    buildPlan({ steps: { a: { approval: { quorum: 3, approvers: ['x', 'y', 'z'] } }, b: { after: ['a'], gate, gateText: 'ok' } } }),
    {
      engine: { autoApprove: true },
    },
  ).run();
  expect(driver.statesOf()).toEqual({ a: 'passed', b: 'blocked' });
  expect(lastAudit(driver, 'gate.approved')).toMatchObject({ actor: { id: 'auto' }, object: 'a' });
});

test('what a reader must see soon is urgent, an ordinary step is not', () => {
  const driver = new EngineDriver(buildPlan({ steps: { a: {}, b: { after: ['a'] }, c: { after: ['b'], approval: true } } }));
  const { engine } = driver;
  const answer = (step: string) => {
    const effect = { path: step, generation: 1, slot: 1, assignment: 1, mode: 'do' as const };
    engine.apply({
      type: 'replied',
      atMs: startMs,
      replies: [
        { ...effect, kind: 'assigned', agent: { id: 'x', role: 'developer', skills: [], executor: 'simulate', idempotent: true }, why: '' },
      ],
    });
    engine.decide(startMs);
    engine.apply({ type: 'effectEnded', atMs: startMs, effect, result: { status: 'success' } });
    engine.decide(startMs);
    return engine.takeChanges();
  };
  expect(answer('a')).toMatchObject({
    urgent: false,
    changes: {
      steps: [
        { step: 'a', state: 'passed' },
        { step: 'b', state: 'ready' },
      ],
    },
  });
  expect(engine.hasChanges()).toEqual({ any: false, urgent: false });
  expect(answer('b').urgent).toBe(false);
  expect(answer('c')).toMatchObject({
    urgent: true,
    changes: { run: { status: 'waiting_approval', waitsFor: ['c'] }, gates: [{ gate: 'c', state: 'open' }] },
  });
});

describe('escalation_if', () => {
  const escalation = [{ afterMs: 60_000, to: ['eve'] }];
  const step = { escalationIf: ['Too Risky'], approval: { approvers: ['ana'] } };
  const askedWith = (result: object, options: object = {}): string[] | undefined =>
    new EngineDriver(buildPlan({ steps: { a: step }, escalation }), { behave: () => ({ result }), ...options }).run().state.gates['a']
      ?.approvers;

  test.each<[string, object, string[]]>([
    ['a reason', { reasons: ['this is too risky for now'] }, ['ana', 'eve']],
    ['a risk', { risks: ['TOO RISKY'] }, ['ana', 'eve']],
    ['nothing of the kind', { reasons: ['fine'], summary: 'not too risky' }, ['ana']],
  ])('%s in the result', (_, result, approvers) => {
    expect(askedWith(result)).toEqual(approvers);
  });

  test('is not looked at in a run that follows the rules of before', () => {
    expect(askedWith({ risks: ['too risky'] }, { engine: { version: 1 } })).toEqual(['ana']);
  });
});

test('an end withdraws what is open in one order, whether or not the run was saved in between', () => {
  for (const restoreAlways of [false, true]) {
    const driver = new EngineDriver(buildPlan({ steps: { a: { approval: true }, b: { approval: true } } }), { restoreAlways }).run();
    driver.adjust({ kind: 'retry_step', step: 'a' });
    driver.cancel();
    const withdrawn = driver.audit().filter(({ action, reason }) => action === 'gate.withdrawn' && reason?.includes('cancelled'));
    expect(withdrawn.map(({ object }) => object)).toEqual(['a', 'b']);
  }
});
