import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { verifyAudit } from '../../client/audit';
import { adjustRun, cancelRun, pauseRun, resumeRun } from '../../client/control-run';
import { listOpenGates } from '../../client/gates';
import { reportStep } from '../../client/report-step';
import { rollbackRun } from '../../client/rollback-run';
import { waitForResult } from '../../client/run-outcome';
import { explainStep, getStatus } from '../../client/run-views';
import { searchAttributes } from '../../core/contract/names';
import type { TaskView } from '../../core/contract/views';
import { loadArtifact } from '../../db/queries/artifacts';
import { loadRunStatus } from '../../db/queries/runs';
import { payloadConverterPath } from '../../workers/bundle';
import { cliOf } from '../support/cli-in-process';
import { journalAgents } from '../support/journal-agents';
import { resetRun } from '../support/reset-run';
import { listAuditOf, listExecutions, listIgnoredSignals, queryDatabase } from '../support/run-records';
import { runTemporalCli } from '../support/temporal-cli';
import { startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-people-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Ids of their own for each test: a person has one task at a time, over all runs. */
function peopleOf(name: string) {
  const [ana, bo, max] = [`ana-${name}`, `bo-${name}`, `max-${name}`] as const;
  const source = `
agents:
  - { id: d-${name}, role: developer, capacity: 9, executor: { kind: simulate, duration: 1ms } }
  - { id: ${ana}, role: writer, executor: { kind: human } }
  - { id: ${bo}, role: writer, capacity: 2, executor: { kind: human } }
  - { id: ${max}, role: decision-maker, executor: { kind: human } }
`;
  return { ana, bo, max, agents: { source } };
}

const between = (name: string, more = '', outputs = 'docs.md') => `
Workflow: ${name}
Steps:
  build: { agent: developer }
  docs: { agent: ana-${name}, dependencies: [build], title: Write the docs, outputs: [${outputs}]${more} }
  ship: { agent: developer, dependencies: [docs], inputs: [docs.md] }
`;

/** The task that is open of a step, once Postgres has it too. */
function taskOf(run: StartedTestRun, step: string): Promise<TaskView> {
  return waitFor(`${run.id} to ask somebody to do ${step}`, async () => {
    const recorded = (await loadRunStatus(vapora.database, run.id))?.tasks?.find((task) => task.step === step);
    return recorded && (await run.status()).tasks?.find(({ id }) => id === recorded.id);
  });
}

const leasesOf = (agent: string) =>
  queryDatabase<{ left: number }>(
    vapora,
    `select extract(epoch from expires_at - now())::float8 as left from agent_leases where agent_id = $1`,
    [agent],
  );

const done = { status: 'success' } as const;

test('a person does a step between two machines, by the command line', async () => {
  const { ana, max, agents } = peopleOf('cli');
  const vaporaCli = cliOf(vapora, folder);
  const run = await startTestRun(vapora, between('cli'), { agents });
  const task = await taskOf(run, 'docs');
  expect(task).toMatchObject({ id: 'docs#1', agent: ana, mayReport: [ana, max], asked: { title: 'Write the docs', outputs: ['docs.md'] } });
  const deadlineMs = Date.parse(task.deadline ?? '');
  expect(deadlineMs - Date.parse(task.since)).toBe(86_400_000);

  // Said everywhere.
  await run.reaches('waiting_approval');
  expect((await loadRunStatus(vapora.database, run.id))?.tasks).toEqual([task]);
  expect((await explainStep(vapora.client, run.id, 'docs')).lines).toContainEqual(expect.stringContaining(`task docs#1: asked of ${ana}`));
  await waitFor('the search attribute', async () => {
    const { searchAttributes: found } = await run.handle.describe();
    return (found[searchAttributes.blockedOn] as string[] | undefined)?.includes('docs:task');
  });
  const mine = await vaporaCli('gates', '--mine', '--by', ana);
  expect(mine.stdout).toContain(`vapora workflow report --id ${run.id} --step docs --by ${ana} --status success --output docs.md=@FILE`);
  expect((await vaporaCli('gates', '--mine', '--by', 'somebody')).stdout).toMatch(/^Nothing is waiting for somebody; \d+ for others\./);
  const listed = JSON.parse((await vaporaCli('gates', '--json')).stdout) as { tasks: object[] };
  expect(listed.tasks).toContainEqual({ run: run.id, ...task });
  expect((await vaporaCli('workflow', 'status', '--id', run.id)).stdout).toContain(`docs: Write the docs (asked of ${ana}`);
  // Nobody renews the lease of a person: it lasts as long as the task may.
  const [lease, ...others] = await leasesOf(ana);
  expect(others).toEqual([]);
  expect(lease?.left).toBeGreaterThan(86_000);

  const report = (...words: string[]) => vaporaCli('workflow', 'report', '--id', run.id, '--step', 'docs', ...words);
  expect(await report('--by', ana, '--progress', '0.4', '--message', 'half of it')).toMatchObject({
    exitCode: 0,
    stdout: 'noted; docs#1 stays open\n',
  });
  expect((await run.status()).steps[1]).toMatchObject({ state: 'running', progress: 0.4, message: 'half of it' });

  writeFileSync(join(folder, 'docs.md'), `# How to\n${'long '.repeat(20_000)}`);
  expect(await report('--by', 'eve', '--status', 'success')).toMatchObject({
    exitCode: 5,
    stderr: expect.stringContaining(`eve may not report on docs#1: it is a task of ${ana}`) as string,
  });
  expect(await report('--by', ana, '--status', 'success')).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(/docs.md was not delivered[^]*deliver them with --output/) as string,
  });
  expect((await run.status()).tasks).toHaveLength(1);
  const end = await report(
    '--by',
    ana,
    '--status',
    'success',
    '--summary',
    'written',
    '--output',
    'docs.md=@docs.md',
    '--metric',
    'words=20%',
    '--json',
  );
  expect(JSON.parse(end.stdout)).toEqual({
    schemaVersion: 1,
    id: run.id,
    effect: 'succeeded',
    task: 'docs#1',
    step: 'docs',
    message: 'docs#1 is done',
    via: 'update',
  });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 3 } });

  // The way of any agent's result.
  const [, row] = await listExecutions(vapora, run.id);
  expect(row).toMatchObject({ path: 'docs', agent_id: ana, state: 'ended', outcome: 'success', attempts: 0 });
  expect(row?.started_at?.toISOString()).toBe(task.since);
  const [{ result, explanation, duration_ms: durationMs } = {}] = await queryDatabase<Record<string, never>>(
    vapora,
    `select result, explanation, duration_ms from executions e join runs using (root_run_id) where workflow_id = $1 and path = 'docs'`,
    [run.id],
  );
  expect(durationMs).toBeGreaterThan(0);
  expect(explanation).toMatchObject({ chosen: ana, why: `${ana} is the only agent that can do it` });
  expect(result).toMatchObject({ summary: 'written', metrics: { words: { value: 20, unit: '%' } } });
  const { artifact } = (result as unknown as { outputs: Record<string, { artifact: string }> }).outputs['docs.md'] ?? { artifact: '' };
  expect((await loadArtifact(vapora.database, artifact))?.bytes.toString()).toContain('# How to');
  expect(await leasesOf(ana)).toEqual([]);
  expect((await listAuditOf(vapora, run.id, 'execution.succeeded')).map(({ event }) => event.actor.id)).toEqual(['d-cli', ana, 'd-cli']);
  expect((await listAuditOf(vapora, run.id, 'task.reported')).map(({ event }) => event.reason)).toEqual(['written']);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect(await queryDatabase(vapora, 'select task from tasks where is_open')).toEqual([]);
  expect((await listOpenGates(vapora.client)).tasks).toEqual([]);
  // It did not run as an activity.
  const { events } = await run.handle.fetchHistory();
  const scheduled = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) => (one ? [one.activityId] : []));
  expect(scheduled).toEqual(['build#1', 'ship#1']);
});

