import { sql } from 'kysely';
import type { AuditEntry } from '../../core/contract/local-activities';
import { appendAudit, listAudit, verifyAudit } from '../../db/queries/audit';
import { asOwner, type DatabaseFixture, makeRun, openDatabase, startedAtMs } from './db-fixture';

jest.setTimeout(60_000);

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openDatabase();
});
afterAll(() => fixture.close());

function entry(n: number): AuditEntry {
  return {
    atMs: startedAtMs + n,
    actor: { kind: 'person', id: 'ana "the" ünïcode \u2028 \ud83d\ude80', assurance: 'local' },
    action: 'gate.approved',
    object: `g${n}`,
    reason: `line ${n}\n\u0000\ud800`,
    details: { n: 1e21, small: 1e-7, list: [1, null, { b: 1, a: 2 }] },
  };
}

async function runWithLines(count: number): Promise<string> {
  const { run } = await makeRun(fixture.db, []);
  await appendAudit(
    fixture.db,
    run.rootRunId,
    Array.from({ length: count }, (_, n) => entry(n)),
  );
  return run.rootRunId;
}

describe('the application cannot change what is audited', () => {
  test.each([
    ['update', `update audit_events set body = '{}'`],
    ['delete', 'delete from audit_events'],
    ['truncate', 'truncate audit_events'],
    ['insert', `insert into audit_events values ('r', 1, repeat('0', 64), repeat('0', 64), '{}')`],
    ['drop', 'drop table audit_events'],
    ['replace the function', `create or replace function append_audit(text, text[]) returns bigint language sql as 'select 1::bigint'`],
    ['disable what protects it', 'alter table audit_events disable trigger all'],
    ['become the owner', 'set role vapora'],
  ])('%s', async (_name, statement) => {
    await expect(sql.raw(statement).execute(fixture.db)).rejects.toThrow(/permission denied|must be owner/);
  });

  test.each(['plans', 'definitions', 'agent_sets', 'artifacts'])('nor what is published in %s', async (table) => {
    await expect(sql.raw(`delete from ${table}`).execute(fixture.db)).rejects.toThrow(/permission denied/);
  });

  test('a planted function or table on the search path does not get into the chain', async () => {
    const rootRunId = await runWithLines(1);
    await fixture.db.connection().execute(async (one) => {
      await sql`create temporary table audit_events (root_run_id text, seq bigint, prev text, hash text, body text)`.execute(one);
      await appendAudit(one, rootRunId, [entry(1)]);
      expect(await verifyAudit(one, rootRunId)).toMatchObject({ ok: true, checked: 3 });
      await sql`drop table pg_temp.audit_events`.execute(one);
    });
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: true, checked: 3 });
  });

  test('what is no JSON object is refused', async () => {
    const rootRunId = await runWithLines(1);
    await expect(sql`select append_audit(${rootRunId}, array['{"a":1}', 'x"y'])`.execute(fixture.db)).rejects.toThrow(/JSON object/);
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: true, checked: 2 });
  });
});

describe('the chain', () => {
  test('has no forks when many append at once', async () => {
    const rootRunId = await runWithLines(0);
    await Promise.all(Array.from({ length: 40 }, (_, n) => appendAudit(fixture.db, rootRunId, [entry(n), entry(n)])));
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: true, checked: 81 });
    const lines = await listAudit(fixture.db, rootRunId, { fromSeq: 80 });
    expect(lines.map(({ seq }) => seq)).toEqual([80, 81]);
    expect(lines[0]?.event).toMatchObject({ action: 'gate.approved', details: { n: 1e21, list: [1, null, { a: 2, b: 1 }] } });
  });

  test('a failed transaction leaves nothing', async () => {
    const rootRunId = await runWithLines(1);
    const failing = fixture.db.transaction().execute(async (trx) => {
      await appendAudit(trx, rootRunId, [entry(1)]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: true, checked: 2 });
  });

  // Line 1 is run.created; the tampering is done as the owner.
  test.each<[kind: string, seq: number, statement: string]>([
    ['changed', 3, `update audit_events set body = replace(body, 'g1', 'g9') where root_run_id = $1 and seq = 3`],
    ['changed', 3, `update audit_events set hash = repeat('a', 64) where root_run_id = $1 and seq = 3`],
    ['gap', 3, 'delete from audit_events where root_run_id = $1 and seq = 3'],
    ['gap', 1, 'delete from audit_events where root_run_id = $1 and seq < 3'],
    ['reordered', 3, 'update audit_events set seq = case seq when 3 then 4003 else 4004 end where root_run_id = $1 and seq in (3, 4)'],
    [
      'broken_link',
      3,
      `with forged as (
         select root_run_id, seq, repeat('b', 64) as prev, body from audit_events where root_run_id = $1 and seq = 3
       ) update audit_events a set prev = f.prev, hash = encode(sha256(convert_to(
           '{"event":' || f.body || ',"prev":"' || f.prev || '","run":"' || f.root_run_id || '","seq":3}', 'UTF8')), 'hex')
         from forged f where a.root_run_id = f.root_run_id and a.seq = f.seq`,
    ],
    [
      'broken_link',
      4,
      `with forged as (
         select root_run_id, seq, prev, replace(body, 'g1', 'g9') as body from audit_events where root_run_id = $1 and seq = 3
       ) update audit_events a set body = f.body, hash = encode(sha256(convert_to(
           '{"event":' || f.body || ',"prev":"' || f.prev || '","run":"' || f.root_run_id || '","seq":3}', 'UTF8')), 'hex')
         from forged f where a.root_run_id = f.root_run_id and a.seq = f.seq`,
    ],
  ])('verify finds %s at line %i', async (kind, seq, statement) => {
    const rootRunId = await runWithLines(5);
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: true, checked: 6 });
    await asOwner(fixture, statement, [rootRunId]);
    // Exchanging two numbers takes a second statement: the key is checked row by row.
    await asOwner(fixture, 'update audit_events set seq = 4007 - seq where root_run_id = $1 and seq > 4000', [rootRunId]);
    expect(await verifyAudit(fixture.db, rootRunId)).toMatchObject({ ok: false, firstProblem: { kind, seq } });
  });
});
