import { EngineDriver, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';

const hourMs = 3_600_000;

function run(draft: PlanDraft, options: DriverOptions = {}): EngineDriver {
  return new EngineDriver(buildPlan({ plannedMs: 2 * hourMs, ...draft }), options).run();
}

const three = { s0: { estimateMs: hourMs }, s1: { estimateMs: hourMs, after: ['s0'] }, s2: { estimateMs: hourMs, after: ['s1'] } };

test('more agents, once in each phase, as somebody would have asked for them', () => {
  const asked: object[] = [];
  const driver = run(
    { onLate: { addAgent: { role: 'developer', count: 2 } }, steps: three },
    {
      behave: () => ({ durationMs: hourMs }),
      addAgents: (question) => {
        asked.push(question);
        return ['developer.2', 'developer.3'];
      },
    },
  );
  expect(asked).toMatchObject([{ role: 'developer', count: 2 }]);
  expect(driver.state.adjustments).toMatchObject([
    { kind: 'add_agent', by: 'vapora', reason: expect.stringContaining('on_late') as string },
  ]);
  expect(driver.audit().filter(({ action }) => action === 'run.found_late')).toHaveLength(1);
  expect(driver.finished?.status).toBe('completed');
});

test('every open gate is put before its next level', () => {
  const driver = run({
    onLate: { escalate: true },
    escalation: [{ afterMs: hourMs, to: ['eve'] }],
    steps: { a: { approval: { approvers: ['ana'], timeoutMs: 100 * hourMs, timeoutIsExplicit: true } }, b: {} },
  });
  expect(driver.state.gates['a']?.approvers).toEqual(['ana']);
  driver.pass(3 * hourMs);
  expect(driver.state.gates['a']).toMatchObject({ approvers: ['ana', 'eve'], level: 1 });
});

test('nobody who could be added is said, and the run goes on', () => {
  const driver = run({ onLate: { addAgent: { role: 'poet', count: 1 } }, steps: three }, { behave: () => ({ durationMs: hourMs }) });
  expect(driver.audit().find(({ action }) => action === 'adjustment.refused')).toMatchObject({ actor: { kind: 'engine' }, object: 'poet' });
  expect(driver.finished?.status).toBe('completed');
});

test('a run that is as planned, or follows the rules of before, changes nothing', () => {
  const onLate = { addAgent: { role: 'developer', count: 1 } };
  const behave = (): { durationMs: number } => ({ durationMs: hourMs });
  for (const driver of [
    run({ onLate, steps: three, plannedMs: 3 * hourMs }, { behave }),
    run({ onLate, steps: three }, { behave, engine: { version: 1 } }),
  ]) {
    expect(driver.state.adjustments).toBeUndefined();
    expect(driver.finished?.status).toBe('completed');
  }
});
