import { cancelRun, decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getTimeline } from '../../client/run-views';
import { loadTimeline } from '../../db/queries/runs';
import { listExecutions } from '../support/run-records';
import { verifyAudit } from '../../client/audit';
import { instantAgents, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const diamond = `
Workflow: diamond
Steps:
  a: { agent: developer }
  b: { agent: developer, dependencies: [a] }
  c: { agent: developer, dependencies: [a] }
  d: { agent: tester, dependencies: [b, c] }
`;

test('a diamond of simulated steps completes, in order, and Postgres knows all of it', async () => {
  const run = await startTestRun(vapora, diamond, { agents: instantAgents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 4 } });

  const { rows } = await query(
    `select e.path, e.outcome, e.attempts, e.started_at, e.finished_at from executions e join runs r using (root_run_id) where r.workflow_id = $1 order by e.path`,
    [run.id],
  );
  expect(rows.map(({ path, outcome, attempts }) => [path, outcome, attempts])).toEqual([
    ['a', 'success', 1],
    ['b', 'success', 1],
    ['c', 'success', 1],
    ['d', 'success', 1],
  ]);
  const at = new Map(rows.map((row) => [row['path'], row]));
  const ended = (step: string) => (at.get(step)?.['finished_at'] as Date).getTime();
  const started = (step: string) => (at.get(step)?.['started_at'] as Date).getTime();
  expect(started('b')).toBeGreaterThanOrEqual(ended('a'));
  expect(started('d')).toBeGreaterThanOrEqual(Math.max(ended('b'), ended('c')));

  const { rows: leases } = await query('select count(*)::int as n from agent_leases', []);
  expect(leases).toEqual([{ n: 0 }]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  expect((await getTimeline(vapora.client, run.id)).view.steps.map(({ step }) => step).sort()).toEqual(['a', 'b', 'c', 'd']);
});

const gated = `
Workflow: gated
Steps:
  a: { agent: developer }
  b: { agent: developer, dependencies: [a], approval: { approvers: [ana, bo] } }
  c: { agent: developer, dependencies: [b] }
`;

test('an approval by signal lets the run go on; who may not approve is audited and changes nothing', async () => {
  const run = await startTestRun(vapora, gated, { agents: instantAgents });
  expect(await run.waitsAt('b')).toMatchObject({ approvers: ['ana', 'bo'] });
  await run.handle.signal('approve', { gate: 'b', by: 'mallory' });
  await run.handle.signal('approve', { gate: 'b', by: 'ana', reason: 'fine' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { rows: votes } = await query(
    'select v.voter, v.decision from approval_votes v join runs r using (root_run_id) where r.workflow_id = $1',
    [run.id],
  );
  expect(votes).toEqual([{ voter: 'ana', decision: 'approve' }]);
  expect(await auditText(run.id)).toContain('mallory');
});

test('an update answers: counted, or refused with the reason', async () => {
  const run = await startTestRun(vapora, gated, { agents: instantAgents });
  await run.waitsAt('b');
  await expect(decideGate(vapora.client, run.id, { gate: 'b', by: 'mallory', decision: 'approve' })).rejects.toMatchObject({
    code: 'refused',
    details: { code: 'not_approver' },
    hint: expect.stringContaining('--by'),
  });
  await expect(decideGate(vapora.client, run.id, { gate: 'nope', by: 'ana', decision: 'approve' })).rejects.toMatchObject({
    code: 'refused',
    details: { code: 'no_such_gate' },
  });
  expect(await decideGate(vapora.client, run.id, { gate: 'b', by: 'ana', decision: 'approve' })).toMatchObject({ decided: true });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
});

test('a rejection fails the step, and what was done is compensated in reverse order', async () => {
  const source = `
Workflow: compensated
Steps:
  one: { agent: developer, compensate: undo_one }
  two: { agent: developer, dependencies: [one], compensate: undo_two }
  three: { agent: developer, dependencies: [two], approval_required: true }
`;
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.waitsAt('three');
  await run.handle.signal('reject', { gate: 'three', by: 'ana', reason: 'not like this' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back' });
  const { rows } = await query(
    `select e.path from executions e join runs r using (root_run_id) where r.workflow_id = $1 and e.mode = 'undo' order by e.started_at`,
    [run.id],
  );
  expect(rows.map(({ path }) => path)).toEqual(['two', 'one']);
});

test('a failed attempt is retried, then another agent takes over, and history knows who failed', async () => {
  const source = `
Workflow: reassigned
Steps:
  a: { agent: developer, reassign: 2, retry: { attempts: 2, initial_interval: 10ms } }
`;
  const agents = {
    source: `
agents:
  - {id: bad, role: developer, executor: {kind: simulate, duration: 1ms, success: 0}}
  - {id: worse, role: developer, executor: {kind: simulate, duration: 1ms, success: 0}}
  - {id: good, role: developer, skills: [x], executor: {kind: simulate, duration: 1ms}}
`,
  };
  const run = await startTestRun(vapora, source, { agents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { rows } = await query(
    `select e.agent_id, e.outcome, e.attempts from executions e join runs r using (root_run_id) where r.workflow_id = $1 order by e.assignment`,
    [run.id],
  );
  expect(rows.at(-1)).toMatchObject({ agent_id: 'good', outcome: 'success' });
  for (const row of rows.slice(0, -1)) expect(row).toMatchObject({ outcome: 'failure', attempts: 2 });
});

test('cancel is graceful: what runs is stopped, what was done is undone', async () => {
  const source = `
Workflow: cancelled
Steps:
  quick: { agent: developer, compensate: undo_quick }
  slow: { agent: tester, dependencies: [quick] }
`;
  const agents = {
    source: `
agents:
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
  - {id: t, role: tester, executor: {kind: simulate, duration: 1h}}
`,
  };
  const run = await startTestRun(vapora, source, { agents });
  await waitFor('slow to run', async () => (await run.status()).steps.find(({ id }) => id === 'slow')?.state === 'running');
  await cancelRun(vapora.client, run.id, { reason: 'no longer wanted', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'cancelled' });
  const { rows } = await query(
    `select e.path, e.mode, e.outcome from executions e join runs r using (root_run_id) where r.workflow_id = $1 order by e.id`,
    [run.id],
  );
  expect(rows).toEqual([
    { path: 'quick', mode: 'do', outcome: 'success' },
    { path: 'slow', mode: 'do', outcome: 'cancelled' },
    { path: 'quick', mode: 'undo', outcome: 'success' },
  ]);
});

test('a monitor samples by timers and reports', async () => {
  const source = `
Workflow: monitored
Steps:
  m: { agent: monitor, duration: 1h, interval: 15min, metrics: [error_rate], alert_if: error_rate > 1% }
`;
  const agents = {
    source: 'agents:\n  - {id: m, role: monitor, executor: {kind: simulate, duration: 1ms, metrics: {error_rate: 2%}}}\n',
  };
  const run = await startTestRun(vapora, source, { agents, timeScale: 1800 });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { rows } = await query(
    'select count(*)::int as n from monitor_samples s join runs r using (root_run_id) where r.workflow_id = $1',
    [run.id],
  );
  expect(rows[0]?.['n']).toBeGreaterThanOrEqual(3);
  const alerts = await query('select a.message from alerts a join runs r using (root_run_id) where r.workflow_id = $1', [run.id]);
  expect(alerts.rows.length).toBeGreaterThan(0);
  const [monitor] = await listExecutions(vapora, run.id);
  const tookMs = (monitor?.finished_at?.getTime() ?? NaN) - (monitor?.started_at?.getTime() ?? NaN);
  expect(tookMs).toBeGreaterThanOrEqual(2_000);
  const { view } = await getTimeline(vapora.client, run.id);
  const recorded = await loadTimeline(vapora.database, run.id);
  expect(recorded?.steps.map(({ step, startedAt }) => [step, startedAt])).toEqual([['m', view.steps[0]?.startedAt]]);
});

test('changes that a reviewer requests are made in a new generation, with the comments, and reviewed again', async () => {
  const source = `
Workflow: reworked
Steps:
  build: { agent: developer }
  review: { agent: code-reviewer, dependencies: [build], can_block_merge: true, rework: { steps: [build], max_rounds: 2 } }
  merge: { agent: devops, dependencies: [review], action: merge_to_main }
`;
  const agents = {
    source: `
agents:
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
  - {id: o, role: devops, executor: {kind: simulate, duration: 1ms}}
  - id: r
    role: code-reviewer
    executor:
      kind: simulate
      duration: 1ms
      script: { review: [{ verdict: changes_requested, summary: name it better }, { verdict: approved }] }
`,
  };
  const run = await startTestRun(vapora, source, { agents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { rows } = await query(
    `select e.path, e.generation from executions e join runs r using (root_run_id) where r.workflow_id = $1 order by e.id`,
    [run.id],
  );
  expect(rows.map(({ path, generation }) => `${String(path)}#${String(generation)}`)).toEqual([
    'build#1',
    'review#1',
    'build#2',
    'review#2',
    'merge#1',
  ]);
});

test('a source that does not compile fails the run with the diagnostics', async () => {
  const run = await startTestRun(vapora, 'Workflow: broken\nSteps:\n  a: { agent: developer, dependencies: [nope] }\n', {
    agents: instantAgents,
  });
  const outcome = await waitForResult(vapora.client, run.id);
  expect(outcome).toMatchObject({ status: 'failed', failureType: 'InvalidWorkflow' });
  expect(outcome.reason).toContain('nope');
});

async function auditText(id: string): Promise<string> {
  const { rows } = await query('select a.* from audit_events a join runs r using (root_run_id) where r.workflow_id = $1', [id]);
  return JSON.stringify(rows);
}

async function query(text: string, values: unknown[]): Promise<{ rows: Record<string, unknown>[] }> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: vapora.adminUrl });
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
