import type { BeginAttemptInput, FinishEffectInput } from '../../db/queries/effects';
import { beginAttempt, failAttempt, finishEffect, insertSamples, renewLease } from '../../db/queries/effects';
import { listAudit } from '../../db/queries/audit';
import { recordChanges } from '../../db/queries/recording';
import { assignWave } from '../../db/queries/waves';
import {
  agent,
  asOwner,
  changes,
  type DatabaseFixture,
  effect,
  makeRun,
  openDatabase,
  request,
  startedAtMs,
  type TestRun,
  wave,
} from './db-fixture';

jest.setTimeout(60_000);

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openDatabase();
});
afterAll(() => fixture.close());

let of: TestRun;
beforeEach(async () => {
  of = await makeRun(fixture.db, [agent('dev', { capacity: 100, cost: { usdPerHour: 36, usdPerMtokIn: 2 } })]);
  await assignWave(fixture.db, wave(of, [request('build')]));
});
// Every test starts with an idle agent.
afterEach(() => asOwner(fixture, 'delete from agent_leases'));

const begin = (attempt: number, overrides: Partial<BeginAttemptInput> = {}) =>
  beginAttempt(fixture.db, {
    run: of.run,
    effect: effect('build'),
    attempt,
    workerIdentity: `worker-${attempt}`,
    atMs: startedAtMs + attempt * 1_000,
    ...overrides,
  });

const finish = (attempt: number, overrides: Partial<FinishEffectInput> = {}) =>
  finishEffect(fixture.db, {
    run: of.run,
    effect: effect('build'),
    attempt,
    agentId: 'dev',
    outcome: 'success',
    result: { status: 'success', summary: 'done' },
    atMs: startedAtMs + 60_000,
    ...overrides,
  });

const fail = (attempt: number) =>
  failAttempt(fixture.db, {
    run: of.run,
    effect: effect('build'),
    attempt,
    agentId: 'dev',
    error: 'tests fail',
    atMs: startedAtMs + attempt * 1_000 + 500,
  });

const execution = () =>
  fixture.db.selectFrom('executions').selectAll().where('root_run_id', '=', of.run.rootRunId).executeTakeFirstOrThrow();
const attempts = async () =>
  (
    await fixture.db
      .selectFrom('execution_attempts')
      .selectAll()
      .where('execution_id', '=', (await execution()).id)
      .orderBy('attempt')
      .execute()
  ).map(({ attempt, state }) => `${attempt} ${state}`);
const leases = async () => (await fixture.db.selectFrom('agent_leases').selectAll().execute()).length;

test('begin, finish: one outcome with its cost, the lease freed, the line audited', async () => {
  expect(await begin(1)).toEqual({ kind: 'fresh', attempt: 1 });
  expect(await leases()).toBe(1);
  const result = { status: 'success' as const, metrics: { coverage: { value: 91, unit: '%' } }, cost: { tokens_in: 500_000 } };
  expect(await finish(1, { result, atMs: startedAtMs + 101_000 })).toEqual({ kind: 'recorded' });
  expect(await leases()).toBe(0);
  expect(await execution()).toMatchObject({
    state: 'ended',
    outcome: 'success',
    attempts: 1,
    duration_ms: 100_000,
    cost_usd: 2,
    tokens_in: 500_000,
    metrics: result.metrics,
    result,
  });
  const last = (await listAudit(fixture.db, of.run.rootRunId)).at(-1);
  expect(last?.event).toMatchObject({
    action: 'execution.succeeded',
    object: 'build',
    actor: { kind: 'agent', id: 'dev' },
    details: { attempt: 1 },
  });
});

test('what the agent says it cost wins over its rates', async () => {
  await begin(1);
  await finish(1, { result: { status: 'success', cost: { usd: 0.25 } } });
  expect(await execution()).toMatchObject({ cost_usd: 0.25 });
});

test('a success that is recorded is given back instead of being repeated', async () => {
  await begin(1);
  await finish(1);
  expect(await begin(2)).toMatchObject({
    kind: 'succeeded',
    result: { summary: 'done' },
    startedAtMs: startedAtMs + 1_000,
    endedAtMs: startedAtMs + 60_000,
  });
  expect(await attempts()).toEqual(['1 succeeded']);
});

test('of many finishers exactly one records, of the same attempt the others repeat', async () => {
  await begin(1);
  const kinds = (await Promise.all(Array.from({ length: 12 }, () => finish(1)))).map(({ kind }) => kind);
  expect(kinds.sort()).toEqual(['recorded', ...Array<string>(11).fill('repeated')]);
  const lines = await listAudit(fixture.db, of.run.rootRunId);
  expect(lines.filter(({ event }) => event.action === 'execution.succeeded')).toHaveLength(1);
});

test('a failed attempt reopens the intent', async () => {
  await begin(1);
  expect(await fail(1)).toEqual({ recorded: true });
  expect(await fail(1)).toEqual({ recorded: false });
  expect(await begin(2)).toEqual({ kind: 'fresh', attempt: 2 });
  expect(await finish(2)).toEqual({ kind: 'recorded' });
  expect(await attempts()).toEqual(['1 failed', '2 succeeded']);
  expect(await execution()).toMatchObject({ failure: null, duration_ms: 58_000 });
});

