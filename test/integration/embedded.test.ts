import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time';
import { Client } from 'pg';

import { diagnoseEnvironment } from '../../embedded/doctor';
import type { Environment } from '../../embedded/environment';
import { parseEnvironmentFile, readEnvironmentFile, writeEnvironmentFile } from '../../embedded/environment-file';
import { canEnter } from '../../embedded/postgres-installation';
import { identifyProcess, isProcessAlive } from '../../embedded/process-identity';
import { searchAttributeTypes } from '../../client/search-attributes';
import {
  startEnvironmentProcess,
  type EnvironmentProcess,
  type EnvironmentProcessOptions,
  type ReadyEvent,
} from '../support/environment-processes';
import { findMarkedProcesses } from '../support/processes';

const repositoryDir = join(__dirname, '..', '..');
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

jest.setTimeout(120_000);

const running = new Set<EnvironmentProcess>();
const folders: string[] = [];
let mark: string;

beforeEach(() => {
  mark = randomUUID();
});

afterEach(async () => {
  for (const each of running) await each.stop();
  running.clear();
  for (const folder of folders.splice(0)) removeProject(folder);
  expect(findMarkedProcesses(mark)).toEqual([]);
});

test('a fresh folder gets both servers, loopback only, and a second start finds its data', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false });
  const environment = await first.waitFor<ReadyEvent>('ready');
  expect(await listSearchAttributes(environment)).toEqual(expect.arrayContaining(Object.keys(searchAttributeTypes)));
  await query(environment, 'create table kept (value text)');
  await query(environment, `insert into kept values ('first')`);
  await startWorkflow(environment, 'kept-run');
  expect(await settings(environment)).toMatchObject({
    fsync: 'on',
    synchronous_commit: 'on',
    listen_addresses: '127.0.0.1',
    max_connections: '200',
  });
  expect(listForeignListeners(environment)).toEqual([]);
  expect(await retentionDays(environment)).toBe(30);
  await changeRetention(environment, 3);

  const found = readEnvironmentFile(join(projectDir, '.vapora', 'log'));
  expect(found).toMatchObject({ alive: true, environment: { temporalAddress: environment.temporalAddress, state: 'ready' } });
  expect(lstatSync(environment.environmentFile).mode & 0o777).toBe(0o600);
  expect(lstatSync(join(projectDir, '.vapora', 'postgres.json')).mode & 0o777).toBe(0o600);

  await first.stop();
  expect(existsSync(environment.environmentFile)).toBe(false);
  expect(findMarkedProcesses(mark)).toEqual([]);

  const second = startProcess({ projectDir, usualPorts: false });
  const again = await second.waitFor<ReadyEvent>('ready');
  expect(await query(again, 'select value from kept')).toEqual([{ value: 'first' }]);
  expect(await describeWorkflow(again, 'kept-run')).toBe('kept-run');
  // What a user has chosen stays.
  expect(await retentionDays(again)).toBe(3);
});

test('two folders at once do not collide, though both want the usual ports', async () => {
  const both = await Promise.all(
    [createProject(), createProject()].map((projectDir) => startProcess({ projectDir, durable: false }).waitFor<ReadyEvent>('ready')),
  );
  const addresses = both.flatMap((each) => [each.temporalAddress, each.uiUrl, each.metricsUrl, new URL(each.adminDatabaseUrl).host]);
  expect(new Set(addresses).size).toBe(addresses.length);
  for (const each of both) expect(await query(each, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a second start in the same folder is refused and says who runs and where', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false, durable: false });
  const environment = await first.waitFor<ReadyEvent>('ready');
  const second = startProcess({ projectDir, usualPorts: false, durable: false });
  const refused = await second.waitFor('failed', 'ready');
  expect(refused).toMatchObject({ event: 'failed', code: 'refused' });
  expect(refused.message).toContain(`pid ${first.pid}`);
  expect(refused.message).toContain(environment.temporalAddress);
  expect(await query(environment, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('of two starts in the same folder at the same moment exactly one wins', async () => {
  const projectDir = createProject();
  const contenders = [1, 2, 3].map(() => startProcess({ projectDir, usualPorts: false, durable: false }));
  const outcomes = await Promise.all(contenders.map((each) => each.waitFor('ready', 'failed')));
  expect(outcomes.map(({ event, code }) => code ?? event).sort()).toEqual(['ready', 'refused', 'refused']);
});

describe.each(['setpriv', 'watchdog'] as const)('after a SIGKILL, guarded by %s', (guard) => {
  test('no process is left, and the next start recovers with the data', async () => {
    const projectDir = createProject();
    const first = startProcess({ projectDir, usualPorts: false, guard });
    const environment = await first.waitFor<ReadyEvent>('ready');
    await query(environment, `create table kept as select 'committed' as value`);
    // Proof that the list below would show a survivor.
    expect(findMarkedProcesses(mark).length).toBeGreaterThanOrEqual(3);

    first.child.kill('SIGKILL');
    await first.exited;
    await waitUntil(() => findMarkedProcesses(mark).length === 0);
    expect(readEnvironmentFile(projectDir)).toMatchObject({ alive: false });

    const second = startProcess({ projectDir, usualPorts: false, guard });
    const again = await second.waitFor<ReadyEvent>('ready');
    expect(await query(again, 'select value from kept')).toEqual([{ value: 'committed' }]);
  });
});

test('killed in the middle of its first start, the next one completes it', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false });
  await waitUntil(() => first.events.some(({ part, message }) => part === 'postgres' && message?.startsWith('creating')));
  first.child.kill('SIGKILL');
  await first.exited;
  await waitUntil(() => findMarkedProcesses(mark).length === 0);
  await startProcess({ projectDir, usualPorts: false, durable: false }).waitFor('ready');
});

test('a whole group killed at once, postmaster included, leaves data that the next start recovers', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false });
  const environment = await first.waitFor<ReadyEvent>('ready');
  await query(environment, `create table kept as select 'committed' as value`);
  for (const { pid } of environment.processes) process.kill(pid, 'SIGKILL');
  first.child.kill('SIGKILL');
  await first.exited;
  // At once: backends of the dead postmaster may still be there, and its pid file is.
  const again = await startProcess({ projectDir, usualPorts: false }).waitFor<ReadyEvent>('ready');
  expect(await query(again, 'select value from kept')).toEqual([{ value: 'committed' }]);
});

