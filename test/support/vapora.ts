/** A worker of ours on the run's real servers, with a database and a task queue of its own, and a client of both. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import pino from 'pino';
import { connectVapora } from '../../client/connect';
import type { VaporaClient } from '../../client/connect';
import { waitForResult } from '../../client/run-outcome';
import { startRun } from '../../client/start-run';
import type { HistoryLimits } from '../../core/contract/history-limits';
import type { StartInput } from '../../core/contract/start-input';
import type { RunStatus } from '../../core/contract/states';
import type { GateView, RunStatusView } from '../../core/contract/views';
import type { Database } from '../../db/connect';
import { startWorker } from '../../workers/start-worker';
import type { RunningWorker } from '../../workers/start-worker';
import { createTestDatabase, createTestTaskQueue, testTemporalAddress } from './environment';
import { Hopeless, waitFor } from './wait-for';

export interface TestVapora {
  client: VaporaClient;
  database: Database;
  databaseUrl: string;
  adminUrl: string;
  taskQueue: string;
  dataDir: string;
  startWorker(options?: { historyLimits?: HistoryLimits }): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export interface TestVaporaOptions {
  /** False leaves starting one to the test. */
  withWorker?: boolean;
  /** Of another server than the run's. */
  temporalAddress?: string;
  /** From where on runs continue as new. */
  historyLimits?: HistoryLimits;
  /** Runs take signed requests only. */
  strict?: boolean;
}

/** Call `stop` in afterAll. */
export async function startTestVapora(options: TestVaporaOptions = {}): Promise<TestVapora> {
  const { withWorker = true, temporalAddress = testTemporalAddress(), historyLimits, strict = false } = options;
  const testDatabase = await createTestDatabase();
  const taskQueue = createTestTaskQueue();
  const dataDir = mkdtempSync(join(tmpdir(), 'vapora-data-'));
  const client = connectVapora({ temporalAddress, databaseUrl: testDatabase.databaseUrl, taskQueue, variables: {} });
  const workers: RunningWorker[] = [];
  const vapora: TestVapora = {
    client,
    database: await client.database(),
    databaseUrl: testDatabase.databaseUrl,
    adminUrl: testDatabase.adminUrl,
    taskQueue,
    dataDir,
    async startWorker({ historyLimits: ofWorker = historyLimits } = {}) {
      const worker = await startWorker({
        temporalAddress,
        databaseUrl: testDatabase.databaseUrl,
        taskQueue,
        dataDir,
        historyLimits: ofWorker,
        strict,
        log: pino({ level: process.env['VAPORA_TEST_LOG'] ?? 'silent' }),
        workflowBundle: { codePath: testWorkflowBundle() },
      });
      workers.push(worker);
      return worker;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.shutdown()));
      await client.close();
      await testDatabase.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  if (withWorker) await vapora.startWorker();
  return vapora;
}

/** Made once by globalSetup for all workers of the test run. */
export function testWorkflowBundle(): string {
  const path = process.env['VAPORA_TEST_WORKFLOW_BUNDLE'];
  if (path === undefined) throw new Error('VAPORA_TEST_WORKFLOW_BUNDLE is not set: this test needs test/support/global-setup.ts');
  return path;
}

let runs = 0;

export interface StartedTestRun {
  id: string;
  handle: WorkflowHandle;
  status(): Promise<RunStatusView>;
  gate(id: string): Promise<GateView | undefined>;
  /** Waits until the run has this status; fails at once, with the reason, when it has ended otherwise. */
  reaches(status: RunStatus): Promise<RunStatusView>;
  /** Waits until this gate is open; fails at once, with the reason, when the run has ended. */
  waitsAt(gate: string): Promise<GateView>;
}

/** Starts a run of a workflow file's text; the id is fresh. */
export async function startTestRun(
  vapora: TestVapora,
  source: string,
  input: StartInput = {},
  id = freshIdOf(source),
): Promise<StartedTestRun> {
  const definition = definitionOf(source);
  await startRun(vapora.client, { definition, id, input: { source, initiator: 'tester', ...input } });
  const handle = (await vapora.client.temporal()).workflow.getHandle(id);
  const status = async (): Promise<RunStatusView> => {
    const view = await handle.query<RunStatusView | null>('status');
    if (view === null) throw new Error(`${id} is still being planned`);
    return view;
  };
  const gate = async (gateId: string) => (await status()).gates.find((candidate) => candidate.id === gateId);
  /** Whether it has come; a run that has ended without it never gets there. */
  const look = async <T>(what: string, find: () => Promise<T | undefined>): Promise<T | undefined> => {
    // Asked before: what comes between the two looks is seen by the second.
    const { status: execution } = await handle.describe();
    if (execution.name === 'RUNNING') return find();
    const found = await find().catch(() => undefined);
    if (found !== undefined) return found;
    const { status: end, reason } = await waitForResult(vapora.client, id);
    throw new Hopeless(`${id} has ended ${end} instead of ${what}: ${reason ?? 'no reason'}`);
  };
  return {
    id,
    handle,
    status,
    gate,
    reaches: (wanted) =>
      waitFor(`${id} to be ${wanted}`, () =>
        look(`being ${wanted}`, async () => {
          const view = await status();
          return view.status === wanted ? view : undefined;
        }),
      ),
    waitsAt: (gateId) =>
      waitFor(`${id} to wait at ${gateId}`, () =>
        look(`waiting at ${gateId}`, async () => {
          const found = await gate(gateId);
          return found?.state === 'open' ? found : undefined;
        }),
      ),
  };
}

function definitionOf(source: string): string {
  const definition = /^\s*(?:Workflow|id): *([A-Za-z0-9_.-]+)/m.exec(source)?.[1];
  if (definition === undefined) throw new Error('the source names no workflow');
  return definition;
}

function freshIdOf(source: string): string {
  return `${definitionOf(source)}-${++runs}-${Date.now()}`;
}

/** An agents file in which simulated agents that end at once serve every role. */
export const instantAgents = {
  source:
    'agents:\n  - {id: sim-1, role: "*", capacity: 100, executor: {kind: simulate, duration: 1ms}}\n  - {id: sim-2, role: "*", capacity: 100, executor: {kind: simulate, duration: 1ms}}\n',
};

export function readExample(name: string, file: string): string {
  return readFileSync(join(__dirname, '..', '..', 'examples', name, file), 'utf8');
}
