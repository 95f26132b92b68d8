import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { startWorkerProcess } from '../support/cli-process';
import { findMarkedProcesses } from '../support/processes';
import { listAuditOf, listExecutions, queryDatabase } from '../support/run-records';
import type { ExecutionRow } from '../support/run-records';
import { readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(90_000);

const run = promisify(execFile);
const example = join(__dirname, '../../examples/ship-a-change');
/** The server notices a killed worker by a heartbeat that is missing for 10 s. */
const afterCrashMs = 60_000;

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'vapora-crash-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Lines `<idempotency key> <attempt>`, as agents write them. */
function readJournal(file: string): { key: string; attempt: number }[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ key: line.slice(0, line.lastIndexOf(' ')), attempt: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
}

async function hasBegun(journal: string, activity: string): Promise<boolean> {
  return readJournal(journal).some(({ key }) => key.endsWith(`/${activity}`));
}

/** Attempts of each effect by the agents' own evidence, keys without the run. */
function attemptsOf(journal: string): Record<string, number[]> {
  const attempts: Record<string, number[]> = {};
  for (const { key, attempt } of readJournal(journal)) (attempts[key.slice(key.indexOf('/') + 1)] ??= []).push(attempt);
  return attempts;
}

/** Each effect has one outcome, said once by the audit; nothing of it is held any more. */
async function expectOneOutcomeEach({ id }: StartedTestRun): Promise<ExecutionRow[]> {
  const executions = await listExecutions(vapora, id);
  expect(executions.filter(({ state, outcome }) => state !== 'ended' || outcome === null)).toEqual([]);
  const ends = await listAuditOf(vapora, id, 'execution.succeeded');
  const effectOf = (row: { path: string; generation: number; slot: number; assignment: number; mode: string }): string =>
    `${row.path}#${row.generation}.${row.slot}.${row.assignment} ${row.mode}`;
  const said = ends.map(({ event }) =>
    effectOf({
      path: event.object,
      generation: event.generation ?? 0,
      ...(event.details as { slot: number; assignment: number; mode: string }),
    }),
  );
  expect(said.sort()).toEqual(
    executions
      .filter(({ outcome }) => outcome === 'success')
      .map(effectOf)
      .sort(),
  );
  const leases = await queryDatabase(
    vapora,
    'select l.agent_id from agent_leases l join executions e on e.id = l.execution_id join runs r using (root_run_id) where r.workflow_id = $1',
    [id],
  );
  expect(leases).toEqual([]);
  expect(await verifyAudit(vapora.client, id)).toMatchObject({ ok: true });
  return executions;
}

async function startShipAChange(): Promise<{ started: StartedTestRun; repo: string; journal: string }> {
  const { stdout } = await run(process.execPath, [join(example, 'prepare.mjs'), join(folder, 'work')]);
  const repo = stdout.trim();
  const started = await startTestRun(vapora, readExample('ship-a-change', 'workflow.yaml'), {
    agents: { source: readExample('ship-a-change', 'agents.yaml') },
    inputs: { repo },
    autoApprove: true,
  });
  return { started, repo, journal: join(dirname(repo), 'journal.log') };
}

/** The seed's feature; its agents write a journal, and each deployment takes some seconds. */
async function startFeature(): Promise<{ started: StartedTestRun; journal: string }> {
  const journal = join(folder, 'simulated.log');
  const roles = [
    'architect',
    'project-manager',
    'decision-maker',
    'developer',
    'security',
    'documenter',
    'code-reviewer',
    'tester',
    'devops',
    'monitor',
    'marketer',
  ];
  const agents = roles.map((role) => {
    const script = role === 'devops' ? ', script: {9_deploy_staging: {duration: 14h}}' : '';
    const skills = role === 'developer' || role === 'code-reviewer' ? ', skills: [frontend, backend, security]' : '';
    return `  - {id: ${role}-1, role: ${role}${skills}, capacity: 9, executor: {kind: simulate, duration: 1min, journal: ${JSON.stringify(journal)}${script}}}`;
  });
  const started = await startTestRun(vapora, readExample('feature-auth-mfa', 'workflow.yaml'), {
    agents: { source: `agents:\n${agents.join('\n')}\n` },
    timeScale: 10_000,
    autoApprove: true,
  });
  return { started, journal };
}

/** A deployment by an agent that cannot tell whether it has done it already: its first attempt hangs, with a child of its own. */
async function startDeployment(): Promise<{ started: StartedTestRun; journal: string }> {
  const journal = join(folder, 'deployment.log');
  const script = join(folder, 'deploy.sh');
  writeFileSync(
    script,
    `echo "$VAPORA_IDEMPOTENCY_KEY $(wc -l < ${journal} 2>/dev/null || echo 0)" >> ${journal}\nif [ "$(wc -l < ${journal})" -gt 1 ]; then exit 0; fi\nsleep 600 &\nsetsid sleep 601 &\nwait\n`,
  );
  const started = await startTestRun(
    vapora,
    'Workflow: deployment\nSteps:\n  deploy: { agent: devops, environment: production, actions: [deploy] }\n',
    {
      agents: {
        source: `agents:\n  - {id: d, role: devops, executor: {kind: command, plain: true, argv: [sh, ${JSON.stringify(script)}]}}\n`,
      },
    },
  );
  return { started, journal };
}

test('kill -9 of the worker in the middle of agents: after a restart every run completes, each effect once', async () => {
  const killed = await startWorkerProcess(vapora);
  const feature = await startFeature();
  const deployment = await startDeployment();
  await waitFor('the simulated deployment to begin', () => hasBegun(feature.journal, '9_deploy_staging#1'));
  await waitFor('the real deployment to begin', () => hasBegun(deployment.journal, 'deploy#1'));
  const change = await startShipAChange();
  await waitFor('the developer to begin', () => hasBegun(change.journal, '2_implement#1'));
  const runs = [feature.started, deployment.started, change.started];
  const rootRunIds = await Promise.all(
    runs.map(async ({ handle }) => (await handle.describe()).raw.workflowExecutionInfo?.firstRunId ?? (await handle.describe()).runId),
  );
  // Proof that the list below would show what is left.
  expect(rootRunIds.map((id) => findMarkedProcesses(`${id}/`).length > 0)).toEqual([false, true, true]);

  killed.child.kill('SIGKILL');
  await killed.exited;
  await waitFor('the agents of the killed worker to be gone', async () =>
    rootRunIds.every((id) => findMarkedProcesses(`${id}/`).length === 0),
  );

  const restarted = await startWorkerProcess(vapora);

  // Nobody knows what became of the real deployment: a person says whether it is tried again.
  const asked = await waitFor(
    'somebody to be asked about the deployment',
    async () => (await deployment.started.status()).gates.find(({ kind, state }) => kind === 'unknown' && state === 'open'),
    afterCrashMs,
  );
  expect(readJournal(deployment.journal)).toHaveLength(1);
  await deployment.started.handle.signal('approve', { gate: asked.id, by: 'ana', reason: 'looked: it is not there' });

  for (const { id } of runs) expect(await waitForResult(vapora.client, id)).toMatchObject({ status: 'completed' });

  // The simulated deployment: tried again, one outcome.
  expect(attemptsOf(feature.journal)).toMatchObject({
    '8_merge_to_dev#1': [1],
    '9_deploy_staging#1': [1, 2],
    '13_deploy_production/deploy#1': [1],
    '13_deploy_production/traffic_switch#1': [1],
  });
  const simulated = await expectOneOutcomeEach(feature.started);
  expect(simulated.find(({ path }) => path === '9_deploy_staging')).toMatchObject({
    outcome: 'success',
    attempt_states: ['unknown', 'succeeded'],
  });
  expect(simulated.filter(({ attempts }) => attempts > 1).map(({ path }) => path)).toEqual(['9_deploy_staging']);

  // The real deployment: once by itself, once because a person said so.
  expect(readJournal(deployment.journal)).toHaveLength(2);
  await expectOneOutcomeEach(deployment.started);

  // The change: its developer was tried again and found what it had done; everybody else was called once.
  const attempts = attemptsOf(change.journal);
  expect(attempts['2_implement#1']).toEqual([1, 2]);
  for (const [effect, each] of Object.entries(attempts)) if (effect !== '2_implement#1') expect([effect, each]).toEqual([effect, [1]]);
  const executions = await expectOneOutcomeEach(change.started);
  expect(executions.map(({ path }) => `${path}#1`).sort()).toEqual(Object.keys(attempts).sort());
  expect(executions.map(({ mode, outcome, generation, assignment }) => ({ mode, outcome, generation, assignment }))).toEqual(
    executions.map(() => ({ mode: 'do', outcome: 'success', generation: 1, assignment: 1 })),
  );
  const { stdout: log } = await run('git', ['-C', change.repo, 'log', '--format=%s', '--first-parent', 'main']);
  expect(log.trim().split('\n')).toEqual(['Merge change/truncate', 'A library of text tools']);

  for (const id of rootRunIds) expect(findMarkedProcesses(`${id}/`)).toEqual([]);
  restarted.child.kill('SIGTERM');
  expect(await restarted.exited).toMatchObject({ exitCode: 0 });
});
