import { connectDatabase } from '../../db/connect';
import { migrations } from '../../db/migrations';
import { migrateDatabase, migrationStatus } from '../../db/migrate';
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
      expect(versions.sort()).toEqual(migrations.map(({ version }) => version));
      expect(await migrationStatus(url.href)).toMatchObject({ upToDate: true });
    } finally {
      await asOwner(fixture, `drop database ${name} with (force)`);
      await asOwner(fixture, `drop role role_${name}`);
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
