import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdjustReply } from '../../core/contract/adjustments';
import type { Plan } from '../../core/plan/types';
import { verifyAudit } from '../../client/audit';
import { adjustRun, decideGate, getSignedRun } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getStatus } from '../../client/run-views';
import { createSigningIdentity, publicKeyOf, signAdjustment, signStart, signVote, type SigningIdentity } from '../../client/signing';
import { registerSigningKey } from '../../client/signing-keys';
import { exitCodes } from '../../cli/exit-codes';
import { findPlanText } from '../../db/queries/definitions';
import { findRun } from '../../db/queries/find-run';
import { loadRunStatus } from '../../db/queries/run-status';
import { cliOf } from '../support/cli-in-process';
import { prefixesOf, replayFailuresOf } from '../support/replay';
import { resetRun } from '../support/reset-run';
import { firstRunId, listAuditOf, listExecutions } from '../support/run-records';
import { runTemporalCli } from '../support/temporal-cli';
import { instantAgents, startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-edited-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

const agents = {
  source: `
agents:
  - { id: dev, role: developer, capacity: 9, executor: { kind: simulate, duration: 1ms } }
  - { id: tess, role: tester, capacity: 9, executor: { kind: simulate, duration: 1ms } }
`,
};

const plain = (name: string): string => `
Workflow: ${name}
Steps:
  a: { agent: developer }
  w: { agent: developer, dependencies: [a], approval: { approvers: [ana] } }
  b: { agent: developer, dependencies: [w] }
`;

async function started(source: string): Promise<StartedTestRun> {
  const run = await startTestRun(vapora, source, { agents });
  await run.waitsAt('w');
  return run;
}

const approveW = (run: StartedTestRun) => decideGate(vapora.client, run.id, { gate: 'w', by: 'ana', decision: 'approve' });

test('a step that is added to a run runs, is recorded and shown like any other, and the plan of the run is another one', async () => {
  const source = plain('grown');
  const run = await started(source);
  const { planHash } = await run.status();
  const edited = `${source}  check: { agent: tester, dependencies: [a], compensate: forget }\n  last: { agent: tester, dependencies: [b, check] }\n`;
  const reply = await adjustRun(vapora.client, run.id, { kind: 'add_step', source: edited, by: 'ana', reason: 'more to do' });
  expect(reply).toEqual({
    kind: 'add_step',
    message: 'check, last are added',
    steps: ['check', 'last'],
    planHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(reply.planHash).not.toBe(planHash);
  await waitFor('check to pass', async () => (await run.status()).steps.find(({ id }) => id === 'check')?.state === 'passed');

  const view = await run.status();
  expect(view).toMatchObject({ planHash: reply.planHash, totals: { steps: 5 }, adjustments: [{ kind: 'add_step', by: 'ana' }] });
  expect((await run.handle.query<Plan>('plan')).steps.map(({ id }) => id).sort()).toEqual(['a', 'b', 'check', 'last', 'w']);
  expect((await run.handle.describe()).searchAttributes['VaporaPlanHash']).toEqual([reply.planHash]);
  expect((await findRun(vapora.database, run.id))?.planHash).toBe(reply.planHash);
  expect(await findPlanText(vapora.database, reply.planHash!)).toContain('"check"');
  const recorded = await waitFor('the database to know', async () => {
    const status = await loadRunStatus(vapora.database, run.id);
    return status?.steps.find(({ id }) => id === 'check')?.state === 'passed' ? status : undefined;
  });
  expect(recorded.steps.map(({ id }) => id)).toEqual(view.steps.map(({ id }) => id));
  expect(recorded.adjustments).toEqual(view.adjustments);
  const [line] = await listAuditOf(vapora, run.id, 'run.adjusted');
  expect(line?.event).toMatchObject({
    actor: { id: 'ana' },
    reason: 'more to do',
    details: { kind: 'add_step', planHash: reply.planHash, planHashBefore: planHash, added: ['check', 'last'], changed: [] },
  });

  await approveW(run);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 5 }, planHash: reply.planHash });
  expect((await listExecutions(vapora, run.id)).map(({ path, agent_id, outcome }) => [path, agent_id, outcome])).toEqual([
    ['a', 'dev', 'success'],
    ['w', 'dev', 'success'],
    ['check', 'tess', 'success'],
    ['b', 'dev', 'success'],
    ['last', 'tess', 'success'],
  ]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

test('a step that waits is done as it was edited: by signal of the plain temporal command, with what an added one gives', async () => {
  const source = plain('changed');
  const run = await started(source);
  const edited = source.replace(
    'b: { agent: developer, dependencies: [w] }',
    'b: { agent: tester, dependencies: [w], tasks: [look twice] }',
  );
  const message = { kind: 'edit_step', source: edited, steps: ['b'], by: 'bo', reason: 'a test is enough' };
  const sent = await runTemporalCli(
    ...['workflow', 'signal', '--workflow-id', run.id, '--name', 'adjust', '--input', JSON.stringify(message)],
  );
  expect(sent.exitCode).toBe(0);
  await waitFor('the edit', async () => (await run.status()).adjustments.length > 0);
  expect((await run.status()).adjustments).toMatchObject([{ kind: 'edit_step', by: 'bo', message: 'b is changed' }]);
  await approveW(run);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 3 } });
  expect((await listExecutions(vapora, run.id)).find(({ path }) => path === 'b')?.agent_id).toBe('tess');
  // The step's document was made of the edited one.
  const scheduled = (await run.handle.fetchHistory()).events?.find(
    ({ activityTaskScheduledEventAttributes }) => activityTaskScheduledEventAttributes?.activityId === 'b#1',
  );
  const [document] = scheduled?.activityTaskScheduledEventAttributes?.input?.payloads ?? [];
  expect(Buffer.from(document?.data ?? []).toString('utf8')).toContain('look twice');
});

