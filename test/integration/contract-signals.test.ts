import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { poison, strayVotes } from '../support/poison-signals';
import { sendRawSignal } from '../support/raw-signals';
import type { RawSignal } from '../support/raw-signals';
import { countHistoryEvents, listAuditOf, listExecutions, listIgnoredSignals, queryDatabase } from '../support/run-records';
import { runTemporalCli } from '../support/temporal-cli';
import { readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const gate = '3_decision_maker_approves';
const approval = JSON.stringify({ gate, by: 'ana', reason: 'ok' });

/** A month of work in a second, and no agent fails. */
const timeScale = 200_000;

const startFeature = (): Promise<StartedTestRun> =>
  startTestRun(vapora, readExample('feature-auth-mfa', 'workflow.yaml'), {
    agents: { source: readExample('feature-auth-mfa', 'agents.yaml') },
    timeScale,
  });

const signalByCli = (id: string, ...words: string[]) => runTemporalCli('workflow', 'signal', '--workflow-id', id, ...words);

/** What `describe` prints: `Name:metadata:{…} data:"<JSON, quoted once more>"`. */
function parseSearchAttributes(printed: string): Record<string, unknown> {
  const attributes = printed.matchAll(/(Vapora\w+):(?:metadata:\{[^}]*\}\s+)+data:("(?:[^"\\]|\\.)*")/g);
  return Object.fromEntries([...attributes].map(([, name = '', data = '""']) => [name, JSON.parse(JSON.parse(data) as string) as unknown]));
}

test('the documented commands of the temporal CLI: describe shows the run, a signal and an update let it go on', async () => {
  const run = await startFeature();
  await run.waitsAt(gate);

  const described = await waitFor('the search attributes to tell that it waits', async () => {
    const { stdout } = await runTemporalCli('workflow', 'describe', '--workflow-id', run.id);
    const values = parseSearchAttributes(stdout);
    return values['VaporaStatus'] === 'waiting_approval' && values;
  });
  expect(described).toMatchObject({
    VaporaDefinition: 'feature-auth-mfa',
    VaporaPhase: 'planning',
    VaporaPlanHash: (await run.status()).planHash,
    VaporaBlockedOn: [gate],
  });

  expect(await signalByCli(run.id, '--name', 'approve', '--input', approval)).toMatchObject({ exitCode: 0 });
  await run.waitsAt('12_final_approval');
  const updated = await runTemporalCli(
    ...['workflow', 'update', 'execute', '--workflow-id', run.id, '--name', 'decide'],
    ...['--input', '{"gate":"12_final_approval","by":"ana","decision":"approve"}'],
  );
  expect(updated).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('12_final_approval is approved') });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 20 } });
  expect(await listAuditOf(vapora, run.id, 'signal.ignored')).toEqual([]);
});

test('no signal can wedge a run or move its gate; each is in the audit with the reason', async () => {
  const run = await startFeature();
  await run.waitsAt(gate);
  const cli: [words: string[], reason: RegExp][] = [
    [['--name', 'approve', '--input', '7'], /one JSON object, not 7/],
    [['--name', 'approve', '--input', 'x', '--input-meta', 'encoding=bogus/enc'], /Unknown encoding: bogus\/enc/],
    [['--name', 'no-such-signal', '--input', 'x', '--input-meta', 'encoding=bogus/enc'], /no such signal/],
    [['--name', '__temporal_x', '--input', approval], /no such signal/],
  ];
  for (const [words] of cli) expect(await signalByCli(run.id, ...words)).toMatchObject({ exitCode: 0 });
  for (const [, signal] of [...poison, ...strayVotes]) await sendRawSignal(vapora, run.id, signal);

  const sent = cli.length + poison.length;
  await waitFor('all of them to be counted', async () => (await run.status()).ignoredSignals === sent);
  expect(await run.gate(gate)).toMatchObject({ state: 'open', votes: [] });
  expect((await run.status()).status).toBe('waiting_approval');

  await run.handle.signal('approve', JSON.parse(approval));
  await run.waitsAt('12_final_approval');
  await run.handle.signal('approve', { gate: '12_final_approval', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 20 } });

  const ignored = await listIgnoredSignals(vapora, run.id);
  const reasons = [...cli.map(([, reason]) => reason), ...poison.map(([, , reason]) => reason)];
  expect(ignored).toHaveLength(sent);
  ignored.forEach(([name, reason], index) => expect(`${name}: ${reason}`).toMatch(reasons[index] as RegExp));
  const refusedVotes = await listAuditOf(vapora, run.id, 'vote.ignored');
  expect(refusedVotes.map(({ event }) => event.reason)).toEqual(strayVotes.map(([, , reason]) => expect.stringMatching(reason)));
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  // An exception while signals are delivered would show as a workflow task that failed and was tried again.
  expect(await countHistoryEvents(vapora, run.id)).not.toHaveProperty('workflowTaskFailed');
});

