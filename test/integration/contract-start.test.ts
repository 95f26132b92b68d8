import { join } from 'node:path';
import { waitForResult } from '../../client/run-outcome';
import { runCliProcess, variablesOf } from '../support/cli-process';
import { deepJson, rawPayload, startRaw } from '../support/raw-signals';
import type { RawPayload } from '../support/raw-signals';
import { countHistoryEvents, listIgnoredSignals } from '../support/run-records';
import { runTemporalCli } from '../support/temporal-cli';
import { instantAgents, readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

let started = 0;
const freshId = (): string => `contract-start-${++started}-${Date.now()}`;

const small = 'Workflow: small\nSteps:\n  a: { agent: developer }\n';

test('a published definition is started by its id with nothing but the temporal CLI', async () => {
  const example = join(__dirname, '../../examples/feature-auth-mfa/workflow.yaml');
  const published = await runCliProcess(['publish', example, '--json'], { variables: variablesOf(vapora) });
  expect(published).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(published.stdout)).toMatchObject({ id: 'feature-auth-mfa', version: 1, isNew: true });

  const id = freshId();
  const start = ['workflow', 'start', '--task-queue', vapora.taskQueue, '--type', 'feature-auth-mfa', '--workflow-id', id];
  expect(await runTemporalCli(...start, '--input', '{"timeScale":200000,"autoApprove":true}')).toMatchObject({ exitCode: 0 });
  expect(await waitForResult(vapora.client, id)).toMatchObject({
    status: 'completed',
    definition: 'feature-auth-mfa',
    steps: { passed: 20 },
  });

  // Without any input, in real time: its first step is at work.
  const plain = `${id}-plain`;
  expect(
    await runTemporalCli('workflow', 'start', '--task-queue', vapora.taskQueue, '--type', 'feature-auth-mfa', '--workflow-id', plain),
  ).toMatchObject({ exitCode: 0 });
  const handle = (await vapora.client.temporal()).workflow.getHandle(plain);
  await waitFor('the first step to run', async () => {
    const view = await handle.query<{ steps: { id: string; state: string }[] } | null>('status');
    return view?.steps.find((step) => step.id === '1_architect_designs')?.state === 'running';
  });
  await handle.signal('cancel', { reason: 'seen enough', by: 'tester' });
  expect(await waitForResult(vapora.client, plain)).toMatchObject({ status: 'cancelled' });
});

const json = (value: unknown): RawPayload => rawPayload(JSON.stringify(value));

test.each<[what: string, payloads: RawPayload[], reason: RegExp]>([
  ['an encoding that does not exist', [rawPayload('x', 'bogus/enc')], /cannot be decoded: Unknown encoding: bogus\/enc/],
  ['broken JSON', [rawPayload('{"source":')], /cannot be decoded/],
  ['no metadata', [rawPayload('{}', null)], /cannot be decoded/],
  ['a number', [json(7)], /one JSON object/],
  ['bytes', [rawPayload('', 'binary/plain')], /one JSON object/],
  ['a second argument that cannot be decoded', [json({ source: small }), rawPayload('{')], /one JSON object, not 2 arguments/],
  ['inputs too deep to pass on', [rawPayload(`{"inputs":{"x":${deepJson(100_000)}}}`)], /cannot be decoded: .*deep/],
  ['an unknown key', [json({ sauce: small })], /unknown key "sauce"/],
  ['keys of the prototype', [rawPayload('{"__proto__":{"source":"x"},"constructor":1}')], /unknown key/],
])('a start input that is %s fails the run cleanly', async (_what, payloads, reason) => {
  const id = freshId();
  await startRaw(vapora, { type: 'small', id, payloads });
  const outcome = await waitForResult(vapora.client, id);
  expect(outcome).toMatchObject({ status: 'failed', failureType: 'InvalidStartInput', reason: expect.stringMatching(reason) });
  expect(await countHistoryEvents(vapora, id)).not.toHaveProperty('workflowTaskFailed');
});

test.each(['toString', 'hasOwnProperty', '__proto__', 'constructor', 'default', 'vapora-x', 'no-such-definition'])(
  'a workflow type %s that nobody published fails the run cleanly',
  async (type) => {
    const id = freshId();
    await startRaw(vapora, { type, id });
    expect(await waitForResult(vapora.client, id)).toMatchObject({ status: 'failed' });
    expect(await countHistoryEvents(vapora, id)).not.toHaveProperty('workflowTaskFailed');
  },
);

test('inputs that grow as they are written anew fail the start, and not every workflow task', async () => {
  const id = freshId();
  const source = 'Workflow: grown\nInputs: { x: { type: list } }\nSteps:\n  a: { agent: developer }\n';
  const input = JSON.stringify({ source, agents: instantAgents }).replace(/}$/, `,"inputs":{"x":[${'1e20,'.repeat(130_000)}1]}}`);
  await startRaw(vapora, { id, type: 'grown', payloads: [rawPayload(input)] });
  expect(await waitForResult(vapora.client, id)).toMatchObject({
    status: 'failed',
    reason: expect.stringContaining('the inputs are longer than') as string,
  });
});