describe('is refused, and nothing of the run is another one', () => {
  test.each<[string, (source: string) => string, 'add_step' | 'edit_step', string, string]>([
    [
      'what has passed',
      (s) => s.replace('a: { agent: developer', 'a: { agent: tester'),
      'edit_step',
      'does_not_apply',
      'a is passed: only what has not started',
    ],
    ['what waits for its approval', (s) => s.replace('[ana]', '[bo]'), 'edit_step', 'does_not_apply', 'w is waiting_approval'],
    ['what does not compile', (s) => s.replace('[w]', '[v]'), 'edit_step', 'invalid_plan', 'there is no step `v`'],
    [
      'a circle',
      (s) => `${s}  x: { agent: tester, dependencies: [y] }\n  y: { agent: tester, dependencies: [x] }\n`,
      'add_step',
      'invalid_plan',
      'x → y → x',
    ],
    [
      'a role that nobody has',
      (s) => `${s}  x: { agent: poet }\n`,
      'add_step',
      'invalid_plan',
      'no agent of the registry has the role `poet`',
    ],
    ['another workflow', (s) => s.replace('Workflow: ', 'Workflow: not-'), 'edit_step', 'does_not_apply', 'the file is of not-refused'],
  ])('%s', async (_, change, kind, code, reason) => {
    const source = plain('refused');
    const run = await started(source);
    const before = await run.status();
    const message = { kind, source: change(source), by: 'ana', reason: 'so' };
    await expect(run.handle.executeUpdate('adjust', { args: [message] })).rejects.toMatchObject({
      cause: { type: 'Refused', message: expect.stringContaining(reason) as string, details: [{ code }] },
    });
    await waitFor('the audit', async () => (await listAuditOf(vapora, run.id, 'adjustment.refused')).length > 0);
    expect((await listAuditOf(vapora, run.id, 'adjustment.refused'))[0]?.event).toMatchObject({ details: { kind, code } });
    const after = await run.status();
    expect(after).toEqual({ ...before, timeline: after.timeline, phases: after.phases });
    await approveW(run);
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 3 } });
  });

  test('the diagnostics say the place and what to do', async () => {
    const source = plain('placed');
    const run = await started(source);
    const message = { kind: 'edit_step', source: source.replace('[w]', '[v]'), by: 'ana', reason: 'so' } as const;
    const error = await adjustRun(vapora.client, run.id, message).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'refused',
      details: { code: 'invalid_plan' },
      hint: expect.stringContaining('vapora validate') as string,
    });
    expect((error as Error).message).toContain('workflow.yaml:6:');
    await run.handle.terminate();
  });
});

test('the command line: a file that does not compile is not sent, and the answer says what was changed', async () => {
  const source = plain('typed');
  const run = await started(source);
  const cli = cliOf(vapora, folder);
  const adjust = (...argv: string[]) => cli('workflow', 'adjust', '--id', run.id, ...argv, '--by', 'bo', '--reason', 'no time');
  writeFileSync(join(folder, 'broken.yaml'), source.replace('[w]', '[v]'));
  const broken = await adjust('edit-step', 'broken.yaml');
  expect(broken).toMatchObject({ exitCode: exitCodes.badUsage, stderr: expect.stringContaining('broken.yaml:6:') as string });
  expect((await run.handle.fetchHistory()).events?.some(({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) => accepted)).toBe(
    false,
  );

  writeFileSync(join(folder, 'typed.yaml'), `${source}  check: { agent: tester, dependencies: [b] }\n`);
  expect(await adjust('edit-step', 'typed.yaml')).toMatchObject({
    exitCode: exitCodes.refused,
    stderr: expect.stringContaining('the file adds check: that is add_step') as string,
  });
  const added = await adjust('add-step', 'typed.yaml', '--step', 'check', '--json');
  expect(added.json()).toMatchObject({ schemaVersion: 1, id: run.id, kind: 'add_step', message: 'check is added', steps: ['check'] });
  const { stdout } = await cli('workflow', 'status', '--id', run.id);
  expect(stdout).toContain('check is added (bo, add_step)');
  await approveW(run);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4 } });
  expect((await getStatus(vapora.client, run.id)).view.steps.map(({ id }) => id)).toEqual(['a', 'w', 'b', 'check']);
});

