import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AgentDocument } from '../../core/contract/agent-document';
import type { SimulateExecutorSpec } from '../../core/contract/agents';
import { agentArguments, executorCall } from '../../test/support/agent-call';
import type { AgentCallOptions } from '../../test/support/agent-call';
import { matchOutputs } from '../../core/contract/output-names';
import { checkResult } from '../result-contract';
import { planSimulation, simulate } from './simulate';

type Options = Omit<AgentCallOptions, 'executor'> & { executor?: Partial<SimulateExecutorSpec> };

const plan = ({ executor, ...options }: Options = {}) =>
  planSimulation(agentArguments({ ...options, executor: { kind: 'simulate', ...executor } }));
const stepOf = (taskType: string): AgentDocument['step'] => ({ id: 'build', role: 'tester', taskType, phase: 'main', quality: 'Medium' });

const taskTypes = [
  'ArchitectureDesign',
  'CodeGeneration',
  'CodeReview',
  'Testing',
  'SecurityAudit',
  'Documentation',
  'Deployment',
  'Monitoring',
  'Marketing',
  'Planning',
  'GeneralQuery',
  'constructor',
];

const anyOptions: fc.Arbitrary<Options> = fc.record({
  executor: fc.record({
    success: fc.double({ min: 0, max: 1, noNaN: true }),
    duration: fc.oneof(
      fc.constant('estimate' as const),
      fc.tuple(fc.nat(1e9), fc.nat(1e9)).map(([minMs, more]) => ({ minMs, maxMs: minMs + more })),
    ),
    metrics: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.oneof(fc.integer(), fc.boolean(), fc.constant({ min: 0, max: 1, unit: '%' })),
    ),
  }),
  effect: fc.record({
    path: fc.string({ minLength: 1, maxLength: 20 }),
    generation: fc.integer({ min: 1, max: 5 }),
    slot: fc.integer({ min: 1, max: 5 }),
  }),
  control: fc.record({ seed: fc.string(), estimateMs: fc.nat(1e9) }),
  document: fc.record({
    step: fc.constantFrom(...taskTypes).map(stepOf),
    outputs: fc.uniqueArray(fc.constantFrom('a.md', 'b.json', 'c.svg', 'plain', '__proto__'), { maxLength: 4 }),
    tasks: fc.array(fc.string(), { maxLength: 3 }),
    mode: fc.constantFrom('do' as const, 'undo' as const),
  }),
});

test('the same seed, path, agent and generation give the same simulation, in every attempt', () => {
  fc.assert(
    fc.property(anyOptions, fc.integer({ min: 1, max: 9 }), (options, attempt) => {
      expect(plan({ ...options, attempt })).toEqual(plan(options));
    }),
    { numRuns: 200 },
  );
});

