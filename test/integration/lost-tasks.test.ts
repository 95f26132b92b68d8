import { Client } from 'pg';
import { getAudit, verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { retireAgent } from '../../db/queries/agents';
import { startWorkerProcess } from '../support/cli-process';
import { countHistoryEvents, queryDatabase } from '../support/run-records';
import { startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

/** A workflow task that is not answered is given to another worker after 10 s. */
const afterLossMs = 60_000;

let vapora: TestVapora;
let barrier: Barrier;
beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
  barrier = await createBarrier(vapora.adminUrl);
});
afterAll(async () => {
  await barrier.close();
  await vapora.stop();
});

interface Barrier {
  /** From now on, whoever writes an audit line with this action waits until it is lowered. */
  raise(action: string): Promise<void>;
  isReached(): Promise<boolean>;
  lower(): Promise<void>;
  close(): Promise<void>;
}

const lock = 8_672_102;

/** Holds up a transaction in the middle of its recording. */
async function createBarrier(adminUrl: string): Promise<Barrier> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`
    create table barrier (action text not null);
    create function wait_at_barrier() returns trigger language plpgsql as $$ begin
      if new.body::jsonb->>'action' in (select action from public.barrier) then perform pg_advisory_xact_lock_shared(${lock}); end if;
      return new;
    end $$;
    create trigger barrier before insert on audit_events for each row execute function wait_at_barrier()`);
  return {
    async raise(action) {
      await client.query('select pg_advisory_lock($1)', [lock]);
      await client.query('insert into barrier values ($1)', [action]);
    },
    async isReached() {
      const { rows } = await client.query('select 1 from pg_locks where locktype = $1 and objid = $2 and not granted', ['advisory', lock]);
      return rows.length > 0;
    },
    async lower() {
      await client.query('delete from barrier');
      await client.query('select pg_advisory_unlock($1)', [lock]);
    },
    close: () => client.end(),
  };
}

/** What the server holds for a run during a workflow task, if there are not too many. */
const heldBytes = 2 * 1024 * 1024;

const source = (name: string): string => `
Workflow: ${name}
Steps:
  work: { agent: developer, approval_required: true }
  last: { agent: tester, dependencies: [work] }
`;
const agents = {
  source: `agents:
  - {id: dev, role: developer, capacity: 9, executor: {kind: simulate, duration: 1ms}}
  - {id: test, role: tester, capacity: 9, executor: {kind: simulate, duration: 1ms}}
`,
};

/** Lines of the audit without their times, each with how often it stands there. */
async function countLines({ id }: StartedTestRun): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { event } of await getAudit(vapora.client, id)) {
    const { at: _, ...said } = event;
    const text = JSON.stringify(said);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

const isTold = async ({ id }: StartedTestRun, action: string): Promise<boolean> =>
  (await getAudit(vapora.client, id)).some(({ event }) => event.action === action);

async function sendStraySignals({ handle }: StartedTestRun, count: number, message = {}): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => handle.signal('nonsense', message)));
}

/** Nothing is missing, and nothing stands twice but what happened as often. */
async function expectToldOnce(run: StartedTestRun, strays: number, actions: string[]): Promise<void> {
  const lines = await countLines(run);
  const told = [...lines].map(([text, count]): [string, number] => [(JSON.parse(text) as { action: string }).action, count]);
  const repeated = told.filter(([, count]) => count > 1);
  // Started, and started again after the approval.
  expect(Object.fromEntries(repeated)).toEqual({ 'run.started': 2, 'signal.ignored': strays });
  expect(told.map(([action]) => action)).toEqual(expect.arrayContaining(actions));
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
}

test(
  'kill -9 between two recordings of one task: what was recorded is not recorded again, also not late',
  async () => {
    const killed = await startWorkerProcess(vapora);
    const run = await startTestRun(vapora, source('killed'), { agents });
    await run.waitsAt('work');
    // The next wave finds nobody: then the same task has more to record.
    await retireAgent(vapora.database, 'test');
    await barrier.raise('step.failed');
    await run.handle.signal('approve', { gate: 'work', by: 'ana', reason: 'ok' });
    await waitFor('the second recording of the task to be under way', barrier.isReached);
    expect(await isTold(run, 'gate.approved')).toBe(true);

    killed.child.kill('SIGKILL');
    await killed.exited;
    await sendStraySignals(run, 3);
    // Nobody reads its answer, but the server carries out what it was told.
    await barrier.lower();
    await waitFor('the recording of the dead worker to be carried out', () => isTold(run, 'step.failed'));

    const restarted = await startWorkerProcess(vapora);
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
    await expectToldOnce(run, 3, ['gate.approved', 'step.passed', 'step.readied', 'step.failed', 'run.failed']);
    const steps = 'select step, state from run_steps join runs using (root_run_id) where workflow_id = $1 order by step';
    expect(await queryDatabase(vapora, steps, [run.id])).toMatchObject([{ step: 'last', state: 'failed' }, { step: 'work' }]);
    restarted.child.kill('SIGTERM');
    await restarted.exited;
  },
  afterLossMs * 2,
);

test(
  'more signals than the server holds during a recording: each is told once',
  async () => {
    const worker = await vapora.startWorker();
    const run = await startTestRun(vapora, source('flooded'), { agents });
    await run.waitsAt('work');
    await barrier.raise('gate.approved');
    await run.handle.signal('approve', { gate: 'work', by: 'ana', reason: 'ok' });
    await waitFor('the recording to be under way', barrier.isReached);
    await sendStraySignals(run, 130, { text: 'x'.repeat(heldBytes / 100) });
    await barrier.lower();
    await waitForResult(vapora.client, run.id);
    expect((await countHistoryEvents(vapora, run.id))['workflowTaskFailed']).toBeGreaterThan(0);
    await expectToldOnce(run, 130, ['gate.approved', 'step.passed', 'step.readied']);
    await worker.shutdown();
  },
  afterLossMs * 2,
);
