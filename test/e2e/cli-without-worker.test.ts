import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunStatusView } from '../../core/contract/views';
import { cliOf, runInProcess, wholeTable } from '../support/cli-in-process';
import { instantAgents, startTestVapora, type TestVapora } from '../support/vapora';

jest.setTimeout(120_000);

/** When every worker is gone, the same shapes come from Postgres, votes wait as signals, and every answer says so. */
let vapora: TestVapora;
let folder: string;
let cli: ReturnType<typeof cliOf>;
const id = 'orphaned';

beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
  folder = mkdtempSync(join(tmpdir(), 'vapora-cli-'));
  cli = cliOf(vapora, folder);
  writeFileSync(join(folder, 'agents.yaml'), instantAgents.source);
  writeFileSync(
    join(folder, 'gated.yaml'),
    'Workflow: cli-orphaned\nSteps:\n  draft: { agent: developer }\n  release: { agent: developer, dependencies: [draft], approval: { approvers: [ana] } }\n',
  );
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('status, timeline and gates are the same from Postgres; a vote is kept until a worker is back', async () => {
  const first = await vapora.startWorker();
  expect((await cli('workflow', 'run', 'gated.yaml', '--id', id, '--wait')).exitCode).toBe(3);
  const live = (await cli('workflow', 'status', '--id', id, '--json')).json() as RunStatusView;
  await first.shutdown();

  const recorded = await cli('workflow', 'status', '--id', id, '--json');
  expect(recorded.stderr).toContain('no worker answers');
  const view = recorded.json() as RunStatusView;
  expect(Object.keys(view).sort()).toEqual(Object.keys(live).sort());
  expect(view).toMatchObject({ id, status: 'waiting_approval', gates: [{ id: 'release', state: 'open', approvers: ['ana'] }] });
  const states = ({ steps }: RunStatusView) => steps.map((step) => [step.id, step.state, step.agent, step.generation]);
  expect(states(view)).toEqual(states(live));
  expect((await cli('workflow', 'timeline', '--id', id)).stdout).toContain('draft');

  // No question to a worker that is not there holds the list up.
  const listed = await cli('gates', '--json');
  expect(listed.json()).toMatchObject({ gates: [{ run: id, id: 'release', state: 'open', approvers: ['ana'] }], unconfirmed: [] });

  const vote = await cli('workflow', 'approve', '--id', id, '--gate', 'release', '--by', 'ana');
  expect(vote).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('signal') });
  await vapora.startWorker();
  expect((await cli('workflow', 'result', '--id', id, '--wait')).exitCode).toBe(0);
});

test('gates are listed without Temporal too, which then is said; those of a run that was terminated are not', async () => {
  const terminated = 'terminated';
  const worker = await vapora.startWorker();
  expect((await cli('workflow', 'run', 'gated.yaml', '--id', terminated, '--wait')).exitCode).toBe(3);
  await worker.shutdown();
  const temporal = await vapora.client.temporal();
  await temporal.workflow.getHandle(terminated).terminate('nobody can record this');
  expect((await cli('gates', '--json')).json()).toEqual({ schemaVersion: 1, gates: [], tasks: [], unconfirmed: [] });

  const withoutTemporal = await runInProcess(['gates'], wholeTable, {
    cwd: folder,
    variables: { DATABASE_URL: vapora.databaseUrl, TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
  expect(withoutTemporal).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`vapora workflow approve --id ${terminated} --gate release`),
    stderr: `Temporal did not say whether these runs still go on; their gates and tasks are as recorded: ${terminated}\n`,
  });
});
