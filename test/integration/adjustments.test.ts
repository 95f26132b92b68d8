import type { AdjustReply } from '../../core/contract/adjustments';
import { adjustRun, decideGate } from '../../client/control-run';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { loadRunStatus } from '../../db/queries/run-status';
import { exitCodes } from '../../cli/exit-codes';
import { cliOf } from '../support/cli-in-process';
import { listExecutions } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const oneSlowDeveloper = {
  source: `
agents:
  - { id: dev-1, role: developer, executor: { kind: simulate, duration: 1h } }
  - { id: tester-1, role: tester, executor: { kind: simulate, duration: 1ms } }
`,
};

test('an agent that is added takes the work that waits, with a lease and a history of its own', async () => {
  const source = 'Workflow: more-hands\nSteps:\n  a: { agent: developer }\n  b: { agent: developer }\n';
  const run = await startTestRun(vapora, source, { agents: oneSlowDeveloper, timeScale: 600 });
  await waitFor('b to wait for its agent', async () =>
    (await run.status()).steps.some(({ reason }) => reason?.includes('waiting for an agent')),
  );
  const reply = await adjustRun(vapora.client, run.id, { kind: 'add_agent', role: 'developer', count: 1, by: 'ana', reason: 'too slow' });
  expect(reply).toEqual({ kind: 'add_agent', message: 'dev-1.2 works on it too', steps: [], agents: ['dev-1.2'] });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const executions = await listExecutions(vapora, run.id);
  expect(executions.map(({ agent_id }) => agent_id).sort()).toEqual(['dev-1', 'dev-1.2']);
  const [first, second] = executions;
  expect(second!.started_at!.getTime()).toBeLessThan(first!.finished_at!.getTime());
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

const failing = {
  source: `
agents:
  - id: dev-1
    role: developer
    executor:
      kind: simulate
      duration: 1ms
      script: { b: [{ status: failure }, { status: success }] }
`,
};

test('by update and by signal, refused or not: the run says what was changed and who asked', async () => {
  const source = `
Workflow: adjusted
On_failure: continue
Steps:
  a: { agent: developer }
  b: { agent: developer, dependencies: [a], retry: { attempts: 1 } }
  c: { agent: developer, dependencies: [b] }
  extra: { agent: developer, dependencies: [w], optional: true }
  w: { agent: developer, approval: { approvers: [ana] } }
`;
  const run = await startTestRun(vapora, source, { agents: failing });
  await run.waitsAt('w');
  await waitFor('c to be skipped', async () => (await run.status()).steps.find(({ id }) => id === 'c')?.state === 'skipped');

  await expect(run.handle.executeUpdate('retryStep', { args: [{ step: 'a', by: 'bo' }] })).rejects.toMatchObject({
    cause: { message: expect.stringContaining('a is passed') as string, details: [{ code: 'does_not_apply' }] },
  });
  const reply = await run.handle.executeUpdate<AdjustReply, [object]>('retryStep', { args: [{ step: 'b', by: 'bo', reason: 'again' }] });
  expect(reply).toMatchObject({ kind: 'retry_step', steps: ['b', 'c'] });
  await run.handle.signal('adjust', { kind: 'skip_optional_steps', steps: ['extra'], by: 'bo', reason: 'no time' });
  await run.handle.signal('adjust', { kind: 'skip_step', step: 'c', by: 'bo' });
  await waitFor('all but w', async () =>
    (await run.status()).steps.every(({ id, state }) => id === 'w' || state === 'passed' || state === 'skipped'),
  );

  const view = await run.status();
  expect(view.adjustments.map(({ kind, by, reason }) => [kind, by, reason])).toEqual([
    ['retry_step', 'bo', 'again'],
    ['skip_optional_steps', 'bo', 'no time'],
  ]);
  const recorded = await waitFor('the database to know', async () => {
    const status = await loadRunStatus(vapora.database, run.id);
    return status?.adjustments.length === 2 ? status : undefined;
  });
  expect(recorded.adjustments).toEqual(view.adjustments);
  await decideGate(vapora.client, run.id, { gate: 'w', by: 'ana', decision: 'approve' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4, skipped: 1 } });
  const executions = await listExecutions(vapora, run.id);
  expect(executions.filter(({ path }) => path === 'b').map(({ generation, outcome }) => [generation, outcome])).toEqual([
    [1, 'failure'],
    [2, 'success'],
  ]);
  await expect(adjustRun(vapora.client, run.id, { kind: 'pause', reason: 'late' })).rejects.toMatchObject({ code: 'refused' });
});

test('steps that only waited for each other overlap once they are parallelized', async () => {
  const source = `
Workflow: untied
Steps:
  gate: { agent: tester, approval: { approvers: [ana] } }
  a: { agent: developer, dependencies: [gate] }
  b: { agent: developer, dependencies: [a] }
`;
  const agents = { source: oneSlowDeveloper.source.replace('role: developer,', 'role: developer, capacity: 2,') };
  const run = await startTestRun(vapora, source, { agents, timeScale: 3_600 });
  await run.waitsAt('gate');
  await adjustRun(vapora.client, run.id, { kind: 'parallelize', steps: ['a', 'b'], by: 'ana', reason: 'late' });
  await decideGate(vapora.client, run.id, { gate: 'gate', by: 'ana', decision: 'approve' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const executions = await listExecutions(vapora, run.id);
  const [a, b] = ['a', 'b'].map((path) => executions.find((one) => one.path === path)!);
  expect(b!.started_at!.getTime()).toBeLessThan(a!.finished_at!.getTime());
});

test('the command line says what was changed, and why something was not', async () => {
  const source = `
Workflow: by-hand
Steps:
  w: { agent: developer, approval: { approvers: [ana] } }
  o: { agent: developer, dependencies: [w], optional: true }
`;
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.waitsAt('w');
  const adjust = (...argv: string[]) =>
    cliOf(vapora, vapora.dataDir)('workflow', 'adjust', '--id', run.id, ...argv, '--by', 'bo', '--reason', 'no time');
  expect(await adjust('skip', '--step', 'w')).toMatchObject({
    exitCode: exitCodes.refused,
    stderr: expect.stringContaining('w is not optional: skipping it takes force') as string,
  });
  expect(await adjust('skip', '--step', 'w', '--force')).toMatchObject({
    exitCode: exitCodes.refused,
    stderr: expect.stringContaining('bo is not an approver of w (ana)') as string,
  });
  const skipped = await adjust('skip', '--steps', 'o', '--json');
  expect(skipped.json()).toEqual({ schemaVersion: 1, id: run.id, kind: 'skip_optional_steps', message: 'o is skipped', steps: ['o'] });
  const { stdout } = await cliOf(vapora, vapora.dataDir)('workflow', 'status', '--id', run.id);
  expect(stdout).toContain('o is skipped (bo, skip_optional_steps)');
  await decideGate(vapora.client, run.id, { gate: 'w', by: 'ana', decision: 'approve' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 1, skipped: 1 } });
});

test('without a worker nothing is changed, and the error says so', async () => {
  const idle = await startTestVapora({ withWorker: false });
  try {
    const run = await startTestRun(idle, 'Workflow: idle\nSteps:\n  a: { agent: developer }\n', { agents: instantAgents });
    await expect(adjustRun(idle.client, run.id, { kind: 'pause', reason: 'x' })).rejects.toMatchObject({ code: 'unavailable' });
    await run.handle.terminate('test');
  } finally {
    await idle.stop();
  }
});