test('every result fits the contract and has every promised output', () => {
  fc.assert(
    fc.property(anyOptions, (options) => {
      const { result, durationMs } = plan(options);
      const checked = checkResult(result);
      expect(checked).toMatchObject({ ok: true, ignoredKeys: [] });
      const promised = options.document?.outputs ?? [];
      if (result.status === 'success' && options.document?.mode === 'do')
        expect(matchOutputs(promised, result.outputs ?? {}).missing).toEqual([]);
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

test('another seed, agent, generation or slot draws anew', () => {
  const executor = { duration: { minMs: 0, maxMs: 1e9 } };
  const variants: Options[] = [
    {},
    { control: { seed: 'other' } },
    { agent: { id: 'agent-2' } },
    { effect: { generation: 2 } },
    { effect: { slot: 2 } },
    { effect: { path: 'test' } },
  ];
  const durations = variants.map((variant) => plan({ ...variant, executor }).durationMs);
  expect(new Set(durations).size).toBe(variants.length);
});

test('succeeds as often as it should', () => {
  const runs = Array.from({ length: 2_000 }, (_, n) => plan({ executor: { success: 0.8 }, control: { seed: `${n}` } }).result.status);
  const rate = runs.filter((status) => status === 'success').length / runs.length;
  expect(rate).toBeGreaterThan(0.77);
  expect(rate).toBeLessThan(0.83);
});

test('the sub-steps of a step share its risk', () => {
  const actions = ['deploy', 'health_check', 'traffic_switch'];
  const statusOf = (action: string, n: number) =>
    plan({ executor: { success: 0.8 }, control: { seed: `${n}` }, effect: { path: `build/${action}` }, document: { action, actions } })
      .result.status;
  const all = Array.from({ length: 1_000 }, (_, n) => actions.every((action) => statusOf(action, n) === 'success'));
  expect(all.filter(Boolean).length / all.length).toBeCloseTo(0.8, 1);
});

test.each<[string, Options, number]>([
  ['nothing said', {}, 0],
  ['fixed', { executor: { duration: { minMs: 45_000, maxMs: 45_000 } } }, 45_000],
  ['the estimate', { executor: { duration: 'estimate' }, control: { estimateMs: 7_200_000 } }, 7_200_000],
  ['no estimate known', { executor: { duration: 'estimate' } }, 60_000],
  [
    'a sub-step',
    { executor: { duration: 'estimate' }, control: { estimateMs: 90_000 }, document: { action: 'a', actions: ['a', 'b', 'c'] } },
    30_000,
  ],
  ['an undo', { executor: { duration: 'estimate' }, control: { estimateMs: 80_000 }, document: { mode: 'undo' } }, 20_000],
  ['a sample', { executor: { duration: 'estimate' }, control: { estimateMs: 80_000, sample: true } }, 0],
])('duration: %s', (_, options, expected) => {
  expect(plan(options).durationMs).toBe(expected);
});

test.each<[string, object]>([
  ['CodeReview', { verdict: 'approved', metrics: { critical_vulns: 0, high_vulns: 0 } }],
  ['SecurityAudit', { verdict: 'approved', metrics: { critical_vulns: 0 } }],
  ['Testing', { metrics: { tests_passing: true, tests_failed: 0, coverage: { unit: '%' } } }],
  [
    'Monitoring',
    { metrics: { error_rate: { unit: '%' }, latency: { unit: 'ms' }, cpu: { unit: '%' }, memory: { unit: '%' }, critical_error: false } },
  ],
])('%s reports what such agents report', (taskType, expected) => {
  expect(plan({ document: { step: stepOf(taskType) } }).result).toMatchObject({ status: 'success', ...expected });
});

test('configured metrics stand over the usual ones; ranges are drawn', () => {
  const { metrics } = plan({
    executor: { metrics: { coverage: { value: 71, unit: '%' }, extra: { min: 5, max: 6 } } },
    document: { step: stepOf('Testing') },
  }).result;
  expect(metrics).toMatchObject({ coverage: { value: 71, unit: '%' }, tests_passing: true });
  expect([5, 6]).toContain(metrics?.['extra']);
});

const script = {
  build: [
    { status: 'failure' as const, summary: 'broke', durationMs: 5 },
    { verdict: 'changes_requested', summary: 'tidy up', metrics: { comments: 4 } },
    { failAttempts: 2, verdict: 'approved' },
  ],
  'build!undo': [{ status: 'failure' as const, summary: 'stuck' }],
};
test.each<[string, Options, object]>([
  ['the first generation', {}, { durationMs: 5, result: { status: 'failure', summary: 'broke' } }],
  [
    'the second',
    { effect: { generation: 2 } },
    { result: { status: 'success', verdict: 'changes_requested', reasons: ['tidy up'], metrics: { comments: 4 } } },
  ],
  ['attempts that fail first', { effect: { generation: 3 }, attempt: 2 }, { result: { status: 'failure' } }],
  ['then it is done', { effect: { generation: 3 }, attempt: 3 }, { result: { status: 'success', verdict: 'approved' } }],
  ['the last entry repeats', { effect: { generation: 9 }, attempt: 3 }, { result: { status: 'success' } }],
  ['undo has its own', { effect: { mode: 'undo' } }, { result: { status: 'failure', summary: 'stuck' } }],
  ['another step has none', { effect: { path: 'toString' } }, { result: { status: 'success' } }],
  ['the item of a step', { effect: { path: 'build[0]' } }, { result: { status: 'failure', summary: 'broke' } }],
])('a script decides: %s', (_, options, expected) => {
  expect(plan({ ...options, executor: { script } })).toMatchObject(expected);
});

test('an unknown verdict in the configuration is not runnable', () => {
  expect(() => plan({ executor: { verdict: 'fine' } })).toThrow(/cannot give the verdict "fine": write one of approved/);
});

describe('running', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'vapora-simulate-'))));
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  test('obeys the time scale, reports what it is at and writes its key down', async () => {
    const journal = join(dataDir, 'journal');
    const call = executorCall({
      executor: { kind: 'simulate', duration: { minMs: 3_600_000, maxMs: 3_600_000 }, journal },
      control: { timeScale: 72_000 },
      document: { tasks: ['first', 'second'] },
      attempt: 3,
      dataDir,
    });
    const startedAtMs = performance.now();
    expect(await simulate(call)).toMatchObject({ status: 'success' });
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(49);
    expect(call.progress[0]).toEqual({ progress: expect.any(Number), message: 'first' });
    expect(readFileSync(journal, 'utf8')).toBe('run-1/build#1 3\n');
  });

  test('a cancel ends it at once', async () => {
    const call = executorCall({ executor: { kind: 'simulate', duration: { minMs: 1e12, maxMs: 1e12 } }, dataDir });
    const running = simulate(call);
    call.abort();
    await expect(running).rejects.toThrow('cancelled by the test');
  });
});
