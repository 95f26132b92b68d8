import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAgentActivity } from '../../activities/agent-activity';
import type { Executor } from '../../activities/executors/types';
import { simulate } from '../../activities/executors/simulate';
import type { ExecutorSpec } from '../../core/contract/agents';
import { dataFolders } from '../../core/contract/data-folders';
import type { AgentActivityOutput, EffectRef } from '../../core/contract/local-activities';
import { connectDatabase } from '../../db/connect';
import type { Database } from '../../db/connect';
import { insertAgentSet, upsertAgents } from '../../db/queries/agents';
import { loadArtifact } from '../../db/queries/artifacts';
import { insertPlan } from '../../db/queries/definitions';
import { insertRun } from '../../db/queries/runs';
import { assignWave } from '../../db/queries/waves';
import { agentArguments } from '../support/agent-call';
import type { AgentCallOptions } from '../support/agent-call';
import { createTestDatabase } from '../support/environment';
import type { TestDatabase } from '../support/environment';

let testDatabase: TestDatabase;
let db: Database;
let dataDir: string;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  db = await connectDatabase(testDatabase.databaseUrl);
  dataDir = mkdtempSync(join(tmpdir(), 'vapora-activity-'));
});
afterAll(async () => {
  await db.destroy();
  await testDatabase.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

let runs = 0;
const log = new DefaultLogger('ERROR');
const mockEnvironment = (info: { attempt?: number } = {}): MockActivityEnvironment => new MockActivityEnvironment(info, { logger: log });

interface Effect {
  /** One attempt, as Temporal would call it. */
  attempt(n: number, options?: { execute?: Executor; environment?: MockActivityEnvironment }): Promise<AgentActivityOutput>;
  execution(): Promise<{ id: number; state: string; outcome: string | null }>;
  attempts(): Promise<Record<string, unknown>[]>;
  journal: string;
}

/** An effect with its run, agent and intent recorded, as a wave leaves them. */
async function recordedEffect(options: Partial<AgentCallOptions> & { executor?: ExecutorSpec } = {}): Promise<Effect> {
  runs += 1;
  const rootRunId = `root-${runs}`;
  const journal = join(dataDir, `journal-${runs}`);
  const executor = options.executor ?? { kind: 'simulate', journal };
  const given = agentArguments({ ...options, executor, rootRunId, agent: { id: `agent-${runs}` } });
  const { agent: _, ...control } = { ...given.control, recording: 'full' as const };
  await upsertAgents(db, [given.agent]);
  control.agentSet = await insertAgentSet(db, [given.agent]);
  await insertPlan(db, { planHash: control.planHash, planText: '{}' });
  await insertRun(db, {
    run: control.run,
    definition: 'feature',
    version: null,
    planHash: control.planHash,
    agentSet: control.agentSet,
    initiator: 'test',
    inputs: {},
    timeScale: 1,
    seed: 'seed',
    startedAtMs: Date.now(),
  });
  const changes = { steps: [], gates: [], votes: [], alerts: [], audit: [], ends: [] };
  const { step } = given.document;
  const effect: EffectRef = control.effect;
  const request = {
    ...effect,
    step: step.id,
    role: step.role,
    skills: [],
    taskType: step.taskType,
    quality: step.quality,
    exclude: [],
    policy: 'exploit' as const,
  };
  const { replies } = await assignWave(db, {
    run: control.run,
    agentSet: control.agentSet,
    atMs: Date.now(),
    changes,
    requests: [request],
  });
  expect(replies).toMatchObject([{ kind: 'assigned', agent: { id: given.agent.id } }]);
  const executionOf = () => db.selectFrom('executions').selectAll().where('root_run_id', '=', rootRunId).executeTakeFirstOrThrow();
  return {
    journal,
    attempt: (n, { execute = simulate, environment = mockEnvironment({ attempt: n }) } = {}) => {
      const activity = createAgentActivity({
        db,
        log,
        workerIdentity: `worker-${n}`,
        dataDir,
        executors: { simulate: execute, command: execute },
      });
      return environment.run(activity, given.document, control);
    },
    execution: executionOf,
    attempts: async () =>
      db
        .selectFrom('execution_attempts')
        .selectAll()
        .where('execution_id', '=', (await executionOf()).id)
        .orderBy('attempt')
        .execute(),
  };
}

/** An attempt whose worker died: begun, and never heard of again. */
async function loseAttempt(effect: Effect, n: number): Promise<void> {
  const lost = mockEnvironment({ attempt: n });
  let begun: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (begun = resolve));
  const execute: Executor = ({ signal }) => {
    begun();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  const running = effect.attempt(n, { execute, environment: lost });
  running.catch(() => undefined);
  await started;
  lost.cancel('WORKER_SHUTDOWN');
  await running.catch(() => undefined);
}

test('a success is recorded once, and a later attempt gets it without running again', async () => {
  const effect = await recordedEffect();
  const first = await effect.attempt(1);
  const second = await effect.attempt(2);
  expect(second.result).toEqual(first.result);
  expect(readFileSync(effect.journal, 'utf8').trim().split('\n')).toHaveLength(1);
  expect(await effect.execution()).toMatchObject({ outcome: 'success', state: 'ended', attempts: 1 });
  expect(await effect.attempts()).toMatchObject([{ attempt: 1, state: 'succeeded', worker: 'worker-1' }]);
  expect(await db.selectFrom('agent_leases').selectAll().execute()).toEqual([]);
});

test('a failed attempt reopens the same effect', async () => {
  const effect = await recordedEffect();
  await expect(effect.attempt(1, { execute: async () => ({ status: 'failure', summary: 'no luck' }) })).rejects.toMatchObject({
    type: 'AgentFailure',
  });
  expect(await effect.execution()).toMatchObject({ outcome: null, state: 'retrying' });
  expect(await effect.attempt(2)).toMatchObject({ attempt: 2, result: { status: 'success' } });
  expect(await effect.attempts()).toMatchObject([
    { attempt: 1, state: 'failed', error: 'no luck' },
    { attempt: 2, state: 'succeeded' },
  ]);
});

const notIdempotent: ExecutorSpec = { kind: 'command', argv: ['true'] };
const succeed: Executor = async () => ({ status: 'success' });

test.each<[string, ExecutorSpec, 'ask' | 'retry', boolean]>([
  ['ask: a person decides', notIdempotent, 'ask', true],
  ['retry: it goes on', notIdempotent, 'retry', false],
  ['ask, but idempotent: it goes on', { ...notIdempotent, idempotent: true }, 'ask', false],
])('an attempt that was lost; %s', async (_, executor, onUnknown, asks) => {
  const effect = await recordedEffect({ executor, control: { onUnknown } });
  await loseAttempt(effect, 1);
  const second = effect.attempt(2, { execute: succeed });
  if (!asks) await expect(second).resolves.toMatchObject({ attempt: 2 });
  else {
    await expect(second).rejects.toMatchObject({
      type: 'UnknownOutcome',
      nonRetryable: true,
      message: expect.stringContaining('attempt 1 of build was started'),
    });
    // The person said "again".
    await expect(effect.attempt(3, { execute: succeed })).resolves.toMatchObject({ attempt: 3 });
  }
  const [lost] = await effect.attempts();
  // An idempotent agent that was stopped is a known failure: a repetition has no second effect.
  expect(lost).toMatchObject({ state: executor.idempotent ? 'failed' : 'unknown' });
  expect(await effect.execution()).toMatchObject({ outcome: 'success' });
});

test('a worker that shuts down leaves a stopped agent as unknown, and the activity as cancelled', async () => {
  const effect = await recordedEffect({ executor: notIdempotent });
  const environment = mockEnvironment({ attempt: 1 });
  const execute: Executor = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      environment.cancel('WORKER_SHUTDOWN');
    });
  await expect(effect.attempt(1, { execute, environment })).rejects.toBeInstanceOf(CancelledFailure);
  expect(await effect.attempts()).toMatchObject([{ state: 'started' }]);
});

