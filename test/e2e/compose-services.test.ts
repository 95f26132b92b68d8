import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as PostgresClient } from 'pg';
import { parse } from 'yaml';
import { connectVapora } from '../../client/connect';
import { waitForResult } from '../../client/run-outcome';
import { startRun } from '../../client/start-run';
import { startCliProcess } from '../support/cli-process';
import { createTestNamespace, testTemporalAddress } from '../support/environment';
import { instantAgents } from '../support/vapora';

interface Service {
  command: string[];
  environment: Record<string, string>;
}

const { services } = parse(readFileSync(join(__dirname, '..', '..', 'docker-compose.yml'), 'utf8')) as {
  services: Record<string, Service>;
};

const adminUrl = new URL(process.env['VAPORA_TEST_ADMIN_URL'] ?? 'postgres://unset');
const database = `compose_${randomUUID().replaceAll('-', '')}`;
const role = `app_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
const folder = mkdtempSync(join(tmpdir(), 'vapora-compose-'));
let namespace: string;

beforeAll(async () => {
  namespace = await createTestNamespace();
  await runAsAdmin(`create database ${database}`);
});
afterAll(async () => {
  await runAsAdmin(`drop database if exists ${database} with (force)`);
  await runAsAdmin(`drop role if exists ${role}`);
  rmSync(folder, { recursive: true, force: true });
});

/** The service's environment with this machine's addresses in the place of the containers' names. */
function environmentOf(service: Service): Record<string, string> {
  const translate = (name: string, written: string): string => {
    // As Compose fills in a variable that is not set.
    const value = written.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');
    if (name === 'TEMPORAL_ADDRESS') return testTemporalAddress();
    if (name === 'TEMPORAL_NAMESPACE') return namespace;
    if (!value.startsWith('postgres://')) return value;
    const url = new URL(value);
    expect(url.host).toBe('postgres:5432');
    expect(url.pathname).toBe('/vapora');
    url.host = adminUrl.host;
    url.pathname = `/${database}`;
    // Roles belong to the whole server, which other tests share: its owner and a role of this test's own.
    if (url.username === 'postgres') Object.assign(url, { username: adminUrl.username, password: adminUrl.password });
    else url.username = role;
    return url.href;
  };
  return Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, translate(name, value)]));
}

test('the commands of migrate and worker, run as processes, serve a run', async () => {
  const { migrate, worker } = services as { migrate: Service; worker: Service };
  const migration = startCliProcess(migrate.command, { cwd: folder, variables: environmentOf(migrate) });
  expect({ ...(await migration.exited), stderr: migration.output.stderr }).toMatchObject({ exitCode: 0 });
  expect(migration.output.stderr).not.toContain('warning');

  const variables = environmentOf(worker);
  const serving = startCliProcess(worker.command, { cwd: folder, variables });
  const client = connectVapora({ variables, cwd: folder });
  try {
    const source = 'Workflow: composed\nSteps:\n  a: { agent: developer }\n  b: { agent: tester, dependencies: [a] }\n';
    await startRun(client, { definition: 'composed', input: { source, agents: instantAgents } });
    expect(await waitForResult(client, 'composed')).toMatchObject({ status: 'completed' });
  } finally {
    await client.close();
    serving.child.kill('SIGTERM');
    expect(await serving.exited).toMatchObject({ exitCode: 0 });
  }
});

async function runAsAdmin(statement: string): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = '/postgres';
  const client = new PostgresClient({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