test('what dev.json names is ended only if it is the very process that was written down', async () => {
  const projectDir = createProject();
  const stateDir = join(projectDir, '.vapora');
  mkdirSync(stateDir);
  const sleepers = [1, 2].map(() => spawn('sleep', ['300'], { env: { ...process.env, VAPORA_TEST_MARK: mark } }));
  try {
    const [ours, reused] = sleepers.map((child) => identifyProcess(child.pid as number));
    if (ours === undefined || reused === undefined) throw new Error('sleep did not start');
    writeEnvironmentFile(join(stateDir, 'dev.json'), {
      schemaVersion: 1,
      state: 'ready',
      projectDir,
      startedAt: new Date().toISOString(),
      owner: { pid: 999_999_999, startedAt: 'ended' },
      processes: [
        { ...ours, name: 'ours', stopSignal: 'SIGTERM' },
        { pid: reused.pid, startedAt: 'another time', name: 'pid used again', stopSignal: 'SIGTERM' },
      ],
    });
    await startProcess({ projectDir, usualPorts: false, durable: false }).waitFor('ready');
    expect([ours, reused].map(isProcessAlive)).toEqual([false, true]);
  } finally {
    for (const child of sleepers) child.kill('SIGKILL');
  }
});

test('the crash of a part stops the rest and is told', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false });
  const environment = await first.waitFor<ReadyEvent>('ready');
  const temporal = parseEnvironmentFile(environment.environmentFile)?.processes.find(({ name }) => name.includes('Temporal'));
  process.kill(temporal?.pid ?? 0, 'SIGKILL');
  const crash = await first.waitFor('crash');
  expect(crash.part).toContain('Temporal');
  expect(crash.message).toContain('SIGKILL');
  expect(await first.exited).toBe(0);
  expect(existsSync(environment.environmentFile)).toBe(false);
});

test('interrupted while starting, it undoes everything', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false });
  await waitUntil(() => first.events.some(({ part, message }) => part === 'postgres' && message?.startsWith('creating')));
  first.child.kill('SIGTERM');
  expect(await first.waitFor('failed', 'ready')).toMatchObject({ event: 'failed', code: 'interrupted' });
  await first.exited;
  expect(findMarkedProcesses(mark)).toEqual([]);
  expect(existsSync(join(projectDir, '.vapora', 'dev.json'))).toBe(false);
});

test('lost passwords are replaced', async () => {
  const projectDir = createProject();
  const first = startProcess({ projectDir, usualPorts: false, durable: false });
  await first.waitFor('ready');
  await first.stop();
  rmSync(join(projectDir, '.vapora', 'postgres.json'));
  const again = await startProcess({ projectDir, usualPorts: false, durable: false }).waitFor<ReadyEvent>('ready');
  expect(await query(again, 'select 1 as one')).toEqual([{ one: 1 }]);
});

const asRoot = isRoot ? describe : describe.skip;

