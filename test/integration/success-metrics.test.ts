/** The success metrics of the specification, each as one test that says it; elsewhere each is tested in its details. */
import { join } from 'node:path';
import { verifyAudit } from '../../client/audit';
import { decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getStatus } from '../../client/run-views';
import { compileWorkflow } from '../../core/dsl/compile';
import { heldAgent } from '../support/held-agent';
import { findViolations, isOverlapping, readDecisions, readIntervals } from '../support/run-intervals';
import { countHistoryEvents, listAuditOf, listExecutions } from '../support/run-records';
import { instantAgents, readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { StartedTestRun, TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let vapora: TestVapora;
let team: StartedTestRun;
beforeAll(async () => {
  vapora = await startTestVapora();
  team = await startTeam();
});
afterAll(() => vapora.stop());

/** Steps and the roles that do them. */
const members = [...'abcdefghijkl'].map((letter) => `member-${letter}`);

/** Twelve agents, each of which succeeds only when all have begun: with fewer at once, each gives up after half a minute. */
async function startTeam(): Promise<StartedTestRun> {
  const script = [
    'mkdir -p "$0" && : > "$0/$$"; n=0',
    `until [ "$(ls "$0" | wc -l)" -ge ${members.length} ]; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done`,
  ].join('; ');
  const argv = `[sh, -c, '${script}', ${JSON.stringify(join(vapora.dataDir, 'begun'))}]`;
  const agents = members.map(
    (member) => `  - {id: agent-${member}, role: ${member}, executor: {kind: command, plain: true, argv: ${argv}}}`,
  );
  const source = `
Workflow: team
allow_concurrent_agents: ${members.length}
Steps:
${members.map((member) => `  ${member}: { agent: ${member} }`).join('\n')}
`;
  return startTestRun(vapora, source, { agents: { source: `agents:\n${agents.join('\n')}\n` } });
}

test('10+ agents coordinated without errors', async () => {
  expect(await waitForResult(vapora.client, team.id)).toMatchObject({ status: 'completed', steps: { passed: members.length } });
  const executions = await listExecutions(vapora, team.id);
  expect(new Set(executions.map(({ agent_id: agent }) => agent)).size).toBe(members.length);
  for (const { outcome, attempts } of executions) expect([outcome, attempts]).toEqual(['success', 1]);
  expect(await countHistoryEvents(vapora, team.id)).not.toHaveProperty('workflowTaskFailed');
  expect(await listAuditOf(vapora, team.id, 'signal.ignored')).toEqual([]);
  expect(await verifyAudit(vapora.client, team.id)).toMatchObject({ ok: true });
});

test('parallel execution actual (not serial): by the database, all 12 were in work at one moment', async () => {
  await waitForResult(vapora.client, team.id);
  const intervals = await readIntervals(vapora, team.id);
  expect([...intervals.keys()].sort()).toEqual([...members].sort());
  expect(isOverlapping(intervals, members)).toBe(true);
  // The check finds what is serial: each begins where the one before ends.
  const serial = new Map(members.map((member, index) => [member, { startMs: index, endMs: index + 1 }]));
  expect(isOverlapping(serial, members.slice(0, 2))).toBe(false);
});

test("dependencies respected: by the database, no step of the seed's feature began before what it needs", async () => {
  const source = readExample('feature-auth-mfa', 'workflow.yaml');
  const agents = { source: readExample('feature-auth-mfa', 'agents.yaml') };
  const run = await startTestRun(vapora, source, { agents, timeScale: 200_000, autoApprove: true });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { plan } = compileWorkflow(source, { format: 'yaml' });
  const [intervals, decisions] = await Promise.all([readIntervals(vapora, run.id), readDecisions(vapora, run.id)]);
  expect(intervals.size).toBe(plan!.steps.length);
  expect(findViolations(plan!, intervals, decisions)).toEqual([]);
});

test('approval gates enforce correctly: nothing behind a gate begins before somebody who may has approved', async () => {
  const source = `
Workflow: gated
Steps:
  build: { agent: developer, approval: { approvers: [ana] } }
  release: { agent: developer, dependencies: [build] }
`;
  const run = await startTestRun(vapora, source, { agents: instantAgents });
  await run.waitsAt('build');
  await expect(decideGate(vapora.client, run.id, { gate: 'build', by: 'mallory', decision: 'approve' })).rejects.toMatchObject({
    details: { code: 'not_approver' },
  });
  expect((await listExecutions(vapora, run.id)).map(({ step }) => step)).toEqual(['build']);
  await decideGate(vapora.client, run.id, { gate: 'build', by: 'ana', decision: 'approve' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const [intervals, decisions] = await Promise.all([readIntervals(vapora, run.id), readDecisions(vapora, run.id)]);
  expect(intervals.get('release')?.startMs).toBeGreaterThanOrEqual(decisions.get('build') ?? NaN);
});

test('rollback works on failure: what was done is undone, the last first, each once', async () => {
  const source = `
Workflow: undone
Steps:
  first: { agent: developer, compensate: undo_first }
  second: { agent: developer, dependencies: [first], compensate: undo_second }
  third: { agent: tester, dependencies: [second], retry: { attempts: 1 } }
`;
  const agents = {
    source: `
agents:
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
  - {id: t, role: tester, executor: {kind: simulate, duration: 1ms, success: 0}}
`,
  };
  const run = await startTestRun(vapora, source, { agents });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back', steps: { compensated: 2, failed: 1 } });
  const done = (await listExecutions(vapora, run.id)).map(({ step, mode, outcome }) => `${mode} ${step}: ${outcome}`);
  expect(done).toEqual(['do first: success', 'do second: success', 'do third: failure', 'undo second: success', 'undo first: success']);
});

test('live status: what a run does is seen while it does it', async () => {
  const roles = ['architect', 'developer', 'tester'];
  const held = roles.map((role) => heldAgent(role, join(vapora.dataDir, `go-on-${role}`)));
  const source = `
Workflow: watched
Steps:
${roles.map((role, index) => `  ${role}_step: { agent: ${role}, dependencies: [${index === 0 ? '' : `${roles[index - 1]}_step`}] }`).join('\n')}
`;
  const run = await startTestRun(vapora, source, {
    agents: { source: `agents:\n${held.map(({ entry }) => `  - ${entry}`).join('\n')}\n` },
  });
  for (const [index, agent] of held.entries()) {
    const expected = roles.map((_, place) => (place < index ? 'passed' : place === index ? 'running' : 'pending'));
    const { view, from } = await waitFor(`step ${index + 1} to be seen at work`, async () => {
      const answer = await getStatus(vapora.client, run.id);
      return answer.view.steps[index]?.state === 'running' && answer;
    });
    expect(from).toBe('workflow');
    expect(view).toMatchObject({ status: 'in_progress', steps: expected.map((state) => ({ state })) });
    expect(view.progress).toBeCloseTo(index / roles.length, 2);
    expect(view.steps[index]?.agent).toBe(`held-${roles[index]}`);
    agent.release();
  }
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect((await getStatus(vapora.client, run.id)).view).toMatchObject({ status: 'completed', progress: 1 });
});
