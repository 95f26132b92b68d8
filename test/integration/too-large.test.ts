import { waitForResult } from '../../client/run-outcome';
import { getGates, getStatus } from '../../client/run-views';
import { withForeignWorker } from '../support/foreign-worker';
import { countHistoryEvents, listExecutions, queryDatabase } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const megabyte = 1024 * 1024;

test('a result that is too large fails its step, and the run goes on', async () => {
  const source = `
Workflow: enormous
on_failure: continue
Steps:
  a: { agent: tester, outputs: [report.md], retry: { attempts: 1 } }
  b: { agent: tester, outputs: [report.md], retry: { attempts: 1 } }
  c: { agent: tester, dependencies: [b], inputs: [report.md], retry: { attempts: 1 } }
`;
  await withForeignWorker(
    { tester: ({ step }) => ({ status: 'success', outputs: { 'report.md': 'x'.repeat(step.id === 'a' ? 1.5 * megabyte : 1_000) } }) },
    async (taskQueue) => {
      const agents = { source: `agents:\n  - {id: far, role: tester, capacity: 10, executor: {kind: worker, task_queue: ${taskQueue}}}\n` };
      const run = await startTestRun(vapora, source, { agents });
      expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { failed: 1, passed: 2 } });
      const { view } = await getStatus(vapora.client, run.id);
      expect(view.steps[0]).toMatchObject({ state: 'failed', reason: expect.stringContaining('more than 262144') });
      const executions = await listExecutions(vapora, run.id);
      expect(executions.map(({ path, outcome }) => `${path} ${outcome}`).sort()).toEqual(['a failure', 'b success', 'c success']);
      // A foreign worker says nothing about times: the launch is the start.
      expect(executions.every(({ started_at: at }) => at !== null)).toBe(true);
      const [stored] = await queryDatabase<{ bytes: number }>(vapora, 'select max(length(result::text)) as bytes from executions');
      expect(stored?.bytes).toBeLessThan(megabyte);
      expect(await countHistoryEvents(vapora, run.id)).not.toHaveProperty('workflowTaskFailed');
    },
  );
});

test('a run that was flooded with alerts still answers, with the newest and their number', async () => {
  const run = await startTestRun(vapora, 'Workflow: flooded\nSteps:\n  a: { agent: developer, approval_required: true }\n', {
    agents: instantAgents,
  });
  await run.waitsAt('a');
  const count = 1_000;
  const message = 'x'.repeat(3_900);
  for (let sent = 0; sent < count; sent += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => run.handle.signal('alert', { name: `alert ${sent + n}`, severity: 'high', message })),
    );
  }
  await waitFor('all of them to be counted', async () => (await run.status()).totals.alerts === count);
  // On a busy machine an answer may take longer than a reader waits, who then gets Postgres' answer.
  const { view } = await waitFor('the workflow itself to answer', async () => {
    const status = await getStatus(vapora.client, run.id);
    return status.from === 'workflow' && status;
  });
  expect(view.alerts.at(-1)?.name).toMatch(/^alert 9\d\d$/);
  expect((await getGates(vapora.client, run.id)).view).toMatchObject([{ id: 'a', state: 'open' }]);
  await run.handle.signal('approve', { gate: 'a', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
});
