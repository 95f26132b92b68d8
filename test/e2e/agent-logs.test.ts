import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cliOf } from '../support/cli-in-process';
import { startTestVapora, type TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

/** What an agent prints is there for whoever looks for it, while it works and afterwards. */
let vapora: TestVapora;
let folder: string;
let cli: ReturnType<typeof cliOf>;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-logs-'));
  cli = cliOf(vapora, folder);
  const waiting = `echo compiling >&2; until [ -e ${join(folder, 'go')} ]; do sleep 0.05; done; echo compiled >&2; echo '{"status":"success"}'`;
  const agents = [
    { id: 'd', role: 'developer', executor: { kind: 'command', argv: ['bash', '-c', waiting] } },
    { id: 't', role: 'tester', executor: { kind: 'command', plain: true, argv: ['bash', '-c', 'echo 1 failed; exit 3'] } },
  ];
  writeFileSync(join(folder, 'agents.yaml'), JSON.stringify({ agents }));
  writeFileSync(
    join(folder, 'work.yaml'),
    'Workflow: logged\nSteps:\n  build: { agent: developer }\n  check: { agent: tester, dependencies: [build], retry: 2 }\n',
  );
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('is followed while it is printed, and shown afterwards, by step and by number', async () => {
  const logs = (...argv: string[]) => cli('workflow', 'logs', '--id', 'logged', '--data-dir', vapora.dataDir, ...argv);
  expect((await cli('workflow', 'run', 'work.yaml', '--detach')).exitCode).toBe(0);
  await waitFor('the agent to print', async () => (await logs()).stdout.includes('compiling'));

  const following = logs('--follow');
  writeFileSync(join(folder, 'go'), '');
  const followed = await following;
  expect(followed.exitCode).toBe(0);
  const texts = followed.stdout.split('\n').map((line) => line.slice('00:00:00 '.length));
  expect(texts).toEqual([
    expect.stringMatching(/^build {2}-- d, attempt 1: .*bash$/),
    'build  compiling',
    'build  compiled',
    'build  {"status":"success"}',
    'build  -- d, exited with code 0',
    ...[1, 2].flatMap((attempt) => [
      expect.stringMatching(new RegExp(`^check {2}-- t, attempt ${attempt}: `)),
      'check  1 failed',
      'check  -- t, exited with code 3',
    ]),
    '',
  ]);
  expect((await logs()).stdout).toBe(followed.stdout);
  expect((await logs('--step', 'check', '--json')).json()).toMatchObject({
    schemaVersion: 1,
    id: 'logged',
    lines: [{ stream: 'note' }, { step: 'check', agent: 't', attempt: 1, stream: 'stdout', text: '1 failed' }, {}, {}, {}, {}],
  });
  expect((await logs('--tail', '1', '--step', 'build')).stdout).toMatch(/^\S+ build {2}-- d, exited with code 0\n$/);
});

test('where there is nothing, it says where it looked; what does not exist is not found', async () => {
  const elsewhere = await cli('workflow', 'logs', '--id', 'logged', '--data-dir', folder);
  expect(elsewhere).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining(join(folder, 'log', 'runs')) });
  expect(await cli('workflow', 'logs', '--id', 'logged', '--step', 'nope')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('logged has no step nope'),
  });
  expect((await cli('workflow', 'logs', '--id', 'nobody')).exitCode).toBe(2);
});