test('an empty signal name is refused by the server', async () => {
  const run = await startFeature();
  await run.waitsAt(gate);
  await expect(sendRawSignal(vapora, run.id, { name: '' })).rejects.toThrow(/SignalName/);
  await run.handle.terminate('the test is done');
});

test('two hundred junk signals around one genuine approval, while a step runs: decided once', async () => {
  const source = `
Workflow: busy
Steps:
  long: { agent: tester }
  gated: { agent: developer, approval_required: true }
  after: { agent: developer, dependencies: [gated, long] }
`;
  const agents = {
    source: `
agents:
  - {id: t, role: tester, executor: {kind: simulate, duration: 1500ms}}
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
  - {id: ana, role: decision-maker, executor: {kind: human}}
`,
  };
  const run = await startTestRun(vapora, source, { agents });
  await run.waitsAt('gated');
  expect((await run.status()).steps.find(({ id }) => id === 'long')).toMatchObject({ state: 'running' });

  const vote = { gate: 'gated', by: 'ana', reason: 'ok' };
  const junk = Array.from({ length: 100 }, (_, index) => poison[index % poison.length]?.[1] as RawSignal);
  await Promise.all([
    ...junk.map((signal) => sendRawSignal(vapora, run.id, signal)),
    run.handle.signal('approve', vote),
    ...junk.map((signal) => sendRawSignal(vapora, run.id, signal)),
  ]);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 3 } });

  // More than 100 signals within one workflow task make the server close it: its recording is made again, with all that came since.
  expect(await countHistoryEvents(vapora, run.id)).toMatchObject({ workflowExecutionSignaled: 201 });
  expect((await listIgnoredSignals(vapora, run.id)).length).toBeGreaterThanOrEqual(200);
  expect(
    await queryDatabase(
      vapora,
      'select a.gate, a.generation, a.decision from approvals a join runs r using (root_run_id) where r.workflow_id = $1',
      [run.id],
    ),
  ).toEqual([{ gate: 'gated', generation: 1, decision: 'approved' }]);
  expect(
    await queryDatabase(
      vapora,
      'select v.voter, v.decision from approval_votes v join runs r using (root_run_id) where r.workflow_id = $1',
      [run.id],
    ),
  ).toEqual([{ voter: 'ana', decision: 'approve' }]);
  const executions = await listExecutions(vapora, run.id);
  expect(executions.map(({ path, outcome, attempts }) => [path, outcome, attempts]).sort()).toEqual([
    ['after', 'success', 1],
    ['gated', 'success', 1],
    ['long', 'success', 1],
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

const texts = ['a\u0000b', '\ud800', '\u2028', "'; drop table runs; --", '__proto__'];

test.each([
  [
    'pause and resume',
    (text: string) => [
      { name: 'pause', message: { reason: text, by: text } },
      { name: 'resume', message: { by: text } },
    ],
  ],
  ['an alert', (text: string) => [{ name: 'alert', message: { name: text, severity: text, message: text, by: text } }]],
  ['an early vote', (text: string) => [{ name: 'approve', message: { gate: 'gated', by: text, reason: text } }]],
])('%s with text that Postgres cannot keep as it is does not wedge the run', async (_what, messagesOf) => {
  const source = `
Workflow: texts
Steps:
  gated: { agent: developer, approval: { approvers: [ana] } }
`;
  const agents = { source: 'agents:\n  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}\n' };
  const run = await startTestRun(vapora, source, { agents });
  await run.waitsAt('gated');
  for (const text of texts) for (const { name, message } of messagesOf(text)) await run.handle.signal(name, message);
  await run.handle.signal('approve', { gate: 'gated', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect(await countHistoryEvents(vapora, run.id)).not.toHaveProperty('workflowTaskFailed');
});
