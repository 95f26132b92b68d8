import { randomBytes } from 'node:crypto';
import type { AuditEntry, RunChanges } from '../../core/contract/local-activities';
import { listAudit, verifyAudit } from '../../db/queries/audit';
import { recordChanges } from '../../db/queries/recording';
import { countRefusals, summarizeRefusals } from '../../db/queries/refusals';
import { loadRunStatus } from '../../db/queries/runs';
import { assignWave } from '../../db/queries/waves';
import {
  agent,
  asOwner,
  changes,
  type DatabaseFixture,
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

/** Longer than what fits into an entry of an index, and not to be compressed. */
const endless = randomBytes(4_000).toString('hex');
const readied = (object: string, atMs = startedAtMs): AuditEntry => ({
  atMs,
  actor: { kind: 'engine', id: 'vapora' },
  action: 'step.readied',
  object,
});
const step = { step: 'build', phase: 'p', state: 'ready' as const, generation: 1, role: 'developer' };
const gate = {
  gate: 'g',
  generation: 1,
  kind: 'approval' as const,
  state: 'open' as const,
  approvers: [],
  quorum: 1,
  barred: [],
  isOverride: false,
};
const vote = {
  gate: 'g',
  generation: 1,
  by: 'ana',
  decision: 'approve' as const,
  atMs: startedAtMs,
  assurance: 'local' as const,
  counted: true,
};
const alert = { step: 'watch', name: 'errors', severity: 'high', message: 'many', state: 'raised' as const, atMs: startedAtMs };

/** One of each: what can be recorded. */
const good: Partial<RunChanges> = {
  run: { status: 'in_progress', phase: 'p', progress: 0.5, waitsFor: [] },
  steps: [step],
  gates: [gate],
  votes: [vote],
  alerts: [alert],
  audit: [readied('before'), readied('after')],
};

async function refusalsOf({ run }: TestRun) {
  return asOwner(fixture, 'select kind, object, code, item, error from recording_refusals where root_run_id = $1 order by id', [
    run.rootRunId,
  ]);
}

async function toldBy({ run }: TestRun): Promise<string[]> {
  const lines = await listAudit(fixture.db, run.rootRunId, { fromSeq: 2 });
  return lines.map(({ event }) => `${event.action} ${event.object}`);
}

type Bad = { kind: string; object: string; code: string | null; changes: Partial<RunChanges> };

test.each<[name: string, bad: Bad]>([
  [
    'a status that the schema does not know',
    { kind: 'run', object: '', code: '23514', changes: { run: { status: 'dancing' as never, phase: null, progress: 0, waitsFor: [] } } },
  ],
  [
    'a generation beyond the column',
    { kind: 'step', object: 'x', code: '22003', changes: { steps: [step, { ...step, step: 'x', generation: 2 ** 40 }] } },
  ],
  [
    'an unknown kind of gate',
    { kind: 'gate', object: 'x', code: '23514', changes: { gates: [gate, { ...gate, gate: 'x', kind: 'party' as never }] } },
  ],
  ['a voter whose name no index holds', { kind: 'vote', object: 'g', code: '54000', changes: { votes: [{ ...vote, by: endless }, vote] } }],
  [
    'a time that is none',
    { kind: 'alert', object: 'x', code: null, changes: { alerts: [{ ...alert, step: 'x', atMs: Number.NaN }, alert] } },
  ],
  [
    'a line without a time',
    { kind: 'audit', object: 'x', code: null, changes: { audit: [readied('before'), readied('x', Infinity), readied('after')] } },
  ],
])('%s is kept apart, and holds up nothing else', async (_name, bad) => {
  const of = await makeRun(fixture.db, []);
  const record = () =>
    recordChanges(fixture.db, { run: of.run, atMs: startedAtMs, changes: changes({ ...good, ...bad.changes, historyLength: 5 }) });
  expect(await record()).toMatchObject({ refused: 1 });

  const object = bad.kind === 'run' ? of.run.workflowId : bad.object;
  expect(await refusalsOf(of)).toMatchObject([{ kind: bad.kind, object, code: bad.code }]);
  expect((await toldBy(of)).sort()).toEqual([`recording.refused ${object}`, 'step.readied after', 'step.readied before'].sort());
  const view = await loadRunStatus(fixture.db, of.run.workflowId);
  expect(view).toMatchObject({
    status: bad.kind === 'run' ? 'created' : 'in_progress',
    steps: [{ id: 'build', state: 'ready' }],
    gates: [{ id: 'g', votes: [{ by: 'ana' }] }],
    alerts: [{ step: 'watch' }],
    recording: { refused: 1 },
  });
  expect(await verifyAudit(fixture.db, of.run.rootRunId)).toMatchObject({ ok: true });

  // Carried out again, it says nothing twice.
  await record();
  expect(await toldBy(of)).toHaveLength(3);
  expect(await countRefusals(fixture.db, of.run.rootRunId)).toBe(1);
  expect(await summarizeRefusals(fixture.db)).toMatchObject({
    count: expect.any(Number),
    newest: { id: of.run.workflowId, kind: bad.kind, object },
  });
});

test('what is refused is kept as it was, with the reason in the audit', async () => {
  const of = await makeRun(fixture.db, []);
  const refused = { ...gate, gate: 'x', kind: 'party' as never, prompt: 'a \u0000 b' };
  await recordChanges(fixture.db, { run: of.run, atMs: startedAtMs, changes: changes({ gates: [refused] }) });
  const [row] = await refusalsOf(of);
  expect(JSON.parse(String(row?.['item']))).toEqual({ ...refused, prompt: 'a \ufffd b' });
  const [line] = await listAudit(fixture.db, of.run.rootRunId, { fromSeq: 2 });
  expect(line?.event).toMatchObject({
    action: 'recording.refused',
    object: 'x',
    outcome: 'gate',
    reason: expect.stringMatching(/approvals_kind_check.*SQLSTATE 23514/),
  });
});

test('of a wave, the assignment that is refused waits with the reason; the others and the changes are recorded', async () => {
  const of = await makeRun(fixture.db, [agent('hal', { role: 'pilot', capacity: 5 })]);
  const requests = [request('a', { role: 'pilot' }), request(endless, { role: 'pilot' }), request('b', { role: 'pilot' })];
  const changed = changes({ ...good, votes: [{ ...vote, by: endless }, vote] });
  const { replies, refused } = await assignWave(fixture.db, wave(of, requests, { changes: changed }));
  expect(replies).toMatchObject([
    { path: 'a', kind: 'assigned', agent: { id: 'hal' } },
    { path: endless, kind: 'busy', reason: expect.stringMatching(/the database refuses to record it: .*index.*SQLSTATE 54000/) },
    { path: 'b', kind: 'assigned', agent: { id: 'hal' } },
  ]);
  expect(refused).toBe(2);
  expect(await refusalsOf(of)).toMatchObject([{ kind: 'vote' }, { kind: 'assignment', object: endless }]);
  expect(await asOwner(fixture, 'select count(*)::int as n from agent_leases')).toEqual([{ n: 2 }]);
  // It is asked for again and again: that is said once.
  await assignWave(fixture.db, wave(of, [requests[1]!]));
  expect(await refusalsOf(of)).toHaveLength(2);
  expect(await verifyAudit(fixture.db, of.run.rootRunId)).toMatchObject({ ok: true });
});

test('agents that are not in the database: the steps wait, with the reason', async () => {
  const of = await makeRun(fixture.db, []);
  const lost = { ...of, agentSet: 'f'.repeat(64) };
  const { replies } = await assignWave(fixture.db, wave(lost, [request('a')], { changes: changes(good) }));
  expect(replies).toMatchObject([{ kind: 'busy', reason: expect.stringContaining('no agent set') }]);
  expect(await toldBy(of)).toEqual(['step.readied before', 'step.readied after', 'recording.refused a']);
});

test('a database that is not as it should be refuses nothing for good: the caller tries again until it is', async () => {
  const of = await makeRun(fixture.db, []);
  const record = () => recordChanges(fixture.db, { run: of.run, atMs: startedAtMs, changes: changes({ ...good, historyLength: 5 }) });
  await asOwner(fixture, 'alter table alerts rename to elsewhere');
  try {
    await expect(record()).rejects.toMatchObject({ code: '42P01' });
    expect(await toldBy(of)).toEqual([]);
  } finally {
    await asOwner(fixture, 'alter table elsewhere rename to alerts');
  }
  expect(await record()).not.toHaveProperty('refused');
  expect(await refusalsOf(of)).toEqual([]);
});

test('the application can add refusals, and can change none', async () => {
  await expect(fixture.db.deleteFrom('recording_refusals').execute()).rejects.toThrow(/permission denied/);
  await expect(fixture.db.updateTable('recording_refusals').set({ error: '' }).execute()).rejects.toThrow(/permission denied/);
});