test("by Temporal's own tools: a raw signal, and an update", async () => {
  const { ana, agents } = peopleOf('raw');
  const source = `
Workflow: raw
Steps:
  one: { agent: ${ana} }
  two: { agent: ${ana}, dependencies: [one], outputs: [text] }
`;
  const run = await startTestRun(vapora, source, { agents });
  await taskOf(run, 'one');
  const signal = (input: object) =>
    runTemporalCli('workflow', 'signal', '--workflow-id', run.id, '--name', 'report', '--input', JSON.stringify(input));
  expect(await signal({ step: 'one', agent: ana, result: { status: 'perfect' } })).toMatchObject({ exitCode: 0 });
  expect(await signal({ step: 'one', by: 'eve', result: done })).toMatchObject({ exitCode: 0 });
  const ignored = await waitFor('both to be audited', async () => {
    const [malformed, refused] = await Promise.all([listIgnoredSignals(vapora, run.id), listAuditOf(vapora, run.id, 'report.ignored')]);
    return malformed.length === 1 && refused.length === 1 ? { malformed, refused } : undefined;
  });
  expect(ignored.malformed).toEqual([['report', expect.stringContaining('without a "status" of success or failure')]]);
  expect(ignored.refused[0]?.event).toMatchObject({ actor: { id: 'eve' }, object: 'one', details: { code: 'not_assigned' } });
  await signal({ step: 'one', agent: ana, result: { ...done, summary: 'by signal' } });
  await taskOf(run, 'two');

  const update = (input: object) =>
    runTemporalCli('workflow', 'update', 'execute', '--workflow-id', run.id, '--name', 'report', '--input', JSON.stringify(input));
  const before = (await run.handle.fetchHistory()).events?.length;
  expect(await update({ step: 'two', by: ana, result: done })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('text was not delivered') as string,
  });
  expect(await update({ step: 'two', by: ana, task: 'two#7', result: done })).toMatchObject({ exitCode: 1 });
  // Refused by the validator: nothing of it stands in the history.
  const types = ((await run.handle.fetchHistory()).events ?? [])
    .slice(before)
    .map(({ workflowExecutionUpdateAcceptedEventAttributes: one }) => one);
  expect(types.filter((one) => one)).toEqual([]);
  const accepted = await update({ step: 'two', by: ana, task: 'two#1', result: { ...done, outputs: { 'text.md': 'said' } } });
  expect(accepted).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('two#1 is done') as string });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(await reportStep(vapora.client, run.id, { step: 'two', by: ana, result: done }).catch((error: Error) => error.message)).toMatch(
    /has ended/,
  );
});

