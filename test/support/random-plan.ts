import fc from 'fast-check';
import type { Plan } from '../../core/plan/types';
import { agentNamed, EngineDriver, startMs, type DriverOptions, type Ending, type Launch } from './engine-driver';
import { buildPlan, type StepDraft } from './plan-builder';

/** Later all agents are free: who asks every 15 seconds might find them busy every time. */
const busyMs = 30_000;

interface StepCase {
  /** Places of earlier steps it depends on, by how far back. */
  back: number[];
  durationMs: number;
  fails: boolean;
  count: number;
  optional: boolean;
  isAsync: boolean;
  approval: boolean;
  canBlock: boolean;
  merges: boolean;
  verdict: 'approved' | 'rejected' | 'changes_requested' | undefined;
  priority: 'critical' | 'normal' | 'low';
  role: string;
  phase: number;
}
export interface PlanCase {
  steps: StepCase[];
  slots: number;
  phases: { barrier: boolean; serial: boolean; limit: number | undefined }[];
  onFailure: 'rollback' | 'fail' | 'continue' | 'block';
  busyEvery: number;
}

const stepCase: fc.Arbitrary<StepCase> = fc.record({
  back: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  durationMs: fc.integer({ min: 1, max: 4 }).map((n) => n * 1_000),
  fails: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
  count: fc.constantFrom(1, 1, 1, 2, 3),
  optional: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  isAsync: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  approval: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  canBlock: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  merges: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  verdict: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    'approved' as const,
    'rejected' as const,
    'changes_requested' as const,
  ),
  priority: fc.constantFrom('critical' as const, 'normal' as const, 'normal' as const, 'low' as const),
  role: fc.constantFrom('developer', 'tester'),
  phase: fc.integer({ min: 0, max: 2 }),
});

export const planCase: fc.Arbitrary<PlanCase> = fc.record({
  steps: fc.array(stepCase, { minLength: 1, maxLength: 14 }),
  slots: fc.integer({ min: 1, max: 5 }),
  phases: fc.tuple(
    ...([0, 1, 2] as const).map(() =>
      fc.record({
        barrier: fc.boolean(),
        serial: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
        limit: fc.constantFrom(undefined, undefined, 1, 2),
      }),
    ),
  ),
  onFailure: fc.constantFrom('rollback', 'fail', 'continue', 'block'),
  busyEvery: fc.constantFrom(0, 0, 2, 3),
});

/** The plan of a case. */
export function planOf({ steps, slots, phases, onFailure }: PlanCase): Plan {
  const drafts: Record<string, StepDraft> = {};
  // A barrier is respected by the plan: a step depends on nothing of a later phase.
  const phaseOf = steps.map(({ phase }) => phase).sort((a, b) => a - b);
  steps.forEach((step, index) => {
    drafts[`s${index}`] = {
      after: [...new Set(step.back.map((back) => index - back).filter((before) => before >= 0))].map((before) => `s${before}`),
      phase: `p${phaseOf[index]!}`,
      role: step.role,
      priority: step.priority,
      count: step.count,
      optional: step.optional,
      async: step.isAsync,
      canBlockMerge: step.canBlock,
      merges: step.merges,
      estimateMs: step.durationMs,
      compensate: { action: 'undo' },
      ...(step.approval ? { approval: true as const } : {}),
    };
  });
  return buildPlan({
    phases: phases.map(({ barrier, serial, limit }, index) => ({
      id: `p${index}`,
      barrier,
      serial,
      ...(limit === undefined ? {} : { maxConcurrentSteps: limit }),
    })),
    steps: drafts,
    maxConcurrentSteps: slots,
    onFailure,
  });
}

/** Runs it to its end: busy agents by the clock, people who answer every gate (some no). */
export function drive(plan: Plan, { steps, busyEvery }: PlanCase, options: DriverOptions = {}): EngineDriver {
  const caseOf = (id: string): StepCase => steps[Number(id.slice(1))]!;
  const behave = ({ step, effect }: Launch): Ending => {
    const { durationMs, fails, verdict } = caseOf(step);
    if (effect.mode === 'undo') return { durationMs: 500 };
    if (fails) return { durationMs, failure: { kind: 'failed' } };
    return { durationMs, result: verdict === undefined || effect.generation > 2 ? {} : { verdict } };
  };
  // Whether agents are busy depends on the moment and on who asks, not on the order of the questions.
  const driver = new EngineDriver(plan, {
    behave,
    assign: ({ role, step }, atMs) =>
      busyEvery > 0 && atMs < startMs + busyMs && (Math.floor(atMs / 1_000) + step.length) % busyEvery === 0
        ? { kind: 'busy', reason: 'busy' }
        : { kind: 'assigned', agent: agentNamed(`${role}-1`) },
    ...options,
  });
  driver.run();
  for (let rounds = 0; driver.finished === undefined; rounds += 1) {
    if (rounds > 200) throw new Error(`Stuck: ${JSON.stringify(driver.statesOf())} ${driver.engine.waitsFor().join()}`);
    const [gate] = driver.engine.waitsFor();
    if (gate === undefined) throw new Error(`Waits for nothing: ${driver.state.status} ${JSON.stringify(driver.statesOf())}`);
    driver.vote(gate, gate.length % 2 === 0 ? 'approve' : 'reject', 'ana', 'because');
  }
  return driver;
}

/** All that happened, line by line. */
function traceOf(driver: EngineDriver): string[] {
  return [
    ...driver.audit().map((entry) => JSON.stringify(entry)),
    ...driver.launches.map(({ id, atMs }) => `${atMs} ${id}`),
    JSON.stringify(driver.finished),
    JSON.stringify(driver.statesOf()),
  ];
}

/** Where two runs part: comparing the whole traces by `toEqual` takes minutes when they differ. */
export function findDifference(left: EngineDriver, right: EngineDriver): string {
  const [a, b] = [traceOf(left), traceOf(right)];
  const place = a.findIndex((line, index) => line !== b[index]);
  return place === -1 && a.length === b.length ? '' : `${a[place] ?? 'the end'} <> ${b[place] ?? 'the end'}`;
}
