import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepRunFolders } from '../../activities/sweep-run-folders';
import { dataFolders, keptRunDays } from '../../core/contract/data-folders';
import { connectDatabase } from '../../db/connect';
import type { Database } from '../../db/connect';
import { insertAgentSet } from '../../db/queries/agents';
import { insertPlan } from '../../db/queries/definitions';
import { insertRun } from '../../db/queries/runs';
import { createTestDatabase } from '../support/environment';
import type { TestDatabase } from '../support/environment';

/** Nothing of a run that may still need it is ever removed; what was left long ago is. */
let testDatabase: TestDatabase;
let db: Database;
let dataDir: string;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  db = await connectDatabase(testDatabase.databaseUrl);
});
afterAll(async () => {
  await db.destroy();
  await testDatabase.drop();
});
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'vapora-folders-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const dayMs = 24 * 60 * 60 * 1_000;
const longAgo = new Date(Date.now() - (keptRunDays + 1) * dayMs);
const yesterday = new Date(Date.now() - dayMs);

async function aRun(rootRunId: string, { endedAt, executionState }: { endedAt: Date | null; executionState?: 'running' | 'intended' }) {
  const planHash = 'a'.repeat(64);
  const agentSet = await insertAgentSet(db, []);
  await insertPlan(db, { planHash, planText: '{}' });
  await insertRun(db, {
    run: { rootRunId, runId: rootRunId, workflowId: rootRunId },
    definition: 'feature',
    version: null,
    planHash,
    agentSet,
    initiator: 'test',
    inputs: {},
    timeScale: 1,
    seed: 'seed',
    startedAtMs: longAgo.getTime(),
  });
  await db.updateTable('runs').set({ ended_at: endedAt }).where('root_run_id', '=', rootRunId).execute();
  if (executionState === undefined) return;
  const effect = { path: 'a', step: 'a', generation: 1, slot: 1, assignment: 1, mode: 'do' as const };
  await db
    .insertInto('executions')
    .values({ ...effect, root_run_id: rootRunId, agent_id: 'x', role: 'x', task_type: 'x', state: executionState, assigned_at: longAgo })
    .execute();
}

/** A workspace and a log of the run, last touched then. */
function leave(rootRunId: string, touchedAt: Date): void {
  for (const parent of Object.values(dataFolders)) {
    const folder = join(dataDir, parent, rootRunId);
    mkdirSync(join(folder, 'a_1-00000000'), { recursive: true });
    writeFileSync(join(folder, 'a_1-00000000', 'file'), 'x');
    for (const path of [join(folder, 'a_1-00000000'), folder]) utimesSync(path, touchedAt, touchedAt);
  }
}

test.each<[string, { endedAt: Date | null; executionState?: 'running' | 'intended' } | undefined, Date, 'kept' | 'removed']>([
  ['ended long ago', { endedAt: longAgo, executionState: 'intended' }, longAgo, 'removed'],
  ['going on, and silent for long', { endedAt: null, executionState: 'intended' }, longAgo, 'kept'],
  ['ended yesterday', { endedAt: yesterday }, longAgo, 'kept'],
  ['ended long ago with an attempt of which no end is known', { endedAt: longAgo, executionState: 'running' }, longAgo, 'kept'],
  ['ended long ago, and touched since', { endedAt: longAgo }, yesterday, 'kept'],
  ['unknown to the database', undefined, longAgo, 'removed'],
  ['unknown to the database, and touched since', undefined, yesterday, 'kept'],
])('what a run has left that is %s', async (_, run, touchedAt, expected) => {
  const name = randomUUID();
  if (run !== undefined) await aRun(name, run);
  leave(name, touchedAt);
  const removed = await sweepRunFolders({ db, dataDir });
  expect(removed).toHaveLength(expected === 'removed' ? 2 : 0);
  for (const parent of Object.values(dataFolders)) expect(existsSync(join(dataDir, parent, name))).toBe(expected === 'kept');
});

test('without a database the time of the last change decides; a folder that is not there is nothing to do', async () => {
  expect(await sweepRunFolders({ db: null, dataDir })).toEqual([]);
  leave('old', longAgo);
  leave('new', yesterday);
  expect((await sweepRunFolders({ db: null, dataDir })).sort()).toEqual(
    Object.values(dataFolders)
      .map((parent) => join(dataDir, parent, 'old'))
      .sort(),
  );
});