test('a late writer of an older attempt is refused', async () => {
  const effect = await recordedEffect({ executor: notIdempotent });
  let finishFirst: (result: unknown) => void = () => undefined;
  const started = new Promise<void>((resolveStarted) => {
    const execute: Executor = () => {
      resolveStarted();
      return new Promise((resolve) => (finishFirst = resolve));
    };
    const first = effect.attempt(1, { execute });
    first.catch(() => undefined);
    late = first;
  });
  await started;
  await effect.attempt(2, { execute: async () => ({ status: 'success', summary: 'the second one' }) });
  finishFirst({ status: 'success', summary: 'the first one, late' });
  await expect(late).rejects.toMatchObject({ type: 'Superseded', nonRetryable: true });
  expect(await effect.execution()).toMatchObject({ outcome: 'success', result: { summary: 'the second one' } });
});
let late: Promise<AgentActivityOutput>;

test('large outputs are in the database when the outcome is', async () => {
  const effect = await recordedEffect();
  const text = 'x\u0000'.repeat(4_000);
  const { result } = await effect.attempt(1, { execute: async () => ({ status: 'success', outputs: { report: text } }) });
  const { artifact } = result.outputs?.['report'] as { artifact: string };
  expect((await loadArtifact(db, artifact))?.bytes.toString('utf8')).toBe(text);
  expect(await effect.execution()).toMatchObject({ result: { outputs: { report: { artifact } } } });
});

