import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCliProcess, startCliProcess, type CliProcess, type CliProcessEnd } from '../support/cli-process';
import { testTemporalBinary } from '../support/environment';
import { findMarkedProcesses } from '../support/processes';
import { instantAgents } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(240_000);

/** One `vapora dev` and what a person does with it in another terminal, each command a process of its own. */
let project: string;
let dev: CliProcess;
const mark = randomUUID();
const variables = (): Record<string, string> => ({ VAPORA_TEST_MARK: mark, VAPORA_TEMPORAL_BIN: testTemporalBinary() });
const vapora = (...argv: string[]): Promise<CliProcessEnd> => runCliProcess(argv, { cwd: join(project, 'flows'), variables: variables() });

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'vapora-dev-'));
  // The user that PostgreSQL runs as gets in: nothing is made outside the folder.
  chmodSync(project, 0o755);
  mkdirSync(join(project, 'flows'));
  writeFileSync(join(project, 'flows', 'agents.yaml'), instantAgents.source);
  writeFileSync(
    join(project, 'flows', 'gated.yaml'),
    'Workflow: dev-gated\nSteps:\n  draft: { agent: developer }\n  release: { agent: developer, dependencies: [draft], approval: { approvers: [ana] } }\n',
  );
  dev = startCliProcess(['dev'], { cwd: project, variables: variables() });
  await dev.says('Ctrl-C stops everything', 120_000);
});
afterAll(async () => {
  dev.child.kill('SIGTERM');
  await dev.exited;
  rmSync(project, { recursive: true, force: true });
});

test('addresses are printed without passwords', () => {
  expect(dev.output.stdout).toMatch(/Web UI +http:\/\/127\.0\.0\.1:\d+/);
  expect(dev.output.stdout).toMatch(/Temporal +127\.0\.0\.1:\d+ \(namespace default\)/);
  expect(dev.output.stdout).toMatch(/Postgres +postgres(ql)?:\/\/vapora_app@127\.0\.0\.1:\d+\/vapora/);
});

test('a second one in the same folder is refused with the pid of the first', async () => {
  const { exitCode, stderr } = await runCliProcess(['dev'], { cwd: project, variables: variables() });
  expect(exitCode).toBe(5);
  expect(stderr).toContain(String(dev.pid));
});

test('a run from a folder below, approved by the temporal CLI', async () => {
  const run = await vapora('workflow', 'run', 'gated.yaml', '--wait');
  expect(run).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('vapora workflow approve --id dev-gated --gate release') });
  const vote = '{"gate":"release","by":"ana","reason":"ok"}';
  const signal = await vapora('temporal', 'workflow', 'signal', '--workflow-id', 'dev-gated', '--name', 'approve', '--input', vote);
  expect(signal.exitCode).toBe(0);
  expect(await vapora('workflow', 'result', '--id', 'dev-gated', '--wait')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('dev-gated completed'),
  });
});

test('a published definition is started by name', async () => {
  expect((await vapora('publish', 'gated.yaml')).exitCode).toBe(0);
  const started = await vapora('temporal', 'workflow', 'start', '--task-queue', 'vapora', '--type', 'dev-gated', '--workflow-id', 'x1');
  expect(started.exitCode).toBe(0);
  expect((await vapora('workflow', 'result', '--id', 'x1', '--wait')).exitCode).toBe(3);
  expect((await vapora('workflow', 'cancel', '--id', 'x1', '--reason', 'enough')).exitCode).toBe(0);
  expect((await vapora('workflow', 'result', '--id', 'x1', '--wait')).exitCode).toBe(1);
});

test("temporal's arguments, output and exit code pass through", async () => {
  const help = await vapora('temporal', 'workflow', '--help');
  expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('temporal workflow') });
  // Nothing wrong with the server: the exit code stays the temporal CLI's own.
  expect((await vapora('temporal', 'workflow', 'describe', '--workflow-id', 'nobody')).exitCode).toBe(1);
  const elsewhere = await vapora('temporal', 'workflow', 'list', '--address', '127.0.0.1:1');
  expect(elsewhere).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('no Temporal server at 127.0.0.1:1') });
});

test('the schema is up to date, migrating again changes nothing, and the doctor is content', async () => {
  expect((await vapora('db', 'status')).exitCode).toBe(0);
  expect(await vapora('db', 'migrate', '--json')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"applied": []') });
  expect((await vapora('doctor', '--json')).exitCode).toBe(0);
});

test('another worker against the same services, and its clean end', async () => {
  const worker = startCliProcess(['worker'], { cwd: join(project, 'flows'), variables: variables() });
  await worker.says('polls vapora', 120_000);
  worker.child.kill('SIGTERM');
  expect((await worker.exited).exitCode).toBe(0);
});

test('Ctrl-C ends all of it, and then there is nothing to talk to', async () => {
  dev.child.kill('SIGINT');
  expect((await dev.exited).exitCode).toBe(0);
  expect(existsSync(join(project, '.vapora', 'dev.json'))).toBe(false);
  await waitFor('every process to be gone', async () => findMarkedProcesses(mark).length === 0);
  const nowhere = { cwd: project, variables: { TEMPORAL_ADDRESS: '127.0.0.1:1' } };
  expect((await runCliProcess(['workflow', 'status', '--id', 'x1'], nowhere)).exitCode).toBe(4);
  const temporal = await runCliProcess(['temporal', 'workflow', 'list'], nowhere);
  expect(temporal).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining("no Temporal server at 127.0.0.1:1: start one with 'vapora dev'"),
  });
  expect((await runCliProcess(['temporal', 'workflow', '--help'], nowhere)).exitCode).toBe(0);
});
