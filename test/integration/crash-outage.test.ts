import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { startWorker } from '../../workers/start-worker';
import { testTemporalAddress } from '../support/environment';
import { listAuditOf, listExecutions, listIgnoredSignals, queryDatabase } from '../support/run-records';
import { startSeverableProxy } from '../support/severable-proxy';
import type { SeverableProxy } from '../support/severable-proxy';
import { instantAgents, startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(90_000);

let vapora: TestVapora;
let folder: string;
let postgres: SeverableProxy;
let temporal: SeverableProxy;
let stopWorker: () => Promise<void>;
/** What the worker has said: an outage that nobody noticed proves nothing. */
const log: string[] = [];

beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
  folder = mkdtempSync(join(tmpdir(), 'vapora-outage-'));
  const database = new URL(vapora.databaseUrl);
  postgres = await startSeverableProxy({ host: database.hostname, port: Number(database.port) });
  database.port = String(postgres.port);
  const [host = '', port] = testTemporalAddress().split(':');
  temporal = await startSeverableProxy({ host, port: Number(port) });
  const worker = await startWorker({
    temporalAddress: `${temporal.host}:${temporal.port}`,
    databaseUrl: database.href,
    taskQueue: vapora.taskQueue,
    dataDir: vapora.dataDir,
    log: pino({ level: 'warn' }, { write: (line: string) => void log.push(line) }),
    workflowBundle: { codePath: testWorkflowBundle() },
  });
  stopWorker = () => worker.shutdown();
});
afterAll(async () => {
  await stopWorker();
  await Promise.all([postgres.close(), temporal.close()]);
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Two steps side by side and one after them, by real programs. `wait` goes on until the test lets it; what each has done is in a
 * file, so that the test sees it without the servers.
 */
async function startWork(name: string) {
  const file = (step: string): string => join(folder, `${name}-${step}`);
  const script = `echo $VAPORA_IDEMPOTENCY_KEY >> "$0-{{step.id}}"; if [ {{step.id}} = wait ]; then until [ -e "$0-go" ]; do sleep 0.05; done; fi; echo done >> "$0-{{step.id}}"`;
  const source = `
Workflow: ${name}
Steps:
  quick: { agent: developer }
  wait: { agent: developer }
  gated: { agent: developer, dependencies: [quick], approval_required: true }
  last: { agent: developer, dependencies: [wait, gated] }
`;
  const argv = JSON.stringify(['sh', '-c', script, join(folder, name)]);
  const agents = { source: `agents:\n  - {id: d, role: developer, capacity: 10, executor: {kind: command, plain: true, argv: ${argv}}}\n` };
  const run = await startTestRun(vapora, source, { agents });
  const lines = (step: string): string[] => (existsSync(file(step)) ? readFileSync(file(step), 'utf8').trim().split('\n') : []);
  return { run, lines, file };
}

async function expectNothingLost(id: string): Promise<void> {
  const executions = await listExecutions(vapora, id);
  expect(executions.map(({ path, outcome, attempt_states }) => [path, outcome, attempt_states.at(-1)]).sort()).toEqual(
    ['gated', 'last', 'quick', 'wait'].map((path) => [path, 'success', 'succeeded']),
  );
  expect(await listAuditOf(vapora, id, 'gate.approved')).not.toEqual([]);
  expect((await queryDatabase(vapora, 'select status from runs where workflow_id = $1', [id]))[0]).toEqual({ status: 'completed' });
  expect(
    await queryDatabase(
      vapora,
      'select 1 from agent_leases l join executions e on e.id = l.execution_id join runs r using (root_run_id) where r.workflow_id = $1',
      [id],
    ),
  ).toEqual([]);
  expect(await verifyAudit(vapora.client, id)).toMatchObject({ ok: true });
}

test('what comes while Postgres is away and the end of a run waits for it is answered and recorded', async () => {
  const source = 'Workflow: late\nSteps:\n  a: { agent: developer, approval: { approvers: [ana] } }\n';
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.waitsAt('a');
  await postgres.cut();
  await run.handle.signal('cancel', { reason: 'no longer wanted', by: 'ana' });
  await waitFor('the workflow to have ended it', async () => (await run.status()).status === 'cancelled');
  await run.handle.signal('pause', { reason: 'too late', by: 'bo' });
  await run.handle.signal('alert', { name: 'n', severity: 'high', message: 'too late' });
  await run.handle.signal('approve', { gate: 'a', by: 'ana' });
  await postgres.mend();
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  expect(await listIgnoredSignals(vapora, run.id)).toEqual([
    ['pause', 'the run has ended: cancelled'],
    ['alert', 'the run has ended: cancelled'],
  ]);
  expect(await listAuditOf(vapora, run.id, 'vote.ignored')).toMatchObject([{ event: { object: 'a' } }]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

test('Postgres is away in the middle: agents work on, decisions are kept, and all of it is recorded when it is back', async () => {
  const { run, lines, file } = await startWork('no-postgres');
  await run.waitsAt('gated');
  await waitFor('the other step to be at work', async () => lines('wait').length === 1);

  await postgres.cut();
  await run.handle.signal('approve', { gate: 'gated', by: 'ana', reason: 'ok' });
  await waitFor('the workflow to have counted it', async () => (await run.gate('gated'))?.state === 'decided');
  expect((await run.status()).recording).toMatchObject({ since: expect.any(String) });
  writeFileSync(file('go'), '');
  await waitFor('the agent to be done', async () => lines('wait').at(-1) === 'done');
  await waitFor('the worker to notice', async () => log.some((line) => /ECONNREFUSED|terminated|ECONNRESET/.test(line)));
  await postgres.mend();

  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4 } });
  expect(await run.status()).not.toHaveProperty('recording');
  await expectNothingLost(run.id);
  // Nobody was called twice.
  for (const step of ['quick', 'wait', 'gated', 'last']) expect(lines(step)).toEqual([expect.stringMatching(`/${step}#1$`), 'done']);
});

test('Temporal is away in the middle: the worker comes back by itself, and the run goes on', async () => {
  const { run, lines, file } = await startWork('no-temporal');
  await run.waitsAt('gated');
  await waitFor('the other step to be at work', async () => lines('wait').length === 1);

  await temporal.cut();
  // The server itself is there: it keeps what people send, until a worker is back.
  await run.handle.signal('approve', { gate: 'gated', by: 'ana', reason: 'ok' });
  writeFileSync(file('go'), '');
  await waitFor('the end of the agent to be recorded', async () =>
    (await listExecutions(vapora, run.id)).some(({ path, outcome }) => path === 'wait' && outcome === 'success'),
  );
  expect(lines('last')).toEqual([]);
  await temporal.mend();

  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4 } });
  await expectNothingLost(run.id);
  for (const step of ['quick', 'wait', 'gated', 'last']) expect(lines(step)).toEqual([expect.stringMatching(`/${step}#1$`), 'done']);
});
