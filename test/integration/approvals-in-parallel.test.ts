import { join } from 'node:path';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { heldAgent } from '../support/held-agent';
import { poison } from '../support/poison-signals';
import { sendRawSignal } from '../support/raw-signals';
import { countHistoryEvents, firstRunId, listAuditOf, listExecutions, listIgnoredSignals, queryDatabase } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

/** The flood takes half a minute where nothing else runs, and two on a busy machine. */
jest.setTimeout(240_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const branches = ['left', 'middle', 'right'];
const orders = branches.flatMap((first) =>
  branches
    .filter((second) => second !== first)
    .map((second) => [first, second, ...branches.filter((one) => ![first, second].includes(one))]),
);

const stateOf = async (run: StartedTestRun, step: string): Promise<string | undefined> =>
  (await run.status()).steps.find(({ id }) => id === step)?.state;

test.each(orders)(
  'three branches, each with an approval inside, decided in the order %s %s %s: each decision releases its own',
  async (...order) => {
    const source = `
Workflow: branches-${order.join('-')}
Steps:
${branches
  .map(
    (branch) => `
  ${branch}_work: { agent: developer }
  ${branch}: { agent: developer, dependencies: [${branch}_work], approval: { approvers: [ana] } }
  ${branch}_after: { agent: developer, dependencies: [${branch}] }`,
  )
  .join('')}
`;
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    for (const branch of branches) await run.waitsAt(branch);

    for (const [index, branch] of order.entries()) {
      const isLast = index === order.length - 1;
      await run.handle.signal('approve', { gate: branch, by: 'ana' });
      if (isLast) break;
      await waitFor(`${branch}_after to pass`, async () => (await stateOf(run, `${branch}_after`)) === 'passed');
      for (const other of order.slice(index + 1)) {
        expect(await run.gate(other)).toMatchObject({ state: 'open', votes: [] });
        expect(await stateOf(run, `${other}_after`)).toBe('pending');
      }
    }
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 9 } });
    const steps = (await listExecutions(vapora, run.id)).map(({ step }) => step).filter((step) => step.endsWith('_after'));
    expect(steps).toEqual(order.map((branch) => `${branch}_after`));
  },
);

test('9,000 junk signals around one genuine approval, while a step runs: decided once, all junk counted, and the run completes', async () => {
  const source = `
Workflow: flooded
Steps:
  long: { agent: tester }
  gated: { agent: developer, approval: { approvers: [ana] } }
  after: { agent: developer, dependencies: [gated, long] }
`;
  const long = heldAgent('tester', join(vapora.dataDir, 'flood-is-over'));
  const agents = {
    source: `agents:\n  - ${long.entry}\n  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}\n`,
  };
  const run = await startTestRun(vapora, source, { agents });
  await run.waitsAt('gated');
  expect(await stateOf(run, 'long')).toBe('running');

  // What nests 100,000 levels deep would fill the history: 50 MB is all that a run may have.
  const junk = poison.map(([, signal]) => signal).filter(({ payloads = [] }) => payloads.every(({ data }) => (data?.length ?? 0) < 1_000));
  let sent = 0;
  const flood = async (count: number): Promise<void> => {
    const until = sent + count;
    const lane = async (): Promise<void> => {
      while (sent < until) {
        sent += 1;
        await sendRawSignal(vapora, run.id, junk[sent % junk.length]!);
      }
    };
    await Promise.all(Array.from({ length: 50 }, lane));
  };
  await flood(4_500);
  await Promise.all([flood(500), run.handle.signal('approve', { gate: 'gated', by: 'ana', reason: 'ok' })]);
  await flood(4_000);
  const counted = await waitFor(
    'all of them to be counted',
    async () => {
      const view = await run.status();
      return view.ignoredSignals === 9_000 && view;
    },
    180_000,
  );
  expect(counted.steps.find(({ id }) => id === 'long')).toMatchObject({ state: 'running' });
  long.release();
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 3 } });

  // So many signals make a history long: when nothing ran any more, the run went on in a second execution.
  expect(await listAuditOf(vapora, run.id, 'run.continued')).toHaveLength(1);
  const events = await countHistoryEvents(vapora, run.id, await firstRunId(vapora, run.id));
  expect(events).toMatchObject({ workflowExecutionSignaled: 9_001 });
  // A failed task may be gone on from, and can then not be repeated: see the server's settings in embedded/temporal-server.ts.
  expect(events).not.toHaveProperty('workflowTaskFailed');
  expect(await listIgnoredSignals(vapora, run.id)).toHaveLength(9_000);
  expect(
    await queryDatabase(
      vapora,
      'select v.voter, v.decision, a.generation, a.decision as gate from approval_votes v join approvals a using (root_run_id, gate, generation) join runs r using (root_run_id) where r.workflow_id = $1',
      [run.id],
    ),
  ).toEqual([{ voter: 'ana', decision: 'approve', generation: 1, gate: 'approved' }]);
  expect((await listExecutions(vapora, run.id)).map(({ path, outcome, attempts }) => [path, outcome, attempts]).sort()).toEqual([
    ['after', 'success', 1],
    ['gated', 'success', 1],
    ['long', 'success', 1],
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});
