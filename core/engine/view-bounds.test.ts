import { EngineDriver, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';
import { jsonBytes } from '../contract/text-size';
import type { EngineEvent } from './types';

/** Temporal answers no query with more. */
const maxAnswerBytes = 2 * 1024 * 1024;

const drive = (draft: PlanDraft, options: DriverOptions = {}): EngineDriver => new EngineDriver(buildPlan(draft), options);
const alert = (atMs: number, n: number, message: string): EngineEvent => ({
  type: 'alertReceived',
  atMs,
  by: { kind: 'person', id: 'probe' },
  name: `alert ${n}`,
  severity: 'high',
  message,
});
const longText = 'ü"\u2028'.repeat(1_300);

test('a flood of alerts leaves the newest, how many there were, and what still stands', () => {
  const driver = drive({ steps: { a: { approval: true } } }).run();
  const events = Array.from({ length: 10_000 }, (_, n) => alert(driver.nowMs, n, `${n} ${longText}`));
  driver.send(...events);
  const view = driver.engine.statusView(driver.nowMs);
  expect(jsonBytes(view)).toBeLessThan(maxAnswerBytes);
  expect(view.totals).toEqual({ steps: 1, gates: 1, alerts: 10_000 });
  expect(view.alerts.at(-1)?.name).toBe('alert 9999');
  expect(driver.state.alerts.length).toBeLessThanOrEqual(1_000);
  // Nothing of it is lost: Postgres gets them all.
  expect(driver.changes.flatMap(({ alerts }) => alerts)).toHaveLength(10_000);
});

test('an alert that stands is not forgotten for the noise after it', () => {
  const driver = drive({ steps: { a: { approval: true } } }).run();
  const noise = Array.from({ length: 3_000 }, (_, n) => alert(driver.nowMs, n % 7, 'again'));
  driver.send(alert(driver.nowMs, 100, 'the disk is full'), ...noise);
  expect(driver.state.alerts[0]).toMatchObject({ name: 'alert 100', state: 'raised' });
});

describe('the largest plan', () => {
  const steps: PlanDraft['steps'] = {};
  for (let n = 0; n < 10_000; n += 1) {
    steps[`step_${n}`] = {
      approval: { prompt: longText, approvers: ['ana', 'bob'] },
      ...(n > 9_000 ? { after: ['step_0', 'step_1'] } : {}),
    };
  }
  // Everything waits for the last one too: its list of dependencies is the longest there can be.
  steps['last'] = { after: Object.keys(steps), reassign: 0 };
  const driver = drive(
    { maxConcurrentSteps: 500, steps },
    { behave: ({ step }) => (step === 'step_7000' ? { never: true } : { result: { summary: longText, outputs: { 'a.md': longText } } }) },
  ).pass(20_000);

  test('fits into one answer, with what goes on in it', () => {
    const view = driver.engine.statusView(driver.nowMs);
    expect(jsonBytes(view)).toBeLessThan(maxAnswerBytes);
    expect(view.totals).toMatchObject({ steps: 10_001, gates: 10_000 });
    expect(view.steps.length).toBeGreaterThanOrEqual(1_000);
    expect(view.steps.find(({ id }) => id === 'step_7000')).toMatchObject({ state: 'running' });
    expect(view.gates.every(({ state }) => state === 'open')).toBe(true);
    expect(view.waitsFor.at(-1)).toMatch(/^\+\d+ more$/);
  });

  test.each([
    ['gates', () => driver.engine.gateViews(driver.nowMs)],
    ['timeline', () => driver.engine.timelineView()],
    ['explain', () => driver.engine.explain('last')],
  ])('and so do its %s', (_, view) => {
    expect(jsonBytes(view())).toBeLessThan(maxAnswerBytes);
  });
});
