import fc from 'fast-check';
import type { PlanStep } from '../../core/plan/types';
import { computeExpertise, dayMs } from '../../core/learning/expertise';
import { rankCandidates } from '../../core/learning/scoring';
import {
  estimateDurations,
  getAgentExecutions,
  getExecutionsForTaskType,
  loadAllLearningProfiles,
  loadEstimates,
  loadLearningProfile,
} from '../../db/queries/history';
import { agent, asOwner, type DatabaseFixture, makeRun, openDatabase, startedAtMs, type TestRun } from './db-fixture';

jest.setTimeout(60_000);

let fixture: DatabaseFixture;
let of: TestRun;
beforeAll(async () => {
  fixture = await openDatabase();
  of = await makeRun(fixture.db, [agent('dev')]);
});
afterAll(() => fixture.close());

interface Row {
  agent: string;
  taskType: string;
  outcome: 'success' | 'failure' | 'cancelled' | 'unknown';
  ageMs: number;
  durationMs: number;
  costUsd: number | null;
  mode?: 'do' | 'undo';
  role?: string;
}

const nowMs = startedAtMs;
let paths = 0;

async function insertHistory(rows: Row[]): Promise<void> {
  const columns = rows.map((row) => ({
    path: `h${(paths += 1)}`,
    agent_id: row.agent,
    task_type: row.taskType,
    role: row.role ?? 'developer',
    mode: row.mode ?? 'do',
    outcome: row.outcome,
    finished_at: new Date(nowMs - row.ageMs).toISOString(),
    duration_ms: row.durationMs,
    cost_usd: row.costUsd,
  }));
  await asOwner(
    fixture,
    `insert into executions (root_run_id, path, generation, slot, assignment, mode, step, agent_id, role, task_type, state, outcome, assigned_at, finished_at, duration_ms, cost_usd)
     select $1, path, 1, 1, 1, mode, path, agent_id, role, task_type, 'ended', outcome, finished_at, finished_at, duration_ms, cost_usd
     from jsonb_to_recordset($2::jsonb) as x(path text, agent_id text, task_type text, role text, mode text, outcome text, finished_at timestamptz, duration_ms float8, cost_usd numeric)`,
    [of.run.rootRunId, JSON.stringify(columns)],
  );
}

test('SQL sums and the pure functions give the same expertise and the same ranking', async () => {
  const row = fc.record({
    taskType: fc.constantFrom('CodeGeneration', 'CodeReview'),
    outcome: fc.constantFrom('success' as const, 'failure' as const, 'cancelled' as const, 'unknown' as const),
    // Also in the future, at the border of a week, and near the border of what is read.
    ageMs: fc.oneof(fc.integer({ min: -dayMs, max: 89 * dayMs }), fc.constantFrom(0, 7 * dayMs, 7 * dayMs + 1, 7 * dayMs - 1)),
    durationMs: fc.integer({ min: 0, max: 10_000_000 }),
    costUsd: fc.option(fc.integer({ min: 0, max: 1_000_000 }).map((micro) => micro / 1_000)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(row, { maxLength: 130 }), { minLength: 2, maxLength: 4 }), async (histories) => {
      const names = histories.map((_, n) => `a${paths}-${n}`);
      await insertHistory(histories.flatMap((history, n) => history.map((entry) => ({ ...entry, agent: names[n]! }))));
      const profiles = await loadAllLearningProfiles(fixture.db, names, ['CodeGeneration', 'CodeReview'], nowMs);
      const sides = await Promise.all(
        names.map(async (id) => {
          const pure = await loadLearningProfile(fixture.db, id, nowMs);
          const fromSql = profiles.get(id)!;
          expect(fromSql.overall.n).toBe(
            Math.min(100, histories[names.indexOf(id)]!.filter(({ outcome }) => outcome === 'success' || outcome === 'failure').length),
          );
          for (const taskType of ['CodeGeneration', 'CodeReview']) {
            const rows = await getExecutionsForTaskType(fixture.db, id, taskType);
            const expected = computeExpertise(taskType, rows, nowMs);
            const actual = fromSql.expertise[taskType];
            if (expected.n === 0) {
              expect(actual).toBeUndefined();
              continue;
            }
            for (const [key, value] of Object.entries(expected)) {
              const got = (actual as unknown as Record<string, unknown>)[key];
              if (typeof value === 'number') expect([key, got]).toEqual([key, expect.closeTo(value, 9)]);
              else expect([key, got]).toEqual([key, value]);
            }
          }
          return { pure, fromSql };
        }),
      );
      for (const policy of ['exploit', 'explore'] as const) {
        const rank = (side: 'pure' | 'fromSql') =>
          rankCandidates(
            sides.map((profile, n) => ({
              agentId: names[n]!,
              running: n % 2,
              capacity: 2,
              profile: { ...profile[side], overall: profile.fromSql.overall },
            })),
            'CodeReview',
            { policy, recency: true },
          );
        const [pure, fromSql] = [rank('pure'), rank('fromSql')];
        expect(fromSql.map(({ score }) => score)).toEqual(pure.map(({ score }) => expect.closeTo(score, 9)));
      }
    }),
    { numRuns: 12 },
  );
});