test('texts that Postgres cannot keep, and everything around the input undecodable: the run completes', async () => {
  const id = freshId();
  const odd = 'a\u0000b\ud800';
  const input = { source: small, initiator: odd, seed: odd, inputs: {}, agents: instantAgents };
  await startRaw(vapora, {
    type: 'small',
    id,
    payloads: [json(input)],
    memo: { note: rawPayload('{'), other: rawPayload('x', 'bogus/enc') },
    header: { tracing: rawPayload('x', 'bogus/enc') },
    signal: { name: 'approve', payloads: [rawPayload('{')] },
  });
  expect(await waitForResult(vapora.client, id)).toMatchObject({ status: 'completed' });
  expect(await countHistoryEvents(vapora, id)).not.toHaveProperty('workflowTaskFailed');
  // It came before there was a plan, and is not forgotten.
  expect(await listIgnoredSignals(vapora, id)).toEqual([['approve', expect.stringContaining('cannot be decoded')]]);
});

test('search attributes of another shape than ours do not wedge the run', async () => {
  const id = freshId();
  await startRaw(vapora, {
    type: 'small',
    id,
    payloads: [json({ source: small, agents: instantAgents })],
    searchAttributes: { VaporaStatus: json(['x', 'y']), VaporaBlockedOn: json('one') },
  }).catch((error: unknown) => {
    // A server that refuses them is as good.
    expect(String(error)).toMatch(/search attribute/i);
  });
  const outcome = await waitForResult(vapora.client, id).catch(() => undefined);
  if (outcome !== undefined) expect(outcome).toMatchObject({ status: 'completed' });
});

test('updates and queries with junk are refused or answered with nothing, and change nothing', async () => {
  const run = await startTestRun(vapora, readExample('feature-auth-mfa', 'workflow.yaml'), {
    agents: { source: readExample('feature-auth-mfa', 'agents.yaml') },
    timeScale: 200_000,
  });
  const gate = '3_decision_maker_approves';
  await run.waitsAt(gate);
  const before = await countHistoryEvents(vapora, run.id);
  const approval = `{"gate":"${gate}","by":"ana","decision":"approve"}`;
  const update = (...words: string[]) => runTemporalCli('workflow', 'update', 'execute', '--workflow-id', run.id, ...words);
  const undecodable = ['--input', approval, '--input-meta', 'encoding=bogus/enc'];
  const refusals: [words: string[], why: RegExp][] = [
    [['--name', 'decide', ...undecodable], /cannot be decoded: Unknown encoding/],
    [['--name', 'decide', '--input', approval, '--input', 'x', '--input-meta', 'encoding=bogus/enc'], /not 2 arguments/],
    [['--name', 'decide', '--input', '7'], /one JSON object, not 7/],
    [['--name', 'decide'], /one JSON object, not nothing/],
    [['--name', 'decide', '--input', '{"gate":"__proto__","by":"ana","decision":"approve"}'], /there is no gate/],
    [['--name', 'decide', '--input', deepJson(5_000)], /deep/],
    [['--name', 'no-such-update', ...undecodable], /No registered handler|no-such-update/],
    [['--name', '__temporal_x', '--input', approval], /.+/],
    [['--name', '__stack_trace'], /.+/],
  ];
  for (const [words, why] of refusals) {
    const { exitCode, stdout, stderr } = await update(...words);
    expect({ words, exitCode, said: stdout + stderr }).toEqual({ words, exitCode: 1, said: expect.stringMatching(why) });
  }

  const query = (...words: string[]) => runTemporalCli('workflow', 'query', '--workflow-id', run.id, ...words);
  for (const name of ['status', 'plan', 'timeline', 'gates', 'explain']) {
    expect(await query('--name', name, '--input', 'x', '--input-meta', 'encoding=bogus/enc')).toMatchObject({ exitCode: 0 });
  }
  for (const step of ['__proto__', 'constructor', 'toString', '\u0000', gate]) {
    expect(await query('--name', 'explain', '--input', JSON.stringify({ stepId: step }))).toMatchObject({ exitCode: 0 });
  }
  for (const name of ['__temporal_x', 'no-such-query', 'toString', '__proto__'])
    expect(await query('--name', name)).toMatchObject({ exitCode: 1 });
  for (const name of ['__stack_trace', '__enhanced_stack_trace', '__temporal_workflow_metadata'])
    expect(await query('--name', name)).toMatchObject({ exitCode: 0 });

  expect(await run.gate(gate)).toMatchObject({ state: 'open', votes: [] });
  expect((await run.status()).ignoredSignals).toBe(0);
  const after = await countHistoryEvents(vapora, run.id);
  expect(after).not.toHaveProperty('workflowTaskFailed');
  // A refused update leaves no event.
  expect(after).toEqual(before);
  await run.handle.signal('cancel', { reason: 'the test is done', by: 'tester' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
});
