import { randomUUID } from 'node:crypto';
import type { GateProjection } from '../../core/contract/local-activities';
import { insertArtifact, loadArtifact } from '../../db/queries/artifacts';
import { listAudit } from '../../db/queries/audit';
import { findDefinition, findPlanText, listDefinitions, publishDefinition } from '../../db/queries/definitions';
import { beginAttempt, finishEffect } from '../../db/queries/effects';
import { listOpenGates } from '../../db/queries/gates';
import { recordChanges } from '../../db/queries/recording';
import { findRun, insertRun, listRunRows, loadRunStatus, loadTimeline } from '../../db/queries/runs';
import { assignWave } from '../../db/queries/waves';
import { buildPlan } from '../support/plan-builder';
import {
  agent,
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

const plan = buildPlan({
  title: 'Two steps',
  plannedMs: 120_000,
  phases: [
    { id: 'build', title: 'Build' },
    { id: 'review', plannedMs: 60_000 },
  ],
  steps: {
    code: { estimateMs: 60_000 },
    review: { phase: 'review', role: 'code-reviewer', estimateMs: 60_000, after: ['code'], approval: true },
  },
});

describe('definitions', () => {
  const publish = (id: string, planHash: string) =>
    publishDefinition(fixture.db, {
      id,
      source: `source ${planHash}`,
      format: 'yaml',
      planText: `{"p":"${planHash}"}`,
      planHash: planHash.repeat(64),
    });

  test('versions are integers from 1, the same plan is the same version', async () => {
    expect(await publish('f', 'a')).toEqual({ id: 'f', version: 1, isNew: true });
    expect(await publish('f', 'b')).toEqual({ id: 'f', version: 2, isNew: true });
    expect(await publish('f', 'a')).toEqual({ id: 'f', version: 1, isNew: false });
    expect(await findDefinition(fixture.db, 'f')).toMatchObject({ version: 2, source: 'source b' });
    expect(await findDefinition(fixture.db, 'f', 1)).toMatchObject({ version: 1, source: 'source a' });
    expect(await findDefinition(fixture.db, 'f', 3)).toBeUndefined();
    expect(await findPlanText(fixture.db, 'a'.repeat(64))).toBe('{"p":"a"}');
    expect(await findPlanText(fixture.db, '9'.repeat(64))).toBeNull();
    expect(await listDefinitions(fixture.db)).toMatchObject([{ id: 'f', version: 2, versions: 2 }]);
  });

  test('published at once they get numbers without gaps', async () => {
    const digits = [...'0123456789'];
    const published = await Promise.all(digits.flatMap((digit) => [publish('race', digit), publish('race', digit)]));
    expect(
      published
        .filter(({ isNew }) => isNew)
        .map(({ version }) => version)
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(new Set(published.map(({ version }) => version)).size).toBe(10);
  });
});

test('artifacts are kept once, by their bytes', async () => {
  const bytes = new Uint8Array([0, 255, 10, 0]);
  const sha256 = await insertArtifact(fixture.db, bytes, 'application/octet-stream');
  expect(await insertArtifact(fixture.db, bytes, 'text/plain')).toBe(sha256);
  expect(await loadArtifact(fixture.db, `sha256:${sha256}`)).toMatchObject({
    mediaType: 'application/octet-stream',
    bytes: Buffer.from(bytes),
  });
  expect(await loadArtifact(fixture.db, 'f'.repeat(64))).toBeUndefined();
});

describe('runs', () => {
  test('inserting twice makes one run and one line; a new run of the same workflow id is the newest', async () => {
    const of = await makeRun(fixture.db, [agent('r1')], plan);
    const row = await findRun(fixture.db, of.run.workflowId);
    expect(row).toMatchObject({ rootRunId: of.run.rootRunId, status: 'created', initiator: 'ana', startedAt: new Date(startedAtMs) });
    const again = (rootRunId: string, runId: string) =>
      insertRun(fixture.db, {
        run: { rootRunId, runId, workflowId: of.run.workflowId },
        definition: 'feature',
        version: 3,
        planHash: row!.planHash,
        agentSet: of.agentSet,
        initiator: 'bo',
        inputs: { list: [1] },
        timeScale: 60,
        seed: 'x',
        startedAtMs,
      });
    await again(of.run.rootRunId, 'after-reset');
    expect(await findRun(fixture.db, of.run.rootRunId)).toMatchObject({ runId: 'after-reset', initiator: 'ana' });
    expect(await listAudit(fixture.db, of.run.rootRunId)).toHaveLength(1);
    const second = randomUUID();
    await again(second, second);
    expect(await findRun(fixture.db, of.run.workflowId)).toMatchObject({
      rootRunId: second,
      version: 3,
      inputs: { list: [1] },
      timeScale: 60,
    });
    expect(await findRun(fixture.db, of.run.rootRunId)).toMatchObject({ rootRunId: of.run.rootRunId });
    expect(await findRun(fixture.db, 'nobody\u0000')).toBeNull();
  });

  test('lists are filtered and newest first', async () => {
    const [one, two] = [await makeRun(fixture.db, [agent('l1')]), await makeRun(fixture.db, [agent('l1')])];
    await recordChanges(fixture.db, {
      run: two.run,
      atMs: startedAtMs,
      changes: changes({ run: { status: 'failed', phase: null, progress: 0.5, waitsFor: [], reason: 'no', endedAtMs: startedAtMs + 1 } }),
    });
    expect((await listRunRows(fixture.db, { limit: 2 })).map(({ id }) => id)).toEqual([two.run.workflowId, one.run.workflowId]);
    expect(await listRunRows(fixture.db, { status: 'failed' })).toMatchObject([
      { id: two.run.workflowId, endedAt: new Date(startedAtMs + 1).toISOString() },
    ]);
    expect(await listRunRows(fixture.db, { definition: 'none' })).toEqual([]);
  });
});

describe('status and timeline from Postgres', () => {
  let of: TestRun;
  beforeEach(async () => {
    of = await makeRun(fixture.db, [agent('dev', { capacity: 1_000 }), agent('rev', { role: 'code-reviewer', capacity: 1_000 })], plan);
  });
  const status = async () => (await loadRunStatus(fixture.db, of.run.workflowId, startedAtMs + 60_000))!;
  const work = async (path: string, agentId: string) => {
    await beginAttempt(fixture.db, { run: of.run, effect: effect(path), attempt: 1, workerIdentity: 'w', atMs: startedAtMs + 1_000 });
    await finishEffect(fixture.db, {
      run: of.run,
      effect: effect(path),
      attempt: 1,
      agentId,
      outcome: 'success',
      result: { status: 'success', summary: `${path} is done`, metrics: { coverage: 90 } },
      atMs: startedAtMs + 11_000,
    });
  };

  test('an unknown run is null', async () => {
    expect(await loadRunStatus(fixture.db, 'nobody')).toBeNull();
    expect(await loadTimeline(fixture.db, 'nobody')).toBeNull();
  });

  test('before anything is recorded all steps of the plan are pending', async () => {
    expect(await status()).toMatchObject({
      title: 'Two steps',
      status: 'created',
      phaseCount: 2,
      phases: [
        { id: 'build', title: 'Build', state: 'pending', done: 0, total: 1 },
        { id: 'review', title: 'review', plannedMs: 60_000 },
      ],
      steps: [
        { id: 'code', state: 'pending', agent: null },
        { id: 'review', state: 'pending' },
      ],
      totals: { steps: 2, gates: 0, alerts: 0 },
      timeline: { plannedMs: 120_000, elapsedMs: 60_000, etaP50: 180_000 },
    });
  });

  test('what agents recorded since the last projection is merged in', async () => {
    await assignWave(
      fixture.db,
      wave(of, [request('code'), request('review', { role: 'code-reviewer' })], {
        changes: changes({
          steps: ['code', 'review'].map((step) => ({ step, phase: 'build', state: 'assigned' as const, generation: 1, role: 'developer' })),
        }),
      }),
    );
    expect((await status()).steps).toMatchObject([
      { state: 'assigned', agent: 'dev' },
      { state: 'assigned', agent: 'rev' },
    ]);
    await work('code', 'dev');
    await work('review', 'rev');
    // An approval follows the review: its agent's success does not pass it.
    expect((await status()).steps).toMatchObject([
      { id: 'code', state: 'passed', progress: 1, message: 'code is done', endedAt: new Date(startedAtMs + 11_000).toISOString() },
      { id: 'review', state: 'running', message: 'review is done' },
    ]);
    expect(await loadTimeline(fixture.db, of.run.workflowId)).toEqual({
      steps: ['code', 'review'].map((step, n) => ({
        step,
        generation: 1,
        slot: 1,
        agent: n === 0 ? 'dev' : 'rev',
        startedAt: new Date(startedAtMs + 1_000).toISOString(),
        endedAt: new Date(startedAtMs + 11_000).toISOString(),
        outcome: 'success',
        mode: 'do',
        estimateMs: 60_000,
      })),
    });
  });

  test('an execution of an older generation does not speak for the step', async () => {
    await assignWave(fixture.db, wave(of, [request('code')]));
    await work('code', 'dev');
    await recordChanges(fixture.db, {
      run: of.run,
      atMs: startedAtMs,
      changes: changes({ steps: [{ step: 'code', phase: 'build', state: 'ready', generation: 2, role: 'developer', reason: 'rework' }] }),
    });
    expect((await status()).steps[0]).toMatchObject({ state: 'ready', generation: 2, reason: 'rework', agent: null });
  });

  test('gates with votes and what the approver should read; alerts; ignored signals', async () => {
    await assignWave(fixture.db, wave(of, [request('review', { role: 'code-reviewer' })]));
    await work('review', 'rev');
    const gate: GateProjection = {
      gate: 'review',
      step: 'review',
      generation: 1,
      kind: 'approval',
      state: 'open',
      approvers: ['ana', 'bo'],
      barred: [{ id: 'ivo', why: 'initiator' }],
      isOverride: false,
      quorum: 2,
      openedAtMs: startedAtMs,
      deadlineMs: startedAtMs + 86_400_000,
    };
    const vote = { gate: 'review', generation: 1, by: 'ana', atMs: startedAtMs + 5, assurance: 'local' as const };
    await recordChanges(fixture.db, {
      run: of.run,
      atMs: startedAtMs,
      changes: changes({
        historyLength: 1,
        gates: [{ ...gate, state: 'pending' }, gate],
        votes: [
          { ...vote, decision: 'reject', counted: true },
          { ...vote, decision: 'approve', reason: 'ok', counted: true },
          { ...vote, by: 'eve', decision: 'approve', counted: false },
        ],
        alerts: [
          { step: 'watch', name: 'errors', severity: 'high', message: 'many', state: 'raised', atMs: startedAtMs },
          { step: 'watch', name: 'errors', severity: 'high', message: 'gone', state: 'cleared', atMs: startedAtMs + 1 },
        ],
        audit: [{ atMs: startedAtMs, actor: { kind: 'temporal', id: 'signal' }, action: 'signal.ignored', object: 'x', reason: 'unknown' }],
      }),
    });
    const view = await status();
    expect(view.gates).toEqual([
      {
        id: 'review',
        generation: 1,
        kind: 'approval',
        step: 'review',
        state: 'open',
        decision: null,
        approvers: ['ana', 'bo'],
        barred: [{ id: 'ivo', why: 'initiator' }],
        isOverride: false,
        quorum: 2,
        votes: [{ by: 'ana', assurance: 'local', decision: 'approve', reason: 'ok', at: new Date(startedAtMs + 5).toISOString() }],
        deadline: new Date(startedAtMs + 86_400_000).toISOString(),
        result: { summary: 'review is done', metrics: { coverage: 90 } },
      },
    ]);
    expect(view.alerts).toMatchObject([
      { name: 'errors', state: 'raised', message: 'many' },
      { name: 'errors', state: 'cleared', message: 'gone' },
    ]);
    expect(view.totals.alerts).toBe(2);
    expect(view.ignoredSignals).toBe(1);
    expect((await listOpenGates(fixture.db)).filter(({ run }) => run === of.run.workflowId)).toMatchObject([
      { rootRunId: of.run.rootRunId, gate: { id: 'review' } },
    ]);
    await recordChanges(fixture.db, {
      run: of.run,
      atMs: startedAtMs,
      changes: changes({ gates: [{ ...gate, state: 'decided', decision: 'approved', decidedAtMs: startedAtMs + 9 }] }),
    });
    expect((await status()).gates).toMatchObject([{ state: 'decided', decision: 'approved' }]);
    expect((await listOpenGates(fixture.db)).filter(({ run }) => run === of.run.workflowId)).toEqual([]);
  });
});