test("a monitor's sample is stored as a sample, not as an execution", async () => {
  const effect = await recordedEffect();
  const { id: executionId } = await effect.execution();
  const { document, control, agent } = agentArguments({
    executor: { kind: 'simulate' },
    rootRunId: `root-${runs}`,
    agent: { id: `agent-${runs}` },
    effect: { path: 'build/sample-4' },
    document: { sample: { index: 4, of: 9 } },
    control: { recording: 'full', sample: true },
  });
  document.step.id = 'build';
  const activity = createAgentActivity({
    db,
    log,
    workerIdentity: 'worker',
    dataDir,
    executors: { simulate: async () => ({ status: 'success', metrics: { error_rate: { value: 0.2, unit: '%' } } }) },
  });
  await db
    .updateTable('agent_leases')
    .set({ expires_at: new Date(0) })
    .where('execution_id', '=', executionId)
    .execute();
  await mockEnvironment().run(activity, document, { ...control, agent });
  const samples = await db.selectFrom('monitor_samples').selectAll().where('root_run_id', '=', `root-${runs}`).execute();
  expect(samples).toMatchObject([{ step: 'build', generation: 1, idx: 4, metrics: { error_rate: { value: 0.2, unit: '%' } } }]);
  expect(await effect.execution()).toMatchObject({ state: 'running', outcome: null, path: 'build' });
  const lease = await db.selectFrom('agent_leases').selectAll().where('execution_id', '=', executionId).executeTakeFirstOrThrow();
  expect(lease.expires_at.getTime()).toBeGreaterThan(Date.now());
});

describe('the workspace', () => {
  let workspace = '';
  const leavingAFile =
    (end: Executor): Executor =>
    async (call) => {
      workspace = await call.workspace();
      writeFileSync(join(workspace, 'notes.txt'), 'x');
      await call.log.write('stderr', Buffer.from('at work\n'));
      return end(call);
    };
  const fail: Executor = async () => ({ status: 'failure' });

  test('of a recorded success is removed, and with the last one the folder of its run; what was printed stays', async () => {
    const effect = await recordedEffect({ executor: notIdempotent });
    await effect.attempt(1, { execute: leavingAFile(succeed) });
    expect(existsSync(workspace)).toBe(false);
    expect(existsSync(dirname(workspace))).toBe(false);
    expect(readdirSync(join(dataDir, dataFolders.agentLogs, `root-${runs}`))).toHaveLength(1);
  });

  test('of a failed attempt is kept for the next one and for people', async () => {
    const effect = await recordedEffect({ executor: notIdempotent });
    await expect(effect.attempt(1, { execute: leavingAFile(fail) })).rejects.toMatchObject({ type: 'AgentFailure' });
    expect(existsSync(workspace)).toBe(true);
    await effect.attempt(2, { execute: leavingAFile(succeed) });
    expect(existsSync(workspace)).toBe(true);
  });

  test('is kept while a lost attempt may still be at work in it', async () => {
    const effect = await recordedEffect({ executor: notIdempotent });
    await loseAttempt(effect, 1);
    await effect.attempt(2, { execute: leavingAFile(succeed) });
    expect(existsSync(workspace)).toBe(true);
  });
});
