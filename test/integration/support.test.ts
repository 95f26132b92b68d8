import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Connection } from '@temporalio/client';
import { Client } from 'pg';

import { ensureSearchAttributes, registerCommand, searchAttributeTypes } from '../../client/search-attributes';
import { diagnoseEnvironment } from '../../embedded/doctor';
import {
  createTestDatabase,
  createTestNamespace,
  testTemporalAddress,
  withTimeSkippingEnvironment,
  type TestDatabase,
} from '../support/environment';
import { findMarkedProcesses, testRunVariable } from '../support/processes';
import type { ListedProcess } from '../support/processes';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import { Hopeless } from '../support/wait-for';

jest.setTimeout(60_000);

async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  const databases: TestDatabase[] = [];
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  test('made at once are migrated and apart, and the app works as its own role', async () => {
    databases.push(...(await Promise.all([createTestDatabase(), createTestDatabase()])));
    const [one, two] = databases as [TestDatabase, TestDatabase];
    await query(one.adminUrl, 'create table only_here (x int)');
    expect(await query(two.adminUrl, `select to_regclass('only_here') as found`)).toEqual([{ found: null }]);
    expect(await query(two.databaseUrl, 'select current_user as role, count(*)::int as runs from runs')).toEqual([
      { role: 'vapora_app', runs: 0 },
    ]);
    await expect(query(two.databaseUrl, 'delete from audit_events')).rejects.toThrow(/permission denied/);
  });

  test('end when dropped, whoever is connected', async () => {
    const database = await createTestDatabase();
    const client = new Client({ connectionString: database.adminUrl });
    client.on('error', () => undefined);
    await client.connect();
    await database.drop();
    await expect(query(database.adminUrl, 'select 1')).rejects.toThrow(/does not exist/);
  });
});

describe('search attributes', () => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await Connection.connect({ address: testTemporalAddress() });
  });
  afterAll(() => connection.close());

  test('are registered once and usable at once, also by several at the same time', async () => {
    const namespace = await createTestNamespace();
    expect(await Promise.all([1, 2, 3].map(() => ensureSearchAttributes(connection, namespace)))).toEqual([[], [], []]);
    await connection.operatorService.removeSearchAttributes({ namespace, searchAttributes: ['VaporaPhase'] });
    const missing = await Promise.all([1, 2].map(() => ensureSearchAttributes(connection, namespace)));
    expect(missing.flat()).toContain('VaporaPhase');
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(customAttributes ?? {}).sort()).toEqual(Object.keys(searchAttributeTypes).sort());
  });

  test('that cannot be registered: the error names the command', async () => {
    await expect(ensureSearchAttributes(connection, 'no-such-namespace')).rejects.toMatchObject({
      code: 'not_registered',
      hint: expect.stringContaining(registerCommand('no-such-namespace')) as string,
    });
  });
});

test.each([
  [
    'failed while it was planned',
    'Workflow: unplannable\nSteps:\n  a: { agent: developer, dependencies: [nope] }\n',
    /has ended failed instead of waiting at a: .*nope/s,
  ],
  ['ended well', 'Workflow: gateless\nSteps:\n  a: { agent: developer }\n', /has ended completed instead of waiting at a/],
])('who waits for a run that has %s hears of it at once', async (_, source, message) => {
  const vapora = await startTestVapora();
  try {
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await expect(run.waitsAt('a')).rejects.toThrow(message);
    await expect(run.reaches('paused')).rejects.toThrow(Hopeless);
  } finally {
    await vapora.stop();
  }
});

test('time skips: an hour takes a moment; the server is found while it runs, and gone afterwards', async () => {
  let findServer = (): ListedProcess[] => [];
  await withTimeSkippingEnvironment(async (environment) => {
    const [, port = ''] = environment.address.split(':');
    // As the check for leaks finds what is left at the end: other test files have such servers at the same time.
    findServer = () =>
      findMarkedProcesses(process.env[testRunVariable] ?? '').filter(({ commandLine }) => commandLine.split(' ').includes(port));
    if (process.platform === 'linux') expect(findServer()).toHaveLength(1);
    const before = await environment.currentTimeMs();
    await environment.sleep('1 hour');
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(3_600_000);
  });
  if (process.platform === 'linux') expect(findServer()).toEqual([]);
});

test('doctor finds this machine, where all of this runs, in order', async () => {
  const findings = await diagnoseEnvironment({ projectDir: __dirname });
  expect(existsSync(join(__dirname, '.vapora'))).toBe(false); // looking changes nothing
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Node.js', 'embedded PostgreSQL', 'temporal CLI', 'data folder', 'setpriv', 'git']),
  );
});
