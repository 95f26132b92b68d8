import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { getStatus } from '../../client/run-views';
import type { AgentDocument } from '../../core/contract/agent-document';
import { withForeignWorker } from '../support/foreign-worker';
import { journalAgents } from '../support/journal-agents';
import { resetRun, schedules } from '../support/reset-run';
import { listAuditOf, listExecutions, queryDatabase } from '../support/run-records';
import { startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-reset-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

const once = '{ attempts: 1 }';

async function endsOf(run: StartedTestRun): Promise<string[]> {
  return (await listExecutions(vapora, run.id)).map(
    ({ path, mode, outcome, attempt_states }) => `${mode} ${path}: ${outcome ?? 'open'} (${attempt_states.join(', ')})`,
  );
}

describe('a run whose work was undone', () => {
  const source = (name: string) => `
Workflow: ${name}
Steps:
  a: { agent: developer, compensate: undo_a, retry: ${once} }
  b: { agent: developer, dependencies: [a], retry: ${once} }
`;

  test.each([
    ['before its rollback', 'b#1'],
    ['to its very beginning', 'a#1'],
  ])('cannot be reset %s', async (_, point) => {
    const name = `undone-${point.slice(0, 1)}`;
    const files = journalAgents(folder, name);
    files.set('broken', 'b');
    const run = await startTestRun(vapora, source(name), { agents: files.agents });
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back' });
    files.clear('broken', 'b');
    await resetRun(vapora, run, schedules(point));
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({
      status: 'failed',
      failureType: 'UndoneWork',
      reason: 'this run was reset, but its work was undone before that (a): start a new run',
    });
    expect((await getStatus(vapora.client, run.id)).view).toMatchObject({ status: 'failed', reason: expect.stringContaining('undone') });
    expect(files.calls()).toEqual(['a#1', 'b#1', 'a#1!undo']);
    expect(await endsOf(run)).toEqual(['do a: success (succeeded)', 'do b: failure (failed)', 'undo a: success (succeeded)']);
  });

  test('nor may what was at work then begin again', async () => {
    const files = journalAgents(folder, 'undone-pending');
    files.set('broken', 'b');
    files.set('hold', 'b');
    const steps = `
  c: { agent: developer, dependencies: [a], retry: ${once} }
  d: { agent: developer, dependencies: [c], approval_required: true, retry: ${once} }
`;
    const run = await startTestRun(vapora, source('undone-pending') + steps.slice(1), { agents: files.agents });
    await run.waitsAt('d');
    files.clear('hold', 'b');
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back' });
    const calls = files.calls();
    files.clear('broken', 'b');
    await resetRun(vapora, run, schedules('b#1'), { after: true });
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed', failureType: 'UndoneWork' });
    // Whatever Temporal started again has come to its end before the queue is asked once more.
    await waitFor('nothing to be pending', async () => (await run.handle.describe()).raw.pendingActivities?.length === 0);
    expect(files.calls()).toEqual(calls);
  });
});

describe('what had not succeeded before a reset is done again, what had is not', () => {
  async function failsOnce(name: string, steps: string, held: string[] = []) {
    const files = journalAgents(folder, name);
    files.set('broken', 'b');
    for (const step of held) files.set('hold', step);
    const run = await startTestRun(vapora, `Workflow: ${name}\non_failure: fail\nSteps:\n${steps}`, { agents: files.agents });
    return { files, run };
  }

  async function expectHealed(run: StartedTestRun, reopened: string[]) {
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
    expect((await listAuditOf(vapora, run.id, 'execution.reopened')).map(({ event }) => event.object).sort()).toEqual(reopened);
    expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
    expect(await queryDatabase(vapora, 'select agent_id from agent_leases')).toEqual([]);
    const [row] = await queryDatabase(vapora, 'select status, ended_at is not null as ended from runs where workflow_id = $1', [run.id]);
    expect(row).toEqual({ status: 'completed', ended: true });
  }

  const chain = `
  a: { agent: developer, retry: ${once} }
  b: { agent: developer, dependencies: [a], retry: ${once} }
  c: { agent: developer, dependencies: [b], retry: ${once} }
`;

  test.each([
    ['to where its agent was chosen', 'b#1'],
    ['to the beginning of the run', 'a#1'],
  ])('%s', async (_, point) => {
    const { files, run } = await failsOnce(`again-${point.slice(0, 1)}`, chain);
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
    files.clear('broken', 'b');
    await resetRun(vapora, run, schedules(point));
    await expectHealed(run, ['b']);
    expect(files.calls()).toEqual(['a#1', 'b#1', 'b#1', 'c#1']);
    expect(await endsOf(run)).toEqual(['do a: success (succeeded)', 'do b: success (failed, succeeded)', 'do c: success (succeeded)']);
  });

  test('to where it was at work: its activity begins anew', async () => {
    const steps = `
  a: { agent: developer, retry: ${once} }
  b: { agent: developer, retry: ${once} }
  c: { agent: developer, dependencies: [a], retry: ${once} }
`;
    const { files, run } = await failsOnce('again-pending', steps, ['b', 'c']);
    await waitFor('b and c to be at work', async () => files.calls().includes('b#1') && files.calls().includes('c#1'));
    files.clear('hold', 'b');
    // c is stopped because b has failed: it had not succeeded either.
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
    files.clear('broken', 'b');
    files.clear('hold', 'c');
    await resetRun(vapora, run, schedules('b#1'), { after: true });
    await expectHealed(run, ['b', 'c']);
    expect(files.calls().sort()).toEqual(['a#1', 'b#1', 'b#1', 'c#1', 'c#1']);
    expect(await endsOf(run)).toEqual([
      'do a: success (succeeded)',
      'do b: success (failed, succeeded)',
      'do c: success (unknown, succeeded)',
    ]);
  });

  test('with another agent after it: that one is not asked', async () => {
    const files = journalAgents(folder, 'again-reassigned');
    files.set('broken', 'b');
    const [, one] = files.agents.source.split('\n');
    const agents = { source: `agents:\n${one}\n${one?.replace('id: d', 'id: e')}\n` };
    const source = `Workflow: again-reassigned\non_failure: fail\nSteps:\n  b: { agent: developer, reassign: 1, retry: ${once} }\n`;
    const run = await startTestRun(vapora, source, { agents });
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
    files.clear('broken', 'b');
    await resetRun(vapora, run, schedules('b#1'));
    await expectHealed(run, ['b']);
    expect(files.calls()).toEqual(['b#1', 'b#1.1.2', 'b#1']);
    expect(await endsOf(run)).toEqual(['do b: success (failed, succeeded)', 'do b: failure (failed)']);
  });

  test('by workers and monitors that cannot look up what is recorded', async () => {
    const calls: string[] = [];
    let isBroken = true;
    const tester = ({ step }: AgentDocument) => {
      calls.push(step.id);
      return { status: step.id === 'b' && isBroken ? 'failure' : 'success', summary: `${step.id} was tested` };
    };
    const source = `
Workflow: again-foreign
on_failure: fail
Steps:
  a: { agent: tester, retry: ${once} }
  m: { agent: monitor, duration: 1s, interval: 1s, metrics: [error_rate] }
  b: { agent: tester, dependencies: [a, m], retry: ${once} }
`;
    await withForeignWorker({ tester }, async (taskQueue) => {
      const agents = {
        source: `agents:
  - {id: far, role: tester, capacity: 10, executor: {kind: worker, task_queue: ${taskQueue}}}
  - {id: m, role: monitor, executor: {kind: simulate, duration: 1ms}}
`,
      };
      const run = await startTestRun(vapora, source, { agents });
      expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'failed' });
      isBroken = false;
      await resetRun(vapora, run, schedules('a#1'));
      await expectHealed(run, ['b']);
      expect(await listAuditOf(vapora, run.id, 'effect.adopted')).toMatchObject([
        { event: { object: 'a#1' } },
        { event: { object: 'm#1' } },
      ]);
      expect(await endsOf(run)).toEqual(['do a: success ()', 'do m: success ()', 'do b: success ()']);
      expect((await run.status()).steps[0]).toMatchObject({ message: 'a was tested' });
    });
    expect(calls).toEqual(['a', 'b', 'b']);
  });
});