test('a run that is not recorded is edited too', async () => {
  const source = plain('unrecorded');
  const run = await startTestRun(vapora, source, { agents, recording: 'none' });
  await run.waitsAt('w');
  const edited = `${source}  check: { agent: tester, dependencies: [b] }\n`;
  const reply = await run.handle.executeUpdate<AdjustReply, [object]>('adjust', {
    args: [{ kind: 'add_step', source: edited, reason: 'r' }],
  });
  expect(reply).toMatchObject({ message: 'check is added' });
  await run.handle.signal('approve', { gate: 'w', by: 'ana' });
  expect(await run.handle.result()).toMatchObject({ status: 'completed', steps: { passed: 4 } });
});

test('a plan that is too long for one marker travels by itself', async () => {
  const source = plain('lengthy');
  const run = await started(source);
  const tasks = `tasks: [${'look twice '.repeat(80)}]`;
  const more = Array.from({ length: 400 }, (_, n) => `  x${n}: { agent: tester, dependencies: [w], ${tasks} }\n`).join('');
  const reply = await adjustRun(vapora.client, run.id, { kind: 'add_step', source: `${source}${more}`, by: 'ana', reason: 'r' });
  expect(reply.message).toContain('and 380 more are added');
  expect(await run.status()).toMatchObject({ planHash: reply.planHash, totals: { steps: 403 } });
  await run.handle.signal('cancel', { reason: 'enough', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled', planHash: reply.planHash });
  const whole = { workflowId: run.id, history: await run.handle.fetchHistory() };
  expect(await replayFailuresOf({ codePath: testWorkflowBundle() }, [whole, ...prefixesOf(whole)])).toEqual([]);
});

test('a run that continues as new goes on with the edited plan', async () => {
  const short = await startTestVapora({ historyLimits: { events: 60, bytes: 1e9, signals: 1_000 } });
  try {
    const chain = (length: number): string =>
      Array.from({ length }, (_, n) => `  s${n}: { agent: developer, dependencies: [${n === 0 ? 'w' : `s${n - 1}`}] }\n`).join('');
    const source = `Workflow: long\nSteps:\n  w: { agent: developer, approval: { approvers: [ana] } }\n${chain(10)}`;
    const run = await startTestRun(short, source, { agents: instantAgents });
    await run.waitsAt('w');
    const edited = source.replace(chain(10), chain(50));
    const { planHash } = await adjustRun(short.client, run.id, { kind: 'add_step', source: edited, by: 'ana', reason: 'r' });
    await decideGate(short.client, run.id, { gate: 'w', by: 'ana', decision: 'approve' });
    expect(await waitForResult(short.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 51 }, planHash });
    const continued = await listAuditOf(short, run.id, 'run.continued');
    expect(continued.length).toBeGreaterThan(1);
    expect((await listExecutions(short, run.id)).map(({ attempts, outcome }) => `${attempts} ${outcome}`)).toEqual(
      Array(51).fill('1 success'),
    );
    const { workflow } = await short.client.temporal();
    const runIds = [await firstRunId(short, run.id), ...continued.map(({ event }) => String(event.details?.['runId']))];
    for (const runId of runIds) {
      const history = await workflow.getHandle(run.id, runId).fetchHistory();
      expect(await replayFailuresOf({ codePath: testWorkflowBundle() }, prefixesOf({ workflowId: runId, history }))).toEqual([]);
    }
  } finally {
    await short.stop();
  }
});

test('after a reset to before the edit the run follows the first plan until it is edited again', async () => {
  const source = plain('set-back');
  const run = await started(source);
  const { planHash } = await run.status();
  const edited = `${source}  check: { agent: tester, dependencies: [b] }\n`;
  await run.handle.signal('adjust', { kind: 'add_step', source: edited, by: 'ana', reason: 'r' });
  const later = await waitFor('the edit', async () => {
    const view = await run.status();
    return view.planHash === planHash ? undefined : view;
  });
  // The signal comes again with the reset: the same edit, of the same file.
  await resetRun(vapora, run, ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === 'w#1');
  await run.waitsAt('w');
  await waitFor('the edit again', async () => (await run.status()).planHash === later.planHash);
  await approveW(run);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4 } });
  expect((await findRun(vapora.database, run.id))?.planHash).toBe(later.planHash);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

