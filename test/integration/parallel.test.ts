import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { compileWorkflow } from '../../core/dsl/compile';
import type { Plan } from '../../core/plan/types';
import { findViolations, isOverlapping, readDecisions, readIntervals } from '../support/run-intervals';
import { readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

const compile = (source: string): Plan => {
  const { plan } = compileWorkflow(source, { format: 'yaml' });
  if (plan === null) throw new Error('the example does not compile');
  return plan;
};

test("the seed's feature: what can run side by side does, and nothing runs before what it needs", async () => {
  const source = readExample('feature-auth-mfa', 'workflow.yaml');
  const run = await startTestRun(vapora, source, {
    agents: { source: readExample('feature-auth-mfa', 'agents.yaml') },
    timeScale: 20_000,
    autoApprove: true,
  });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 20 } });

  const [intervals, decisions] = await Promise.all([readIntervals(vapora, run.id), readDecisions(vapora, run.id)]);
  const plan = compile(source);
  expect([...intervals.keys()].sort()).toEqual(plan.steps.map(({ id }) => id).sort());
  expect(isOverlapping(intervals, ['4_frontend_dev', '4_backend_dev', '5_security_audit', '6_docs_start'])).toBe(true);
  expect(isOverlapping(intervals, ['7a_frontend_review', '7b_backend_review', '7c_security_review', '7d_test_coverage'])).toBe(true);
  expect(isOverlapping(intervals, ['14_monitor_production', '15_announce_release', '16_update_docs'])).toBe(true);
  expect(isOverlapping(intervals, ['1_architect_designs', '2_pm_validates'])).toBe(false);
  expect([...decisions.keys()].sort()).toEqual(['12_final_approval', '3_decision_maker_approves']);
  expect(findViolations(plan, intervals, decisions)).toEqual([]);

  // That the check finds what is wrong: each dependency broken by itself, and an approval that came late.
  for (const step of plan.steps) {
    for (const { step: other } of step.dependsOn) {
      const broken = new Map(intervals).set(step.id, { startMs: (intervals.get(other)?.endMs ?? 0) - 1, endMs: 0 });
      const found = findViolations(plan, broken, decisions).map((violation) => violation.replace(/\d+ ms/, 'n ms'));
      expect(found).toContain(`${step.id} began n ms before ${other} was done`);
    }
  }
  const late = new Map(decisions).set('3_decision_maker_approves', Date.now());
  expect(findViolations(plan, intervals, late)).toHaveLength(4);
});

const oneForAll = {
  source:
    'agents:\n  - {id: sim, role: "*", skills: [frontend, backend, security], capacity: 100, executor: {kind: simulate, duration: 1min}}\n',
};

test.each(['feature-auth-mfa', 'feature-auth', 'feature-user-preferences'])('%s runs to its end, in order', async (name) => {
  const source = readExample(name, 'workflow.yaml');
  const plan = compile(source);
  const run = await startTestRun(vapora, source, { agents: oneForAll, timeScale: 200_000, autoApprove: true });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: plan.steps.length } });
  const [intervals, decisions] = await Promise.all([readIntervals(vapora, run.id), readDecisions(vapora, run.id)]);
  expect([...intervals.keys()].sort()).toEqual(plan.steps.map(({ id }) => id).sort());
  expect(findViolations(plan, intervals, decisions)).toEqual([]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});