test('whoever does not report in time is replaced, then the step fails', async () => {
  const { ana, bo, agents } = peopleOf('late');
  const source = `
Workflow: late
Steps:
  w: { agent: writer, timeout: 2s, reassign: 1 }
`;
  const run = await startTestRun(vapora, source, { agents });
  const first = await taskOf(run, 'w');
  const second = await waitFor('another one to be asked', async () => {
    const [task] = (await run.status()).tasks ?? [];
    return task !== undefined && task.agent !== first.agent ? task : undefined;
  });
  expect([first.agent, second.agent].sort()).toEqual([ana, bo]);
  const refusal = await reportStep(vapora.client, run.id, { step: 'w', by: first.agent, result: done }).catch(
    (error: Error) => error.message,
  );
  expect(refusal).toContain(`${first.agent} may not report`);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({
    status: 'failed',
    reason: expect.stringContaining(`${second.agent} did not report by`) as string,
  });
  expect((await listExecutions(vapora, run.id)).map(({ agent_id: agent, outcome }) => [agent, outcome])).toEqual([
    [first.agent, 'failure'],
    [second.agent, 'failure'],
  ]);
  expect([...(await leasesOf(ana)), ...(await leasesOf(bo))]).toEqual([]);
});

test('a person has as many tasks as the capacity says, over all runs, and is asked for the next when one is done', async () => {
  const { ana, agents } = peopleOf('busy');
  const source = `Workflow: busy\nSteps:\n  w: { agent: ${ana} }\n`;
  const one = await startTestRun(vapora, source, { agents });
  await taskOf(one, 'w');
  const two = await startTestRun(vapora, source, { agents });
  await waitFor('the second to wait', async () => (await two.status()).steps[0]?.reason?.includes(`${ana} 1/1`));
  await reportStep(vapora.client, one.id, { step: 'w', by: ana, result: done });
  await taskOf(two, 'w');
  await reportStep(vapora.client, two.id, { step: 'w', by: ana, result: done });
  expect(await waitForResult(vapora.client, two.id)).toMatchObject({ status: 'completed' });
});

