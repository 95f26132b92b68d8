import { verifyAudit } from '../../client/audit';
import { waitForResult } from '../../client/run-outcome';
import { compileWorkflow } from '../../core/dsl/compile';
import type { Plan } from '../../core/plan/types';
import { listExecutions, queryDatabase } from '../support/run-records';
import { readExample, startTestRun, startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';

jest.setTimeout(60_000);

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

/** When a step was worked on, by the executions table, and when the run let others go on from it. */
interface Interval {
  startMs: number;
  endMs: number;
}
type Intervals = Map<string, Interval>;

/** From the first start to the last end of everything that was done for a step, and to the decision of its gates. */
async function readIntervals(id: string): Promise<Intervals> {
  const intervals: Intervals = new Map();
  for (const { step, mode, assigned_at: assigned, started_at: started, finished_at: end } of await listExecutions(vapora, id)) {
    // A monitor begins with its assignment: its samples are no executions.
    const start = started ?? assigned;
    if (mode !== 'do' || end === null) continue;
    const known = intervals.get(step);
    intervals.set(step, {
      startMs: Math.min(start.getTime(), known?.startMs ?? Infinity),
      endMs: Math.max(end.getTime(), known?.endMs ?? 0),
    });
  }
  return intervals;
}

async function readDecisions(id: string): Promise<Map<string, number>> {
  const rows = await queryDatabase<{ step: string; decided_at: Date }>(
    vapora,
    'select a.step, a.decided_at from approvals a join runs r using (root_run_id) where r.workflow_id = $1 and a.decided_at is not null and a.step is not null',
    [id],
  );
  return new Map(rows.map(({ step, decided_at: decidedAt }) => [step, decidedAt.getTime()]));
}

const isOverlapping = (intervals: Intervals, steps: string[]): boolean => {
  const found = steps.map((step) => intervals.get(step) ?? { startMs: Infinity, endMs: -Infinity });
  return Math.max(...found.map(({ startMs }) => startMs)) < Math.min(...found.map(({ endMs }) => endMs));
};

/** Every place where a step began before something it waits for had ended, or had been decided. */
function findViolations(plan: Plan, intervals: Intervals, decisions: Map<string, number>): string[] {
  const barriers = new Map<string, string[]>();
  plan.phases.forEach((phase, index) => {
    const before = plan.phases[index - 1];
    if (phase.barrier && before)
      barriers.set(
        phase.id,
        plan.steps.filter((step) => step.phase === before.id).map(({ id }) => id),
      );
  });
  return plan.steps.flatMap((step) => {
    const needed = [...step.dependsOn.map((dependency) => dependency.step), ...(barriers.get(step.phase) ?? [])];
    return needed.flatMap((other) => {
      const begunMs = intervals.get(step.id)?.startMs ?? Infinity;
      const readyMs = Math.max(intervals.get(other)?.endMs ?? Infinity, decisions.get(other) ?? 0);
      return begunMs >= readyMs ? [] : [`${step.id} began ${readyMs - begunMs} ms before ${other} was done`];
    });
  });
}

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

  const [intervals, decisions] = await Promise.all([readIntervals(run.id), readDecisions(run.id)]);
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
  const [intervals, decisions] = await Promise.all([readIntervals(run.id), readDecisions(run.id)]);
  expect([...intervals.keys()].sort()).toEqual(plan.steps.map(({ id }) => id).sort());
  expect(findViolations(plan, intervals, decisions)).toEqual([]);
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});