asRoot('as root', () => {
  test('in a folder only root may enter, Postgres works outside it, linked', async () => {
    const projectDir = createProject(0o700);
    const first = startProcess({ projectDir, usualPorts: false, durable: false });
    await first.waitFor('ready');
    const link = join(projectDir, '.vapora', 'pg');
    // Not where temporary files are: systemd-tmpfiles ages those out.
    expect(readlinkSync(link)).toMatch(/^\/var\/lib\/vapora\/[0-9a-f]{16}\/pg$/);
    const findings = await diagnoseEnvironment({ projectDir });
    expect(findings).toContainEqual(
      expect.objectContaining({ name: 'PostgreSQL data', detail: expect.stringContaining(`in ${readlinkSync(link)}, `) }),
    );
    await first.stop();
    // Removing .vapora is how a user starts afresh.
    rmSync(join(projectDir, '.vapora'), { recursive: true });
    const again = await startProcess({ projectDir, usualPorts: false, durable: false }).waitFor<ReadyEvent>('ready');
    expect(await query(again, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('the guard holds across the change of user in such a folder, too', async () => {
    const projectDir = createProject(0o700);
    const first = startProcess({ projectDir, usualPorts: false, durable: false });
    await first.waitFor('ready');
    first.child.kill('SIGKILL');
    await first.exited;
    const dataDir = realpathSync(join(projectDir, '.vapora', 'pg'));
    await waitUntil(() => findMarkedProcesses(mark).length === 0 && findMarkedProcesses(dataDir).length === 0);
  });
});

// Where an ordinary user can be had, and may read the sources.
const asNobody = isRoot && canEnter(repositoryDir, nobody) && canEnter(dirname(process.execPath), nobody) ? test : test.skip;

asNobody('an ordinary user needs no root', async () => {
  const projectDir = createProject(0o700);
  chownSync(projectDir, nobody.uid, nobody.gid);
  const started = startProcess({ projectDir, usualPorts: false, durable: false }, nobody);
  const environment = await started.waitFor<ReadyEvent>('ready');
  expect(await query(environment, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(lstatSync(join(projectDir, '.vapora', 'pg')).uid).toBe(nobody.uid);
  started.child.kill('SIGKILL');
  await started.exited;
  await waitUntil(() => findMarkedProcesses(mark).length === 0);
});

function createProject(mode = 0o755): string {
  // The mark in its name also finds Postgres, whose processes overwrite their environment.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `vapora-${mark}-`)));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

function removeProject(folder: string): void {
  const link = join(folder, '.vapora', 'pg');
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    rmSync(dirname(readlinkSync(link)), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

function startProcess(options: EnvironmentProcessOptions, user?: typeof nobody): EnvironmentProcess {
  const started = startEnvironmentProcess(options, { mark, user });
  running.add(started);
  return started;
}

async function query(environment: Pick<Environment, 'adminDatabaseUrl'>, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: environment.adminDatabaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

async function settings(environment: ReadyEvent): Promise<Record<string, string>> {
  const rows = (await query(environment, 'select name, setting from pg_settings')) as { name: string; setting: string }[];
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

async function withTemporal<T>(environment: ReadyEvent, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: environment.temporalAddress });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

function listSearchAttributes(environment: ReadyEvent): Promise<string[]> {
  return withTemporal(environment, async ({ operatorService }) =>
    Object.keys((await operatorService.listSearchAttributes({ namespace: environment.temporalNamespace })).customAttributes ?? {}),
  );
}

const dayMs = 24 * 60 * 60 * 1_000;

/** How long Temporal keeps runs that have ended. */
function retentionDays(environment: ReadyEvent): Promise<number> {
  return withTemporal(environment, async ({ workflowService }) => {
    const { config } = await workflowService.describeNamespace({ namespace: environment.temporalNamespace });
    return (optionalTsToMs(config?.workflowExecutionRetentionTtl) ?? 0) / dayMs;
  });
}

function changeRetention(environment: ReadyEvent, days: number): Promise<unknown> {
  const config = { workflowExecutionRetentionTtl: msToTs(days * dayMs) };
  return withTemporal(environment, ({ workflowService }) =>
    workflowService.updateNamespace({ namespace: environment.temporalNamespace, config }),
  );
}

function startWorkflow(environment: ReadyEvent, workflowId: string): Promise<unknown> {
  return withTemporal(environment, ({ workflowService }) =>
    workflowService.startWorkflowExecution({
      namespace: environment.temporalNamespace,
      workflowId,
      workflowType: { name: 'nobody-runs-it' },
      taskQueue: { name: 'nobody-polls-it' },
      requestId: workflowId,
    }),
  );
}

function describeWorkflow(environment: ReadyEvent, workflowId: string): Promise<string | null | undefined> {
  return withTemporal(environment, async ({ workflowService }) => {
    const described = await workflowService.describeWorkflowExecution({
      namespace: environment.temporalNamespace,
      execution: { workflowId },
    });
    return described.workflowExecutionInfo?.execution?.workflowId;
  });
}

/** Ports that this environment's processes listen on at other addresses than loopback. */
function listForeignListeners(environment: ReadyEvent): string[] {
  const inodes = new Set(
    environment.processes.flatMap(({ pid }) =>
      spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' })
        .stdout.split('\n')
        .flatMap((line) => /socket:\[(\d+)\]/.exec(line)?.[1] ?? []),
    ),
  );
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    (existsSync(`/proc/net/${table}`) ? readFileSync(`/proc/net/${table}`, 'utf8') : '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => fields[1] ?? ''),
  );
  expect(listening.length).toBeGreaterThanOrEqual(5); // gRPC, UI, HTTP, metrics, Postgres: the look was at the right place
  return listening.filter((address) => !address.startsWith('0100007F:'));
}

async function waitUntil(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${timeoutMs / 1000} s: ${String(condition)}`);
    await delay(20);
  }
}
