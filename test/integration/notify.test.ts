import { Worker } from '@temporalio/worker';
import type { ReplayWorkerOptions } from '@temporalio/worker';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import type { StartInput } from '../../core/contract/start-input';
import { payloadConverterPath } from '../../workers/bundle';
import { startReceiver, type ReceivedPost, type Receiver } from '../support/receivers';
import { listAuditOf } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

let vapora: TestVapora;
const receivers: Receiver[] = [];
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());
afterEach(() => Promise.all(receivers.splice(0).map((receiver) => receiver.stop())));

async function receive(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const receiver = await startReceiver(...answer);
  receivers.push(receiver);
  return receiver;
}
const start = (notify: string, input: StartInput = {}) =>
  startTestRun(
    vapora,
    `
Workflow: told
notify: ${notify}
Steps:
  a: { agent: developer, approval: { approvers: [ana] } }
  b: { agent: tester, dependencies: [a] }
`,
    { agents: instantAgents, ...input },
  );
const keyOf = ({ headers }: ReceivedPost): string => String(headers['idempotency-key']);
const taken = ({ posts }: Receiver): ReceivedPost[] => posts.filter(({ status }) => status < 300);
const toldBy = (receiver: Receiver): unknown[] => taken(receiver).map(({ body }) => [body['event'], body['kind']]);

async function replay(id: string, workflowBundle: ReplayWorkerOptions['workflowBundle'], runId?: string): Promise<(Error | undefined)[]> {
  const { workflow } = await vapora.client.temporal();
  const history = await workflow.getHandle(id, runId).fetchHistory();
  const errors: (Error | undefined)[] = [];
  for await (const { error } of Worker.runReplayHistories({ dataConverter: { payloadConverterPath }, workflowBundle }, [
    { workflowId: id, history },
  ])) {
    errors.push(error);
  }
  return errors;
}

test('each is told once, though the first tries fail; what the run does is the same when it is replayed', async () => {
  const tries = new Map<unknown, number>();
  const receiver = await receive(({ body }) => {
    const k = (tries.get(body['key']) ?? 0) + 1;
    tries.set(body['key'], k);
    return k <= 2 ? 503 : 204;
  });
  const run = await start(`{channel: webhook, url: "${receiver.url}/hook"}`);
  await run.waitsAt('a');
  await waitFor('the notice of the gate', async () => taken(receiver).length === 1);
  const gate = taken(receiver)[0]?.body['gate'] as { commands: { approve: string }; approvers: string[] };
  expect(gate).toMatchObject({ id: 'a', approvers: ['ana'], deadline: expect.any(String) });
  expect(gate.commands.approve).toBe(`vapora workflow approve --id ${run.id} --gate a --by ana`);
  await run.handle.signal('approve', { gate: 'a', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });

  expect(toldBy(receiver)).toEqual([
    ['waiting', 'opened'],
    ['completed', 'completed'],
  ]);
  const keys = taken(receiver).map(keyOf);
  expect(new Set(keys).size).toBe(2);
  for (const key of keys) expect(receiver.posts.filter((post) => keyOf(post) === key).map(({ status }) => status)).toEqual([503, 503, 204]);
  const sent = await listAuditOf(vapora, run.id, 'notice.sent');
  expect(sent.map(({ event: { object, details } }) => [object, details])).toEqual([
    ['a', expect.objectContaining({ event: 'waiting', address: new URL(receiver.url).host, attempt: 3 })],
    [run.id, expect.objectContaining({ event: 'completed', attempt: 3 })],
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect(await replay(run.id, { codePath: testWorkflowBundle() })).toEqual([undefined]);
});

test('a receiver that is down holds nothing up, and is told when it is back', async () => {
  let isDown = true;
  const receiver = await receive(() => (isDown ? 503 : 200));
  const run = await start(`{channel: slack, url: "${receiver.url}", on: [waiting, completed]}`);
  await run.waitsAt('a');
  await waitFor('the first try', async () => receiver.posts.length > 0);
  await run.handle.signal('approve', { gate: 'a', by: 'ana' });
  // The run has done all its work, and says so, while Temporal still holds it for the last notice.
  await run.reaches('completed');
  expect((await run.handle.describe()).status.name).toBe('RUNNING');
  isDown = false;
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(await listAuditOf(vapora, run.id, 'notice.sent')).toHaveLength(2);
  expect(taken(receiver)).toHaveLength(2);
  expect(await replay(run.id, { codePath: testWorkflowBundle() })).toEqual([undefined]);
});

test('what cannot be delivered is audited with the reason, and the run ends as it would', async () => {
  process.env['NOTIFY_TEST_HOOK'] = `${(await receive(() => 410)).url}/s3cret`;
  const run = await start('{channel: webhook, url: "${secret:NOTIFY_TEST_HOOK}", on: [waiting, failed]}');
  await run.waitsAt('a');
  // Said at once, not only when something else is recorded.
  const failed = await waitFor('the failure in the audit', async () => (await listAuditOf(vapora, run.id, 'notice.failed'))[0]);
  expect(failed.event).toMatchObject({
    object: 'a',
    reason: expect.stringMatching(/^waiting by webhook: 127\.0\.0\.1:\d+ answered 410 Gone$/),
  });
  await run.handle.signal('reject', { gate: 'a', by: 'ana', reason: 'no' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
  expect(await listAuditOf(vapora, run.id, 'notice.failed')).toHaveLength(2);
  const history = JSON.stringify(await run.handle.fetchHistory());
  expect(history).not.toContain('s3cret');
  delete process.env['NOTIFY_TEST_HOOK'];
});

test.each<[string, StartInput, (run: Awaited<ReturnType<typeof start>>) => Promise<unknown>, string]>([
  ['without recording', { recording: 'none' }, (run) => run.handle.signal('cancel', { reason: 'enough', by: 'ana' }), 'cancelled'],
  ["by Temporal's own request", {}, (run) => run.handle.cancel(), 'cancelled'],
])('the end of a run that is cancelled %s is told', async (_, input, cancel, status) => {
  const receiver = await receive();
  const run = await start(`{channel: webhook, url: "${receiver.url}", on: failed}`, input);
  await run.waitsAt('a');
  await cancel(run);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status });
  expect(toldBy(receiver)).toEqual([['failed', 'cancelled']]);
});
