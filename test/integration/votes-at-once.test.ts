import { waitForResult } from '../../client/run-outcome';
import type { DecideReply } from '../../core/contract/messages';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora({ withWorker: false });
});
afterAll(() => vapora.stop());

/** Starts a run and leaves it at its gate, without a worker: what is sent now arrives in one workflow task. */
async function waitAtGate(name: string, approval: string): Promise<StartedTestRun> {
  const worker = await vapora.startWorker();
  const source = `Workflow: ${name}\nSteps:\n  a: { agent: developer, approval: ${approval} }\n`;
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.waitsAt('a');
  await worker.shutdown();
  return run;
}

type Answer = Pick<DecideReply, 'effect' | 'decided'> | { refused: string };

async function decide({ handle }: StartedTestRun, by: string, decision: 'approve' | 'reject'): Promise<Answer> {
  try {
    const { effect, decided } = await handle.executeUpdate<DecideReply, [object]>('decide', { args: [{ gate: 'a', by, decision }] });
    return { effect, decided };
  } catch (error) {
    const { details = [] } = (error as { cause?: { details?: { code: string }[] } }).cause ?? {};
    return { refused: details[0]?.code ?? String(error) };
  }
}

test.each<[what: string, approval: string, before: (run: StartedTestRun) => Promise<void>, Answer]>([
  [
    'a rejection',
    '{ approvers: [ana, bo] }',
    ({ handle }) => handle.signal('reject', { gate: 'a', by: 'ana' }),
    { refused: 'already_decided' },
  ],
  [
    'a cancel',
    '{ approvers: [ana, bo] }',
    ({ handle }) => handle.signal('cancel', { reason: 'enough', noRollback: true }),
    { refused: 'run_ending' },
  ],
  [
    'half of a quorum',
    '{ approvers: [ana, bo], quorum: 2 }',
    ({ handle }) => handle.signal('approve', { gate: 'a', by: 'ana' }),
    { effect: 'counted', decided: true },
  ],
  ['a stray signal', '{ approvers: [ana, bo] }', ({ handle }) => handle.signal('nonsense'), { effect: 'counted', decided: true }],
])('an update that comes with %s is answered with what became of it', async (what, approval, before, expected) => {
  const run = await waitAtGate(`with-${what.replaceAll(' ', '-')}`, approval);
  await before(run);
  const answer = decide(run, 'bo', 'approve');
  const worker = await vapora.startWorker();
  expect(await answer).toEqual(expected);
  await worker.shutdown();
});

test('updates that come at once: what is left over is told so', async () => {
  const run = await waitAtGate('at-once', '{ approvers: [ana, bo, cy], quorum: 2 }');
  const answers = ['ana', 'bo', 'cy'].map((by) => decide(run, by, 'approve'));
  const worker = await vapora.startWorker();
  const told = (await Promise.all(answers)).map((answer) => ('refused' in answer ? answer.refused : answer.decided));
  expect(new Set(told)).toEqual(new Set([false, true, 'already_decided']));
  await worker.shutdown();
});

test('a person who thinks better of it before any worker has seen the run is taken at the last word', async () => {
  const source = 'Workflow: second-thoughts\nSteps:\n  a: { agent: developer, approval: { approvers: [ana] } }\n';
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.handle.signal('reject', { gate: 'a', by: 'ana', reason: 'too early' });
  await run.handle.signal('approve', { gate: 'a', by: 'ana' });
  const worker = await vapora.startWorker();
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  await worker.shutdown();
});