test('edits by several people at once, while somebody looks: each is answered, and another worker can take the run up anywhere', async () => {
  const source = plain('crowded');
  const run = await started(source);
  let hasEnded = false;
  const looking = (async () => {
    while (!hasEnded) await run.handle.query('status').catch(() => undefined);
  })();
  /** As somebody does who is told to try again in a moment. */
  const ask = async (message: object): Promise<string> => {
    for (;;) {
      const answer = await run.handle
        .executeUpdate<AdjustReply, [object]>('adjust', { args: [{ by: 'ana', reason: 'r', ...message }] })
        .then(({ message: said }) => said)
        .catch((error: { cause?: Error; message: string }) => error.cause?.message ?? error.message);
      if (!answer.endsWith('try again in a moment')) return answer;
    }
  };
  try {
    const answers = await Promise.all([
      ...['x', 'y'].map((id) => ask({ kind: 'add_step', source: `${source}  ${id}: { agent: tester, dependencies: [w] }\n` })),
      ask({ kind: 'edit_step', source: source.replace('[w] }', '[w], tasks: [look twice] }') }),
      ask({ kind: 'add_agent', role: 'developer', count: 1 }),
      ask({ kind: 'edit_step', source: 'Workflow: [' }),
      run.handle.signal('adjust', { kind: 'edit_step', source: 'Workflow: [', by: 'bo', reason: 'r' }),
    ]);
    const { adjustments } = await run.status();
    expect(answers).toEqual(expect.arrayContaining(adjustments.map(({ message }) => message)));
    expect(adjustments.length).toBeGreaterThanOrEqual(2);
    await approveW(run);
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  } finally {
    hasEnded = true;
    await looking;
  }
  const whole = { workflowId: run.id, history: await run.handle.fetchHistory() };
  expect(await replayFailuresOf({ codePath: testWorkflowBundle() }, [whole, ...prefixesOf(whole)])).toEqual([]);
});

test('where requests are signed, an edit is too, and a vote about the plan of before no longer counts', async () => {
  const strict = await startTestVapora({ strict: true });
  try {
    const identities = await Promise.all(['ana', 'bo', 'ivo'].map(createSigningIdentity));
    for (const identity of identities)
      await registerSigningKey(strict.adminUrl, { person: identity.person, publicKey: publicKeyOf(identity) });
    const [ana, bo, ivo] = identities as [SigningIdentity, SigningIdentity, SigningIdentity];
    const source = plain('sealed');
    const id = `sealed-${Date.now()}`;
    const input = {
      source,
      agents: { source: `${agents.source}  - { id: dora, role: decision-maker, executor: { kind: human } }\n` },
      initiator: 'ivo',
    };
    const run = await startTestRun(strict, source, { ...input, token: await signStart(ivo, { definition: 'sealed', id, input }) }, id);
    await run.waitsAt('w');
    const before = await getSignedRun(strict.client, id, 'w');
    const edited = `${source}  check: { agent: tester, dependencies: [b] }\n`;
    const message = { kind: 'add_step', source: edited, by: 'bo', reason: 'r' } as const;
    await expect(adjustRun(strict.client, id, message)).rejects.toMatchObject({ details: { code: 'unsigned' } });
    const another = { ...message, source };
    const other = await signAdjustment(bo, before, another);
    await expect(adjustRun(strict.client, id, { ...message, token: other })).rejects.toMatchObject({ details: { code: 'bad_token' } });
    const reply = await adjustRun(strict.client, id, message, { sign: (facts) => signAdjustment(bo, facts, message) });
    expect(reply).toMatchObject({ message: 'check is added' });
    const [line] = await listAuditOf(strict, id, 'run.adjusted');
    expect(line?.event.actor).toMatchObject({ id: 'bo', assurance: 'verified', key: bo.id });

    const vote = { gate: 'w', decision: 'approve', by: 'ana' } as const;
    const late = { ...vote, token: await signVote(ana, before, vote) };
    await expect(decideGate(strict.client, id, late)).rejects.toMatchObject({
      message: expect.stringContaining('it was signed for another plan than the run follows') as string,
    });
    await decideGate(strict.client, id, vote, { sign: (facts) => signVote(ana, facts, vote) });
    expect(await waitForResult(strict.client, id)).toMatchObject({ status: 'completed', steps: { passed: 4 }, planHash: reply.planHash });
  } finally {
    await strict.stop();
  }
});
