/** A run in a database of its own: what the tests of db/ stand on. */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { AgentSpec } from '../../core/contract/agents';
import type { AssignmentRequest, EffectRef, RunChanges, RunRef, WaveInput } from '../../core/contract/local-activities';
import { connectDatabase, type Database } from '../../db/connect';
import { sha256Hex } from '../../db/hash';
import { insertAgentSet, upsertAgents } from '../../db/queries/agents';
import { insertPlan } from '../../db/queries/definitions';
import { insertRun } from '../../db/queries/runs';
import { createTestDatabase, type TestDatabase } from '../support/environment';

export interface DatabaseFixture {
  test: TestDatabase;
  db: Database;
  close(): Promise<void>;
}

export async function openDatabase(max = 10): Promise<DatabaseFixture> {
  const test = await createTestDatabase();
  const db = await connectDatabase(test.databaseUrl, { max });
  return {
    test,
    db,
    async close() {
      await db.destroy();
      await test.drop();
    },
  };
}

/** Runs one statement as the owner of the tables, who may do what the application may not. */
export async function asOwner(fixture: DatabaseFixture, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: fixture.test.adminUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

export const startedAtMs = Date.UTC(2026, 0, 5, 9);

export function agent(id: string, overrides: Partial<AgentSpec> = {}): AgentSpec {
  return { id, role: 'developer', skills: [], capacity: 1, cost: {}, executor: { kind: 'simulate' }, ...overrides };
}

export interface TestRun {
  run: RunRef;
  agentSet: string;
}

export async function makeRun(db: Database, agents: AgentSpec[], plan: object = { steps: [], phases: [] }): Promise<TestRun> {
  const rootRunId = randomUUID();
  const run: RunRef = { rootRunId, runId: rootRunId, workflowId: `w-${rootRunId}` };
  await upsertAgents(db, agents);
  const agentSet = await insertAgentSet(db, agents);
  const planText = JSON.stringify(plan);
  const planHash = sha256Hex(planText);
  await insertPlan(db, { planHash, planText });
  await insertRun(db, {
    run,
    definition: 'feature',
    version: null,
    planHash,
    agentSet,
    initiator: 'ana',
    inputs: {},
    timeScale: 1,
    seed: 's',
    startedAtMs,
  });
  return { run, agentSet };
}

export function changes(overrides: Partial<RunChanges> = {}): RunChanges {
  return { steps: [], gates: [], votes: [], alerts: [], audit: [], ends: [], ...overrides };
}

export function effect(path: string, overrides: Partial<EffectRef> = {}): EffectRef {
  return { path, generation: 1, slot: 1, assignment: 1, mode: 'do', ...overrides };
}

export function request(step: string, overrides: Partial<AssignmentRequest> = {}): AssignmentRequest {
  return {
    ...effect(step),
    step,
    role: 'developer',
    skills: [],
    taskType: 'CodeGeneration',
    quality: 'High',
    exclude: [],
    policy: 'exploit',
    ...overrides,
  };
}

export function wave(of: TestRun, requests: AssignmentRequest[], overrides: Partial<WaveInput> = {}): WaveInput {
  return { run: of.run, agentSet: of.agentSet, atMs: startedAtMs, changes: changes(), requests, ...overrides };
}