test('what a person did is undone by that person', async () => {
  const { ana, max, agents } = peopleOf('undo');
  const source = `
Workflow: undo
Steps:
  rack: { agent: ${ana}, compensate: take the server out again }
  b: { agent: ${max}, dependencies: [rack] }
`;
  const run = await startTestRun(vapora, source, { agents });
  await taskOf(run, 'rack');
  await reportStep(vapora.client, run.id, { step: 'rack', by: ana, result: { ...done, summary: 'rack 7' } });
  await taskOf(run, 'b');
  await reportStep(vapora.client, run.id, { step: 'b', by: max, result: { status: 'failure', summary: 'it smells' } });
  expect(await taskOf(run, 'rack')).toMatchObject({
    id: 'rack#1!undo',
    mode: 'undo',
    agent: ana,
    asked: { action: 'take the server out again', outputs: [], undo: { result: { summary: 'rack 7' } } },
  });
  await run.reaches('rolling_back');
  await reportStep(vapora.client, run.id, { step: 'rack', by: ana, result: done });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({
    status: 'rolled_back',
    reason: expect.stringContaining('step b failed: it smells') as string,
  });
  expect((await listExecutions(vapora, run.id)).map(({ path, mode, outcome }) => `${mode} ${path} ${outcome ?? ''}`)).toEqual([
    'do rack success',
    'do b failure',
    'undo rack success',
  ]);
});

