import fs from 'node:fs';
import path from 'node:path';
import { agentNamed, byStep, EngineDriver, type DriverOptions, type Ending, type Launch } from '../../test/support/engine-driver';
import { compileWorkflow } from '../dsl/compile';
import type { Plan } from '../plan/types';

const file = path.join(__dirname, '../../examples/feature-auth-mfa/workflow.yaml');
const scale = 3_600;

function seedPlan(): Plan {
  const { plan, diagnostics } = compileWorkflow(fs.readFileSync(file), { fileName: 'workflow.yaml' });
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

/** What its agents must report for its gates to hold. */
const good: Record<string, Ending> = {
  '7c_security_review': { result: { metrics: { critical_vulns: 0, high_vulns: 0 } } },
  '7d_test_coverage': { result: { metrics: { tests_passing: true, coverage: { value: 91, unit: '%' } } } },
};
const goodSample: Ending = {
  durationMs: 10,
  result: { metrics: { error_rate: { value: 0.1, unit: '%' }, p99_latency: 120, latency: 80, cpu: 0.3, memory: 0.5 } },
};

interface SeedOptions extends DriverOptions {
  endings?: Record<string, Ending>;
  /** The monitor whose samples are bad, and how. */
  sample?: string;
  bad?: Ending;
}

function drive({ endings, sample, bad = { failure: { kind: 'failed' } }, ...options }: SeedOptions = {}): EngineDriver {
  const outcome = byStep({ ...good, ...endings });
  const behave = (launch: Launch): Ending => (launch.sample === undefined ? outcome(launch) : launch.step === sample ? bad : goodSample);
  return new EngineDriver(seedPlan(), { behave, ...options, engine: { timeScale: scale, ...options.engine } }).run();
}

test('it runs to completion with its two approvals', () => {
  const driver = drive();
  expect(driver.state).toMatchObject({ status: 'waiting_approval' });
  expect(driver.engine.waitsFor()).toEqual(['3_decision_maker_approves']);
  driver.vote('3_decision_maker_approves', 'approve');
  expect(driver.engine.waitsFor()).toEqual(['12_final_approval']);
  driver.vote('12_final_approval', 'approve');
  expect(driver.finished).toEqual({ status: 'completed' });
  expect(new Set(Object.values(driver.statesOf()))).toEqual(new Set(['passed']));
  expect(driver.maxRunning).toBeGreaterThanOrEqual(4);
});

const approve = (driver: EngineDriver): EngineDriver =>
  driver.vote('3_decision_maker_approves', 'approve').vote('12_final_approval', 'approve');
const ids = seedPlan().steps.map((step) => step.id);
const undoable: DriverOptions['assign'] = ({ role, agentId, exclude }) => {
  const id = agentId ?? [1, 2, 3].map((k) => `${role}-${k}`).find((name) => !exclude.includes(name))!;
  return { kind: 'assigned', agent: agentNamed(id, { role, compensate: 'undo' }) };
};

test('the four implementation steps, and the four reviews, run at the same time', () => {
  const driver = approve(drive());
  const launchedAt = (id: string): number => driver.launches.find((one) => one.step === id)!.atMs;
  const together = (group: string[]): number => new Set(group.map(launchedAt)).size;
  expect(together(['4_frontend_dev', '4_backend_dev', '5_security_audit', '6_docs_start'])).toBe(1);
  expect(together(['7a_frontend_review', '7b_backend_review', '7c_security_review', '7d_test_coverage'])).toBe(1);
});

test.each(ids)('a failure of %s undoes what was done, the last first', (id) => {
  const failure = { failure: { kind: 'failed' as const } };
  const driver = drive({ endings: { [id]: failure }, assign: undoable, sample: id });
  if (driver.finished === undefined) driver.vote('3_decision_maker_approves', 'approve');
  if (driver.finished === undefined) driver.vote('12_final_approval', 'approve');
  const isHarmless = id === '15_announce_release' || id === '16_update_docs';
  expect(driver.finished?.status).toBe(isHarmless ? 'completed' : 'rolled_back');
  if (isHarmless) return;
  // Of each effect that was launched the compensation ran once, in exactly the reverse of the order in which they ended.
  const forward = driver.ends.filter((end) => !end.id.endsWith('!undo') && !end.id.includes('sample-')).map((end) => end.id);
  const isMonitor = new Set(['11_monitor_staging', '14_monitor_production']);
  const undone = driver.launches.filter(({ launch }) => launch.effect.mode === 'undo').map((one) => one.id.replace('!undo', ''));
  // Samples that fail count as critical_error, by which this monitor undoes the deployment it watches, and only that.
  const expected = id === '14_monitor_production' ? deploymentInReverse : inReverse(driver, forward);
  expect(undone.filter((one) => !isMonitor.has(one))).toEqual(expected);
});

const deploymentInReverse = ['traffic_switch', 'health_check', 'deploy'].map((part) => `13_deploy_production/${part}#1`);

/** Two of three, so that what can be undone and what cannot stand in between each other; no monitor. */
const canBeUndone = (id: string): boolean => ids.indexOf(id) % 3 !== 2;

test.each(ids.map((id, index) => [index, id] as const))(
  'a failure at step index %i (%s) undoes exactly what has a compensation, each once, in the reverse order of completion',
  (index, id) => {
    const assign: DriverOptions['assign'] = (request, atMs, driver) => {
      const reply = undoable(request, atMs, driver);
      return canBeUndone(request.step) || reply.kind !== 'assigned' ? reply : { kind: 'assigned', agent: agentNamed(reply.agent.id) };
    };
    // Each takes another time: no two end at the same moment, and not in the order of the plan.
    const endings = Object.fromEntries(
      ids.map((step, place): [string, Ending] => [step, { ...good[step], durationMs: 1_000 + ((place * 7) % ids.length) * 100 }]),
    );
    endings[id] = { ...endings[id], failure: { kind: 'failed' } };
    const driver = drive({ endings, assign, sample: id, engine: { autoApprove: true } });

    const completed = driver.ends.filter((end) => !end.id.endsWith('!undo') && canBeUndone(end.step)).map((end) => end.id);
    const undone = driver.launches.filter(({ launch }) => launch.effect.mode === 'undo').map((one) => one.id.replace('!undo', ''));
    const isHarmless = id === '15_announce_release' || id === '16_update_docs';
    const isWatcher = id === '14_monitor_production';
    const expected = isHarmless ? [] : isWatcher ? deploymentInReverse : inReverse(driver, completed);
    expect(undone).toEqual(expected);
    expect(driver.finished?.status).toBe(isHarmless ? 'completed' : 'rolled_back');
    // It is an order, and not that of the plan.
    if (undone.length > 1 && index > ids.indexOf('6_docs_start')) expect(undone).not.toEqual([...undone].sort(byPlan).reverse());
  },
);

const byPlan = (a: string, b: string): number => ids.indexOf(a.replace(/[#/].*/, '')) - ids.indexOf(b.replace(/[#/].*/, ''));

/** Effects that ended at the same moment count in plan order: the reverse of both. */
function inReverse(driver: EngineDriver, forward: string[]): string[] {
  const place = new Map(ids.map((id, index) => [id, index]));
  const end = new Map(driver.ends.map(({ id, atMs, step }) => [id, { atMs, place: place.get(step)! }]));
  return [...forward].sort((a, b) => end.get(b)!.atMs - end.get(a)!.atMs || end.get(b)!.place - end.get(a)!.place);
}

test('critical_error in production rolls the production deployment back, and nothing else', () => {
  const driver = approve(drive({ sample: '14_monitor_production', bad: { result: { metrics: { critical_error: true } } } }));
  expect(driver.finished).toMatchObject({ status: 'rolled_back', reason: expect.stringContaining('critical_error') });
  expect(driver.launches.filter(({ launch }) => launch.effect.mode === 'undo').map(({ launch }) => launch.action)).toEqual([
    'traffic_switch',
    'health_check',
    'deploy',
  ]);
  expect(driver.stateOf('13_deploy_production')).toBe('compensated');
});

test('a coverage that is too low blocks the tests, and says so with the value', () => {
  const low = { result: { metrics: { tests_passing: true, coverage: { value: 71.3, unit: '%' } } } };
  const driver = drive({ endings: { '7d_test_coverage': low } }).vote('3_decision_maker_approves', 'approve');
  expect(driver.state.status).toBe('blocked');
  expect(driver.state.steps['7d_test_coverage']?.reason).toMatch(/coverage 71\.3 %/);
  expect(driver.engine.waitsFor()).toEqual(['7d_test_coverage:blocked']);
  driver.vote('7d_test_coverage:blocked', 'reject', 'ana', 'not good enough');
  expect(driver.finished).toMatchObject({ status: 'failed' });
});

test('a final approval that is refused is asked again next Monday at nine', () => {
  const driver = drive({ engine: { timeScale: 1 } }).vote('3_decision_maker_approves', 'approve');
  driver.pass(2 * 3_600_000);
  driver.vote('12_final_approval', 'reject', 'ana', 'not this week');
  expect(driver.state.status).toBe('deferred');
  driver.pass(8 * 86_400_000);
  const [first, second] = driver.launches.filter((one) => one.step === '12_final_approval');
  expect(new Date(first!.atMs).toISOString()).toMatch(/^2026-01-05T/);
  expect(new Date(second!.atMs).toISOString()).toBe('2026-01-12T09:00:00.000Z');
  expect(second!.launch.effect.generation).toBe(2);
});

test('everything approved automatically: nobody is asked, and the audit says who decided', () => {
  const driver = drive({ engine: { autoApprove: true } });
  expect(driver.finished).toEqual({ status: 'completed' });
  const votes = driver.changes.flatMap((change) => change.votes);
  expect(votes.map(({ gate, by }) => [gate, by])).toEqual([
    ['3_decision_maker_approves', 'auto'],
    ['12_final_approval', 'auto'],
  ]);
});