test('the newest rows count, each kind of row as it should', async () => {
  await insertHistory([
    // 110 failures that are older than the newest 100 rows of another task type.
    ...Array.from({ length: 110 }, (_, n) => ({
      agent: 'edge',
      taskType: 'Testing',
      outcome: 'failure' as const,
      ageMs: 30 * dayMs + n,
      durationMs: 1,
      costUsd: null,
    })),
    ...Array.from({ length: 100 }, (_, n) => ({
      agent: 'edge',
      taskType: 'Planning',
      outcome: 'success' as const,
      ageMs: n,
      durationMs: 1,
      costUsd: null,
    })),
    { agent: 'edge', taskType: 'Old', outcome: 'success', ageMs: 91 * dayMs, durationMs: 1, costUsd: null },
    { agent: 'edge', taskType: 'Undo', outcome: 'success', ageMs: 0, durationMs: 1, costUsd: null, mode: 'undo' },
    { agent: 'edge', taskType: 'Stopped', outcome: 'cancelled', ageMs: 0, durationMs: 1, costUsd: null },
  ]);
  const profile = (
    await loadAllLearningProfiles(fixture.db, ['edge', 'nobody'], ['Testing', 'Planning', 'Old', 'Undo', 'Stopped'], nowMs)
  ).get('edge');
  expect(profile?.overall).toEqual({ n: 100, successes: 100 });
  expect(Object.keys(profile?.expertise ?? {}).sort()).toEqual(['Planning', 'Testing']);
  expect(profile?.expertise['Testing']).toMatchObject({ n: 100, successes: 0, confidence: 1 });
  expect(await getAgentExecutions(fixture.db, 'edge', 3)).toHaveLength(3);
  expect((await getAgentExecutions(fixture.db, 'edge')).every(({ taskType }) => taskType === 'Planning')).toBe(true);
});

test('estimates are medians of successes from 5 on, by agent or by role', async () => {
  const durations = [10, 20, 30, 40, 1_000];
  await insertHistory([
    ...durations.map((durationMs) => ({
      agent: 'est',
      taskType: 'Deployment',
      outcome: 'success' as const,
      ageMs: 0,
      durationMs,
      costUsd: null,
      role: 'devops',
    })),
    { agent: 'est', taskType: 'Deployment', outcome: 'failure', ageMs: 0, durationMs: 1, costUsd: null, role: 'devops' },
    ...durations.slice(1).map((durationMs) => ({
      agent: 'est2',
      taskType: 'Deployment',
      outcome: 'success' as const,
      ageMs: 0,
      durationMs,
      costUsd: null,
      role: 'devops',
    })),
  ]);
  const ask = (agentId?: string, role = 'devops') => ({ role, taskType: 'Deployment', agentId });
  expect(
    await loadEstimates(fixture.db, [ask('est'), ask('est2'), ask(), ask(undefined, 'tester'), ask('est', 'tester'), ask()], nowMs),
  ).toEqual([30, null, 30, null, 30, 30]);
  const step = { id: 's', role: 'devops', taskType: 'Deployment', skills: [] } as unknown as PlanStep;
  const agents = [agent('est', { role: 'devops' }), agent('est2', { role: 'devops' })];
  expect(await estimateDurations(fixture.db, [step, { ...step, id: 't', role: 'tester' }], agents, nowMs)).toEqual({ s: 30 });
  expect(await estimateDurations(fixture.db, [{ ...step, agentId: 'est2' }], agents, nowMs)).toEqual({});
});