test('a cancel and a skip withdraw what is open', async () => {
  const { ana, agents } = peopleOf('withdrawn');
  const source = `Workflow: withdrawn\nSteps:\n  w: { agent: ${ana}, optional: true }\n  x: { agent: ${ana}, dependencies: [w] }\n`;
  const run = await startTestRun(vapora, source, { agents });
  await taskOf(run, 'w');
  await adjustRun(vapora.client, run.id, { kind: 'skip_step', step: 'w', by: ana, reason: 'not needed' });
  await taskOf(run, 'x');
  await cancelRun(vapora.client, run.id, { reason: 'enough' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  expect((await listExecutions(vapora, run.id)).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
  expect(await leasesOf(ana)).toEqual([]);
});

test('without a worker the report is kept, and counts when one is up', async () => {
  const { ana, agents } = peopleOf('later');
  const alone = await startTestVapora({ withWorker: false });
  const worker = await alone.startWorker();
  try {
    const run = await startTestRun(alone, between('later'), { agents });
    await waitFor('it to be recorded', async () => (await loadRunStatus(alone.database, run.id))?.tasks?.length);
    await worker.shutdown();
    const answer = await reportStep(alone.client, run.id, { step: 'docs', by: ana, result: { ...done, outputs: { 'docs.md': 'x' } } });
    expect(answer).toMatchObject({ effect: 'sent', via: 'signal' });
    await alone.startWorker();
    expect(await waitForResult(alone.client, run.id)).toMatchObject({ status: 'completed' });
  } finally {
    await alone.stop();
  }
});

test('with a task open a run continues as new, is replayed and reset: nothing is lost', async () => {
  const limited = await startTestVapora({ historyLimits: { events: 40, bytes: 1e9, signals: 20 } });
  try {
    const { ana, agents } = peopleOf('continued');
    const run = await startTestRun(limited, between('continued'), { agents });
    await waitFor('the task', async () => (await run.status().catch(() => undefined))?.tasks?.[0]);
    for (let n = 1; n <= 25; n += 1) await run.handle.signal('report', { step: 'docs', agent: ana, progress: n / 100 });
    await waitFor('another execution', async () => (await listAuditOf(limited, run.id, 'run.continued')).length > 0);
    const view = await waitFor('the newest progress', async () => {
      const status = await run.status();
      return status.tasks?.[0]?.progress === 0.25 ? status : undefined;
    });
    expect(view).toMatchObject({ status: 'waiting_approval', tasks: [{ id: 'docs#1', agent: ana }] });
    expect((await getStatus(limited.client, run.id)).view.steps[1]).toMatchObject({ state: 'running', progress: 0.25 });
    await reportStep(limited.client, run.id, { step: 'docs', by: ana, result: { ...done, outputs: { 'docs.md': 'x' } } });
    expect(await waitForResult(limited.client, run.id)).toMatchObject({ status: 'completed' });
    expect((await listExecutions(limited, run.id)).map(({ path, outcome }) => `${path} ${outcome ?? ''}`)).toEqual([
      'build success',
      'docs success',
      'ship success',
    ]);
    expect(await verifyAudit(limited.client, run.id)).toMatchObject({ ok: true });
    const history = await run.handle.fetchHistory();
    const replay = { dataConverter: { payloadConverterPath }, workflowBundle: { codePath: testWorkflowBundle() } };
    await Worker.runReplayHistory(replay, history, run.id);
  } finally {
    await limited.stop();
  }
});

test('after a reset to before it, what a person did is not asked for again', async () => {
  const { ana, agents } = peopleOf('reset');
  const run = await startTestRun(vapora, between('reset'), { agents });
  await taskOf(run, 'docs');
  await reportStep(vapora.client, run.id, { step: 'docs', by: ana, result: { ...done, outputs: { 'docs.md': 'x' } } });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  await resetRun(vapora, run, ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === 'build#1');
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect((await listAuditOf(vapora, run.id, 'effect.adopted')).map(({ event }) => event.object)).toContain('docs#1');
  expect((await listExecutions(vapora, run.id)).map(({ path, outcome }) => `${path} ${outcome ?? ''}`)).toEqual([
    'build success',
    'docs success',
    'ship success',
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

/** Machines that write down what they are called for, and one person. */
function withPerson(name: string) {
  const files = journalAgents(folder, name);
  const ana = `ana-${name}`;
  return { files, ana, agents: { source: `${files.agents.source}  - { id: ${ana}, role: writer, executor: { kind: human } }\n` } };
}

test('a reset to while a task was open takes the report again as it came, and nothing is done twice', async () => {
  const { files, ana, agents } = withPerson('again');
  files.set('broken', 'ship');
  const source = `
Workflow: again
on_failure: fail
Steps:
  build: { agent: developer }
  docs: { agent: ${ana}, dependencies: [build] }
  ship: { agent: developer, dependencies: [docs], retry: { attempts: 1 } }
`;
  const run = await startTestRun(vapora, source, { agents });
  await taskOf(run, 'docs');
  await run.handle.signal('report', { step: 'docs', agent: ana, result: { ...done, summary: 'written' } });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
  files.clear('broken', 'ship');
  await resetRun(vapora, run, ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'report');
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(files.calls()).toEqual(['build#1', 'ship#1', 'ship#1']);
  expect((await listExecutions(vapora, run.id)).map(({ path, outcome }) => `${path} ${outcome ?? ''}`)).toEqual([
    'build success',
    'docs success',
    'ship success',
  ]);
  expect(await leasesOf(ana)).toEqual([]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

test('what a terminated run did is undone, and the task that was open asks nobody any more', async () => {
  const { files, ana, agents } = withPerson('ended');
  const source = `
Workflow: ended
Steps:
  build: { agent: developer, compensate: unbuild }
  docs: { agent: ${ana}, dependencies: [build] }
`;
  const run = await startTestRun(vapora, source, { agents });
  await taskOf(run, 'docs');
  await run.handle.terminate('somebody in a hurry');
  expect((await listOpenGates(vapora.client)).tasks.filter(({ run: id }) => id === run.id)).toEqual([]);
  await rollbackRun(vapora.client, run.id, { reason: 'enough', by: 'max' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  expect(files.calls()).toEqual(['build#1', 'build#1!undo']);
  expect((await listExecutions(vapora, run.id)).map(({ path, mode, outcome }) => `${mode} ${path} ${outcome ?? ''}`)).toEqual([
    'do build success',
    'do docs cancelled',
    'undo build success',
  ]);
  expect(await leasesOf(ana)).toEqual([]);
});

test('a run without a record has tasks too', async () => {
  const { ana, agents } = withPerson('unrecorded');
  const source = `Workflow: unrecorded\nSteps:\n  docs: { agent: ${ana}, outputs: [text] }\n  ship: { agent: developer, dependencies: [docs] }\n`;
  const run = await startTestRun(vapora, source, { agents, recording: 'none' });
  await waitFor('the task', async () => (await run.status().catch(() => undefined))?.tasks?.length);
  await reportStep(vapora.client, run.id, { step: 'docs', by: ana, result: { ...done, outputs: { text: 'said' } } });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 2 } });
});

test('a person gets all that is asked, whatever its size, and what another person delivered', async () => {
  const { ana, bo, agents } = peopleOf('inputs');
  const vaporaCli = cliOf(vapora, folder);
  const source = `
Workflow: inputs
Steps:
  write: { agent: ${ana}, outputs: [text.md] }
  read: { agent: ${bo}, dependencies: [write], inputs: [text.md, brief, missing] }
`;
  const brief = `first line\n${'b'.repeat(20_000)}`;
  const run = await startTestRun(vapora, source, { agents, inputs: { brief } });
  await taskOf(run, 'write');
  const text = `# Text\n${'t'.repeat(20_000)}`;
  await reportStep(vapora.client, run.id, { step: 'write', by: ana, result: { ...done, outputs: { 'text.md': text } } });
  await taskOf(run, 'read');
  const ask = (...words: string[]) => vaporaCli('workflow', 'task', '--id', run.id, '--step', 'read', ...words);
  const shown = await ask();
  expect(shown.stdout).toContain(`read (asked of ${bo})`);
  expect(shown.stdout).toContain(`\n  ${'b'.repeat(20_000)}\n`);
  expect(shown.stdout).toMatch(/input text.md: sha256:[0-9a-f]{64} \(--dir FOLDER writes it to a file\)/);
  expect(shown.stdout).toContain('input missing: nobody gave it');
  expect(shown.stdout).toContain(`when it is done: vapora workflow report --id ${run.id} --step read --by ${bo} --status success\n`);
  const written = await ask('--dir', 'given', '--json');
  expect(JSON.parse(written.stdout)).toMatchObject({
    agent: { id: bo },
    inputs: { brief: { text: brief } },
    files: { 'text.md': join('given', 'text.md'), brief: join('given', 'brief') },
  });
  expect(readFileSync(join(folder, 'given', 'text.md'), 'utf8')).toBe(text);
  expect(readFileSync(join(folder, 'given', 'brief'), 'utf8')).toBe(brief);
  expect(await vaporaCli('workflow', 'task', '--id', run.id, '--step', 'write')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining(`${run.id} asks nobody to do write now`) as string,
  });
  await reportStep(vapora.client, run.id, { step: 'read', by: bo, result: done });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
});

test('while deadlines stand still the slot of a person is kept', async () => {
  const { ana, agents } = peopleOf('frozen');
  const run = await startTestRun(vapora, `Workflow: frozen\nSteps:\n  w: { agent: ${ana}, timeout: 1h }\n`, { agents });
  const before = await taskOf(run, 'w');
  await pauseRun(vapora.client, run.id, { reason: 'a holiday', freeze: true });
  await waitFor('no deadline', async () => (await loadRunStatus(vapora.database, run.id))?.tasks?.[0]?.deadline === null);
  expect(
    await queryDatabase(vapora, `select 1 as kept from agent_leases where agent_id = $1 and expires_at = 'infinity'`, [ana]),
  ).toHaveLength(1);
  await resumeRun(vapora.client, run.id, {});
  const after = await waitFor('a deadline', async () => {
    const [task] = (await loadRunStatus(vapora.database, run.id))?.tasks ?? [];
    return task?.deadline ?? undefined;
  });
  expect(Date.parse(after)).toBeGreaterThan(Date.parse(before.deadline ?? ''));
  const [lease] = await leasesOf(ana);
  expect(lease?.left).toBeLessThan(3_700);
  await reportStep(vapora.client, run.id, { step: 'w', by: ana, result: done });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
});
