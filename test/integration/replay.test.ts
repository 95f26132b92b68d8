import { readFileSync } from 'node:fs';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import type { ReplayWorkerOptions } from '@temporalio/worker';
import pino from 'pino';
import { payloadConverterPath } from '../../workers/bundle';
import { installRuntime } from '../../workers/logger';
import { readHistories } from '../support/history-files';
import { historyScenarios } from '../support/history-scenarios';
import { testWorkflowBundle } from '../support/vapora';

jest.setTimeout(60_000);

/** The options of `startWorker` that a replay can have. */
const options = { dataConverter: { payloadConverterPath } };
const recorded = readHistories();

beforeAll(() => installRuntime(pino({ level: 'silent' })));

async function replay(workflowBundle: ReplayWorkerOptions['workflowBundle'], names = /./): Promise<Map<string, Error | undefined>> {
  const histories = recorded.filter(({ name }) => names.test(name)).map(({ name, history }) => ({ workflowId: name, history }));
  const failures = new Map<string, Error | undefined>();
  for await (const { workflowId, error } of Worker.runReplayHistories({ ...options, workflowBundle }, histories))
    failures.set(workflowId, error);
  return failures;
}

test('every scenario is recorded', () => {
  const names = new Set(recorded.map(({ name }) => name.split('/')[1]));
  expect([...names].sort()).toEqual(historyScenarios.map(({ name }) => name).sort());
});

test("today's workflow code replays every recorded history: node scripts/record-histories.cjs makes new ones", async () => {
  const failures = await replay({ codePath: testWorkflowBundle() });
  expect([...failures].filter(([, error]) => error !== undefined)).toEqual([]);
  expect(failures.size).toBe(recorded.length);
});

/** Changes that a running workflow would not survive, made in the bundle's text: what they replace, and where it shows. */
test.each<[what: string, from: RegExp, to: string, shows: RegExp]>([
  ['another id of an activity', /`\$\{key\.path\}#/, '`${key.path}~#', /feature$/],
  ['another local activity', /'vapora\.wave'|"vapora\.wave"/, "'vapora.waves'", /approvals$/],
  ['another activity type', /scheduleActivity\)\(step\.role,/, 'scheduleActivity)(`${step.role}s`,', /reject-and-compensate$/],
  [
    'a timer more',
    /function driveRun\(parts\) \{/,
    'function driveRun(parts) { parts.timers.start("more", Date.now() + 1000, "more");',
    /monitor$/,
  ],
  ["turns that Temporal's cancel reaches", /\(\) ?=> ?shielded\(turn\)/, 'turn', /cancel-through-temporal$/],
  ['search attributes no longer written', /if \(updates\.length > 0\)/, 'if (updates.length > 9)', /cancel$/],
  ['decisions carried out in another order', /engine\.decide\(nowMs\)/, 'engine.decide(nowMs).reverse()', /feature$/],
])('%s is noticed', async (_what, from, to, shows) => {
  const code = readFileSync(testWorkflowBundle(), 'utf8');
  const broken = code.replace(from, to);
  expect(broken === code).toBe(false);
  const failures = await replay({ code: broken }, shows);
  expect([...failures.values()]).toEqual([...failures.keys()].map(() => expect.any(DeterminismViolationError)));
  expect(failures.size).toBeGreaterThan(0);
});