test('an attempt that was started and never ended is unknown, and its late end is refused', async () => {
  await begin(1);
  expect(await begin(2)).toEqual({ kind: 'unknown', previousAttempt: 1, attempt: 2 });
  expect(await finish(1)).toMatchObject({ kind: 'superseded', reason: 'attempt 2 owns it now' });
  expect(await fail(1)).toEqual({ recorded: false });
  expect(await finish(2)).toEqual({ kind: 'recorded' });
  expect(await attempts()).toEqual(['1 unknown', '2 succeeded']);
});

test('the same begin twice (an answer that got lost) is no new attempt', async () => {
  await begin(1);
  expect(await begin(1)).toEqual({ kind: 'fresh', attempt: 1 });
  expect(await attempts()).toEqual(['1 started']);
});

test('after a reset, when Temporal counts from 1 again, numbers go on', async () => {
  await begin(1);
  await fail(1);
  expect(await begin(1, { workerIdentity: 'other', atMs: startedAtMs + 9_000 })).toEqual({ kind: 'fresh', attempt: 2 });
});

test('an end recorded by the workflow stands against the late activity', async () => {
  await begin(1);
  const end = { ...effect('build'), outcome: 'failure' as const, atMs: startedAtMs + 5_000, failure: 'heartbeat timeout' };
  await recordChanges(fixture.db, { run: of.run, atMs: startedAtMs, changes: changes({ ends: [end] }) });
  expect(await leases()).toBe(0);
  expect(await finish(1)).toEqual({ kind: 'superseded', reason: 'it has ended already: failure (heartbeat timeout)' });
  expect(await begin(2)).toMatchObject({ kind: 'superseded' });
  expect(await renewLease(fixture.db, { run: of.run, effect: effect('build') })).toBe(false);
  expect(await attempts()).toEqual(['1 failed']);
});

test('an end that comes after the outcome changes nothing, and is not audited', async () => {
  await begin(1);
  await finish(1);
  const before = await listAudit(fixture.db, of.run.rootRunId);
  const end = { ...effect('build'), outcome: 'unknown' as const, atMs: startedAtMs };
  await recordChanges(fixture.db, { run: of.run, atMs: startedAtMs, changes: changes({ ends: [end] }) });
  expect(await execution()).toMatchObject({ outcome: 'success' });
  expect(await listAudit(fixture.db, of.run.rootRunId)).toHaveLength(before.length);
});

test.each([
  ['a newer assignment', { assignment: 2 }],
  ['a newer generation', { generation: 2 }],
])('%s takes the effect away', async (_name, newer) => {
  await begin(1);
  await assignWave(fixture.db, wave(of, [request('build', newer)]));
  expect(await finish(1)).toMatchObject({ kind: 'superseded', reason: expect.stringContaining('owns it now') });
  expect(await begin(2)).toMatchObject({ kind: 'superseded' });
  expect(await begin(1, { effect: effect('build', newer) })).toMatchObject({ kind: 'fresh' });
});

test('another slot, another step and the undo of the same step are other effects', async () => {
  await begin(1);
  await assignWave(
    fixture.db,
    wave(of, [request('build', { slot: 2 }), request('build', { mode: 'undo', generation: 1 }), request('other', { generation: 3 })]),
  );
  expect(await finish(1)).toEqual({ kind: 'recorded' });
});

test('without an intent nothing may begin', async () => {
  expect(await begin(1, { effect: effect('nobody-asked') })).toMatchObject({
    kind: 'superseded',
    reason: expect.stringContaining('no intent'),
  });
});

test('a lease that went to somebody else is taken anew, so that the load stays true', async () => {
  await begin(1);
  await asOwner(fixture, `update agent_leases set execution_id = -1`);
  expect(await renewLease(fixture.db, { run: of.run, effect: effect('build') })).toBe(true);
  expect(await leases()).toBe(2);
});

test('a lease that ran out is renewed in its place', async () => {
  await asOwner(fixture, `update agent_leases set expires_at = now() - interval '1 s'`);
  await begin(1);
  expect(await leases()).toBe(1);
  const [row] = await asOwner(fixture, 'select expires_at > now() as live from agent_leases');
  expect(row).toEqual({ live: true });
});

test('text that Postgres cannot keep is kept with replacement characters', async () => {
  await begin(1);
  await finish(1, { result: { status: 'success', summary: 'a\u0000b\ud800c', metrics: { 'x\u0000': 1 } } });
  expect((await execution()).result).toEqual({ status: 'success', summary: 'a\ufffdb\ufffdc', metrics: { 'x\ufffd': 1 } });
});

test('a monitor has begun with its first sample', async () => {
  const sample = { step: 'build', generation: 1, atMs: startedAtMs + 1_000, metrics: {} };
  await insertSamples(fixture.db, of.run, [{ ...sample, index: 0 }]);
  await insertSamples(fixture.db, of.run, [{ ...sample, index: 1, atMs: startedAtMs + 9_000 }]);
  expect(await execution()).toMatchObject({ state: 'running', started_at: new Date(startedAtMs + 1_000) });
});

test('samples are kept once', async () => {
  const sample = { step: 'watch', generation: 1, index: 0, atMs: startedAtMs, metrics: { error_rate: 0.01 } };
  await insertSamples(fixture.db, of.run, [sample, { ...sample, index: 1 }]);
  await insertSamples(fixture.db, of.run, [{ ...sample, metrics: { error_rate: 0.5 } }]);
  const rows = await fixture.db
    .selectFrom('monitor_samples')
    .select('metrics')
    .where('root_run_id', '=', of.run.rootRunId)
    .orderBy('idx')
    .execute();
  expect(rows.map(({ metrics }) => metrics)).toEqual([{ error_rate: 0.01 }, { error_rate: 0.01 }]);
});
