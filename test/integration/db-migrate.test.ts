import { Client } from 'pg';
import { connectDatabase } from '../../db/connect';
import { sha256Hex } from '../../db/hash';
import { migrateDatabase, migrationStatus } from '../../db/migrate';
import { migrations } from '../../db/migrations';
import { appendAudit, verifyAudit } from '../../db/queries/audit';
import { asOwner, type DatabaseFixture, openDatabase } from './db-fixture';

jest.setTimeout(60_000);

describe('migrations', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => {
    fixture = await openDatabase();
  });
  afterAll(() => fixture.close());

  test('a second call finds nothing to do', async () => {
    const report = await migrateDatabase({ adminUrl: fixture.test.adminUrl });
    expect(report).toMatchObject({ applied: [], appRoleIsOwner: false });
    expect(await migrationStatus(fixture.test.databaseUrl)).toMatchObject({ pending: [], unknown: [], changed: [], upToDate: true });
  });

  test('several at once on an empty database apply each migration once', async () => {
    const name = `${fixture.test.name}_empty`;
    await asOwner(fixture, `create database ${name}`);
    const url = new URL(fixture.test.adminUrl);
    url.pathname = `/${name}`;
    try {
      const reports = await Promise.all(Array.from({ length: 4 }, () => migrateDatabase({ adminUrl: url.href, appRole: `role_${name}` })));
      const versions = reports.flatMap(({ applied }) => applied.map(({ version }) => version));
      expect(versions.sort((a, b) => a - b)).toEqual(migrations.map(({ version }) => version));
      expect(await migrationStatus(url.href)).toMatchObject({ upToDate: true });
    } finally {
      await asOwner(fixture, `drop database ${name} with (force)`);
      await asOwner(fixture, `drop role role_${name}`);
    }
  });

  test('a database of the first two migrations is taken along, with what it has recorded', async () => {
    const name = `${fixture.test.name}_old`;
    await asOwner(fixture, `create database ${name}`);
    const [admin, app] = [new URL(fixture.test.adminUrl), new URL(fixture.test.databaseUrl)];
    admin.pathname = app.pathname = `/${name}`;
    const old = new Client({ connectionString: admin.href });
    await old.connect();
    try {
      await old.query(
        'create table schema_migrations (version integer primary key, name text, checksum text, applied_at timestamptz default now())',
      );
      for (const { version, name: title, sql } of migrations.slice(0, 2)) {
        await old.query(sql);
        await old.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [version, title, sha256Hex(sql)]);
      }
      await old.query(`select append_audit('r', array['{"n":1}', '{"n":2}'])`);
      await old.query(
        `insert into recordings values ('r', 'first', 30001), ('r', 'first', 90002), ('r', 'second', 70001), ('r', 'second', 110003)`,
      );

      expect(await migrateDatabase({ adminUrl: admin.href, appRole: app.username })).toMatchObject({
        applied: migrations.slice(2).map(({ version }) => ({ version })),
      });
      const { rows } = await old.query('select run_id, history_length::int from recordings order by ordinal');
      expect(rows).toEqual([
        { run_id: 'first', history_length: 9 },
        { run_id: 'second', history_length: 11 },
      ]);
      const db = await connectDatabase(app.href);
      try {
        await appendAudit(db, 'r', [{ atMs: 0, actor: { kind: 'engine', id: 'vapora' }, action: 'step.passed', object: 'a' }]);
        expect(await verifyAudit(db, 'r')).toMatchObject({ ok: true, checked: 3 });
      } finally {
        await db.destroy();
      }
    } finally {
      await old.end();
      await asOwner(fixture, `drop database ${name} with (force)`);
    }
  });

  test('a database migrated by another text is refused', async () => {
    const [row] = await asOwner(fixture, 'select checksum from schema_migrations where version = 1');
    await asOwner(fixture, `update schema_migrations set checksum = 'other' where version = 1`);
    try {
      await expect(migrateDatabase({ adminUrl: fixture.test.adminUrl })).rejects.toMatchObject({ code: 'refused' });
      expect(await migrationStatus(fixture.test.adminUrl)).toMatchObject({ changed: [{ version: 1 }], upToDate: false });
    } finally {
      await asOwner(fixture, 'update schema_migrations set checksum = $1 where version = 1', [row?.['checksum']]);
    }
  });

  test('no server: unavailable, with a hint and without the password', async () => {
    const failure = connectDatabase('postgres://me:secret@127.0.0.1:1/none');
    await expect(failure).rejects.toMatchObject({ code: 'unavailable', hint: expect.stringContaining('vapora dev') });
    await expect(failure).rejects.not.toThrow(/secret/);
  });
});
