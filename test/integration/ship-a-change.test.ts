import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { testTemporalAddress } from '../support/environment';
import { findMarkedProcesses } from '../support/processes';
import { readExample, startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

/** Real work: git, tests, a scan, a review, an approval, a merge; and a worker that is killed in the middle of it. */

jest.setTimeout(120_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'vapora-ship-e2e-'));
});
const workers: ChildProcess[] = [];
afterAll(async () => {
  for (const worker of workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A process of its own, and what kills it at once. */
async function startWorkerProcess(): Promise<ChildProcess> {
  const { databaseUrl, taskQueue, dataDir } = vapora;
  const options = { temporalAddress: testTemporalAddress(), databaseUrl, taskQueue, dataDir, bundle: testWorkflowBundle() };
  const hook = join(__dirname, '../support/typescript-hook.cjs');
  const worker = spawn(process.execPath, ['--require', hook, join(__dirname, '../support/worker-process.ts'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(worker);
  await once(worker.stdout, 'data');
  return worker;
}

let prepared = 0;
function prepareRepository(): { repo: string; git: (...args: string[]) => string; journal: () => string[] } {
  const script = join(__dirname, '../../examples/ship-a-change/prepare.mjs');
  prepared += 1;
  const repo = execFileSync('node', [script, join(folder, `work-${prepared}`)], { encoding: 'utf8' }).trim();
  const journal = join(dirname(repo), 'journal.log');
  return {
    repo,
    git: (...args) => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).trim(),
    journal: () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : []),
  };
}

async function start(repo: string, variant: string): Promise<StartedTestRun> {
  return startTestRun(vapora, readExample('ship-a-change', 'workflow.yaml'), {
    agents: { source: readExample('ship-a-change', 'agents.yaml') },
    inputs: { repo, variant },
  });
}

/** `<step>#<generation>… <attempt>` of every line: what ran, whatever the run is called. */
const withoutRun = (lines: string[]): string[] => lines.map((line) => line.replace(/^[^/]*\//, ''));

test('a good change is merged and tagged, though its worker was killed while the developer worked', async () => {
  const { repo, git, journal } = prepareRepository();
  const first = await startWorkerProcess();
  const run = await start(repo, 'good');
  await waitFor('the developer to work', async () => withoutRun(journal()).includes('2_implement#1 1'));
  first.kill('SIGKILL');
  const killedAtMs = Date.now();
  await waitFor('no process of the killed worker to be left', async () => findMarkedProcesses(repo).length === 0, 5_000);
  expect(Date.now() - killedAtMs).toBeLessThan(5_000);

  await startWorkerProcess();
  await waitFor('the gate', async () => (await run.gate('6_approve'))?.state === 'open', 60_000);
  const gate = await run.gate('6_approve');
  expect(gate?.result?.outputs).toHaveProperty(['decision_brief.md']);
  await decideGate(vapora.client, run.id, { gate: '6_approve', by: 'ana', decision: 'approve', reason: 'ship it' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 10 } });

  expect(git('rev-parse', 'v1.1.0^{commit}')).toBe(git('rev-parse', 'main'));
  expect(git('log', '--format=%s', 'change/truncate').split('\n')).toEqual(['Add truncate()', 'A library of text tools']);
  const executed = withoutRun(journal());
  expect(executed.filter((line) => line.startsWith('2_implement#1'))).toEqual(['2_implement#1 1', '2_implement#1 2']);
  expect(new Set(executed).size).toBe(executed.length);
  const recorded = await vapora.database
    .selectFrom('executions')
    .innerJoin('runs', 'runs.root_run_id', 'executions.root_run_id')
    .select(['path', 'outcome', 'attempts'])
    .where('workflow_id', '=', run.id)
    .execute();
  expect(recorded).toHaveLength(10);
  expect(recorded.every(({ outcome }) => outcome === 'success')).toBe(true);
  expect(recorded.find(({ path }) => path === '2_implement')?.attempts).toBe(2);
});

test.each([
  ['broken', '4a_test', /tests_passing/],
  ['uncovered', '4a_test', /coverage .*85/],
  ['leaky', '4b_secret_scan', /an AWS access key/],
])('%s: the change fails at %s and everything is taken back', async (variant, step, reason) => {
  if (workers.every(({ signalCode, exitCode }) => signalCode !== null || exitCode !== null)) await startWorkerProcess();
  const { repo, git, journal } = prepareRepository();
  const before = git('for-each-ref', '--format=%(refname) %(objectname)');
  const run = await start(repo, variant);
  const outcome = await waitForResult(vapora.client, run.id);
  expect(outcome).toMatchObject({ status: 'rolled_back', reason: expect.stringContaining(step) });
  expect(outcome.reason).toMatch(reason);
  expect(git('for-each-ref', '--format=%(refname) %(objectname)')).toBe(before);
  const undone = withoutRun(journal()).filter((line) => line.includes('!undo'));
  expect(undone).toEqual(['3_tag_candidate#1!undo 1', '2_implement#1!undo 1', '1_create_branch#1!undo 1']);
});
