import { verifyAudit } from '../../client/audit';
import { adjustRun, cancelRun, decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getStatus } from '../../client/run-views';
import { loadTimeline } from '../../db/queries/timeline';
import { listAuditOf, listExecutions } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora({ historyLimits: { events: 60, bytes: 1e9, signals: 50 } });
});
afterAll(() => vapora.stop());

async function executionsOf(run: StartedTestRun): Promise<number> {
  return 1 + (await listAuditOf(vapora, run.id, 'run.continued')).length;
}

function chain(name: string, length: number, more = ''): string {
  const steps = Array.from({ length }, (_, n) => `  s${n}: { agent: developer${n === 0 ? '' : `, dependencies: [s${n - 1}]`} }`);
  return `Workflow: ${name}\nSteps:\n${steps.join('\n')}\n${more}`;
}

test('a run whose history grows long goes on in further executions, and nothing of it is lost or done twice', async () => {
  const run = await startTestRun(vapora, chain('long-chain', 60), { agents: instantAgents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 60 } });
  expect(await executionsOf(run)).toBeGreaterThan(2);
  const executions = await listExecutions(vapora, run.id);
  expect(executions).toHaveLength(60);
  expect(new Set(executions.map(({ attempts, outcome }) => `${attempts} ${outcome}`))).toEqual(new Set(['1 success']));
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect((await listAuditOf(vapora, run.id, 'step.passed')).length).toBe(60);
  expect((await listAuditOf(vapora, run.id, 'run.planned')).length).toBe(1);
  expect((await loadTimeline(vapora.database, run.id))?.steps).toHaveLength(60);
  const { view } = await getStatus(vapora.client, run.id);
  expect(view).toMatchObject({ status: 'completed', progress: 1 });
  expect(Date.parse(view.endedAt ?? '')).toBeGreaterThan(Date.parse(view.startedAt));
});

test('while steps run nothing is cut off: a wide run waits for them, then goes on', async () => {
  const steps = Array.from({ length: 60 }, (_, n) => `  s${n}: { agent: developer }`);
  const agents = {
    source: 'agents:\n  - {id: d, role: "*", capacity: 100, executor: {kind: simulate, duration: 1min..10min}}\n',
  };
  const source = `Workflow: wide\nallow_concurrent_agents: 7\nSteps:\n${steps.join('\n')}\n`;
  const run = await startTestRun(vapora, source, { agents, timeScale: 3_600 });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 60 } });
  expect(await executionsOf(run)).toBeGreaterThan(1);
  const executions = await listExecutions(vapora, run.id);
  expect(executions.map(({ attempts, outcome }) => [attempts, outcome])).toEqual(executions.map(() => [1, 'success']));
  expect(executions).toHaveLength(60);
});

test('gates, their votes and deadlines, adjustments, monitors and signals go with it', async () => {
  const more = `
  early: { agent: developer, dependencies: [s39], approval: { approvers: [ana, bo], quorum: 2, timeout: 400h } }
  watch: { agent: monitor, duration: 3h, interval: 1min }
  extra: { agent: developer, dependencies: [early], optional: true }
`;
  const run = await startTestRun(vapora, chain('carried', 40, more), { agents: instantAgents, timeScale: 600 });
  await waitFor('a vote to be kept', async () => {
    const answer = await decideGate(vapora.client, run.id, { gate: 'early', by: 'ana', decision: 'approve' });
    return answer.effect === 'early' || answer.effect === 'counted' ? answer : undefined;
  });
  await adjustRun(vapora.client, run.id, { kind: 'skip_step', step: 'extra', by: 'bo', reason: 'no time' });
  await waitFor('another execution', async () => (await executionsOf(run)) > 1);
  await waitFor('the gate', async () => (await run.gate('early'))?.state === 'open');
  // So many signals make yet another execution, and each of them is answered for.
  for (let n = 0; n < 60; n += 1) await run.handle.signal('nonsense', n);
  const view = await waitFor('all signals', async () => {
    const status = await run.status();
    return status.ignoredSignals === 60 ? status : undefined;
  });
  expect(view.adjustments).toMatchObject([{ kind: 'skip_step', by: 'bo' }]);
  expect(view.gates.find(({ id }) => id === 'early')).toMatchObject({ state: 'open', votes: [{ by: 'ana' }] });
  await decideGate(vapora.client, run.id, { gate: 'early', by: 'bo', decision: 'approve' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 42, skipped: 1 } });
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect((await listAuditOf(vapora, run.id, 'signal.ignored')).length).toBe(60);
});

test('what was done in an earlier execution is undone in a later one, the last first', async () => {
  const steps = Array.from(
    { length: 40 },
    (_, n) => `  s${n}: { agent: developer, compensate: revert${n === 0 ? '' : `, dependencies: [s${n - 1}]`} }`,
  );
  const source = `Workflow: undone-later\nSteps:\n${steps.join('\n')}\n  bad: { agent: tester, dependencies: [s39], retry: { attempts: 1 }, reassign: 0 }\n`;
  const agents = {
    source:
      'agents:\n  - {id: d, role: developer, capacity: 9, executor: {kind: simulate, duration: 1ms}}\n  - {id: t, role: tester, executor: {kind: simulate, success: 0, duration: 1ms}}\n',
  };
  const run = await startTestRun(vapora, source, { agents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back', steps: { compensated: 40, failed: 1 } });
  const undone = (await listExecutions(vapora, run.id)).filter(({ mode }) => mode === 'undo');
  expect(undone.map(({ path }) => path)).toEqual(Array.from({ length: 40 }, (_, n) => `s${39 - n}`));
  // The rollback itself went through several executions.
  const continued = await listAuditOf(vapora, run.id, 'run.continued');
  const failed = (await listAuditOf(vapora, run.id, 'run.failure_found'))[0]!;
  expect(continued.filter(({ seq }) => seq > failed.seq).length).toBeGreaterThan(0);
});

test('a cancel through Temporal ends a continued run as Canceled', async () => {
  const more = '  w: { agent: developer, dependencies: [s29], approval: { approvers: [ana] } }\n';
  const run = await startTestRun(vapora, chain('cancelled-later', 30, more), { agents: instantAgents });
  await waitFor('the gate', async () => (await run.gate('w'))?.state === 'open');
  expect(await executionsOf(run)).toBeGreaterThan(1);
  await run.handle.cancel();
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  const other = await startTestRun(vapora, chain('cancelled-by-signal', 30, more), { agents: instantAgents });
  await waitFor('the gate', async () => (await other.gate('w'))?.state === 'open');
  await cancelRun(vapora.client, other.id, { reason: 'enough' });
  expect(await waitForResult(vapora.client, other.id)).toMatchObject({ status: 'cancelled', reason: 'enough' });
});
