import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyAudit } from '../../client/audit';
import { rollbackRun } from '../../client/rollback-run';
import { waitForResult } from '../../client/run-outcome';
import { journalAgents } from '../support/journal-agents';
import { listExecutions } from '../support/run-records';
import { startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-rollback-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

const message = { by: 'ana', reason: 'it was terminated in the middle' };
const source = (name: string) => `
Workflow: ${name}
Steps:
  a: { agent: developer, compensate: undo_a }
  b: { agent: developer, dependencies: [a], compensate: undo_b }
  c: { agent: developer, dependencies: [b], approval_required: true, compensate: undo_c }
  d: { agent: developer, dependencies: [c], compensate: undo_d }
`;

test('what a terminated run had done and what was at work is undone, in reverse, and nothing begins again', async () => {
  const files = journalAgents(folder, 'at-work');
  files.set('hold', 'b#1');
  const run = await startTestRun(vapora, source('at-work'), { agents: files.agents });
  await waitFor('b to be at work', () => Promise.resolve(files.calls().includes('b#1')));
  await run.handle.terminate('somebody in a hurry');
  await rollbackRun(vapora.client, run.id, message);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({
    status: 'cancelled',
    reason: expect.stringContaining(message.reason),
  });
  expect(files.calls()).toEqual(['a#1', 'b#1', 'b#1!undo', 'a#1!undo']);
  expect((await listExecutions(vapora, run.id)).map(({ path, mode }) => `${mode} ${path}`).sort()).toEqual([
    'do a',
    'do b',
    'undo a',
    'undo b',
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

test('a run that would keep what was done if it failed is undone all the same', async () => {
  const files = journalAgents(folder, 'keeps');
  const run = await startTestRun(vapora, `on_failure: fail\n${source('keeps')}`, { agents: files.agents });
  await run.waitsAt('c');
  files.set('hold', 'd#1');
  await run.handle.signal('approve', { gate: 'c', by: 'ana' });
  await waitFor('d to be at work', () => Promise.resolve(files.calls().includes('d#1')));
  await run.handle.terminate('somebody in a hurry');
  await rollbackRun(vapora.client, run.id, message);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  expect(files.calls().slice(4)).toEqual(['d#1!undo', 'c#1!undo', 'b#1!undo', 'a#1!undo']);
});

test('what had waited for a person is undone too', async () => {
  const files = journalAgents(folder, 'waiting');
  const run = await startTestRun(vapora, source('waiting'), { agents: files.agents });
  await run.waitsAt('c');
  await run.handle.terminate('somebody in a hurry');
  await rollbackRun(vapora.client, run.id, message);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  expect(files.calls()).toEqual(['a#1', 'b#1', 'c#1', 'c#1!undo', 'b#1!undo', 'a#1!undo']);
});

test('a rollback that was terminated is taken up where it was', async () => {
  const files = journalAgents(folder, 'twice');
  files.set('hold', 'b#1!undo');
  const run = await startTestRun(vapora, source('twice'), { agents: files.agents });
  await run.waitsAt('c');
  await run.handle.signal('cancel', message);
  await waitFor('the undo of b', () => Promise.resolve(files.calls().includes('b#1!undo')));
  await run.handle.terminate('again');
  files.clear('hold', 'b#1!undo');
  await rollbackRun(vapora.client, run.id, message);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  const calls = files.calls();
  expect(calls.slice(0, 4)).toEqual(['a#1', 'b#1', 'c#1', 'c#1!undo']);
  expect(calls.at(-1)).toBe('a#1!undo');
  expect(calls.filter((call) => call === 'a#1!undo' || call === 'c#1!undo')).toHaveLength(2);
});

test('it waits for a worker, and for what was at work to be found again, before it cancels', async () => {
  const alone = await startTestVapora({ withWorker: false });
  try {
    const worker = await alone.startWorker();
    const files = journalAgents(folder, 'no-worker');
    files.set('hold', 'b#1');
    const run = await startTestRun(alone, source('no-worker'), { agents: files.agents });
    await waitFor('b to be at work', () => Promise.resolve(files.calls().includes('b#1')));
    await run.handle.terminate('somebody in a hurry');
    files.clear('hold', 'b#1');
    await worker.shutdown();
    const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(500) });
    const interrupted = { code: 'interrupted' };
    await expect(rollbackRun(alone.client, run.id, message, soon())).rejects.toMatchObject(interrupted);
    await run.handle.terminate('and once more, before anybody has found what was at work');
    await expect(rollbackRun(alone.client, run.id, message, soon())).rejects.toMatchObject(interrupted);
    // Asked again it goes on.
    const rolling = rollbackRun(alone.client, run.id, message);
    await delay(500);
    await alone.startWorker();
    await rolling;
    expect(await waitForResult(alone.client, run.id)).toMatchObject({ status: 'cancelled' });
    expect(files.calls()).toEqual(['a#1', 'b#1', 'b#1!undo', 'a#1!undo']);
  } finally {
    await alone.stop();
  }
});

test('a run that goes on or has come to its own end is refused', async () => {
  const files = journalAgents(folder, 'refused');
  const run = await startTestRun(vapora, source('refused'), { agents: files.agents });
  await run.waitsAt('c');
  await expect(rollbackRun(vapora.client, run.id, message)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('goes on'),
  });
  await run.handle.signal('cancel', message);
  await waitForResult(vapora.client, run.id);
  await expect(rollbackRun(vapora.client, run.id, message)).rejects.toMatchObject({ code: 'refused' });
  await expect(rollbackRun(vapora.client, 'nobody', message)).rejects.toMatchObject({ code: 'not_found' });
});
