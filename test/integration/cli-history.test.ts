import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeExpertise, dayMs } from '../../core/learning/expertise';
import { updateProfileWithLearning, createLearningProfile } from '../../core/learning/profile';
import type { PlanStep } from '../../core/plan/types';
import { estimateDurations, loadAllLearningProfiles, loadLearningProfile } from '../../db/queries/history';
import { assignWave } from '../../db/queries/waves';
import { cliOf, runInProcess, wholeTable } from '../support/cli-in-process';
import { agent, asOwner, type DatabaseFixture, makeRun, openDatabase, request, wave } from './db-fixture';

jest.setTimeout(60_000);

/** The history as lines: from one database to another, and counting there as what was done there. */
let here: DatabaseFixture;
let there: DatabaseFixture;
let folder: string;
let cli: ReturnType<typeof cliOf>;
let cliThere: ReturnType<typeof cliOf>;
const nowMs = Date.now();

beforeAll(async () => {
  [here, there] = await Promise.all([openDatabase(), openDatabase()]);
  folder = mkdtempSync(join(tmpdir(), 'vapora-history-'));
  cli = cliOf({ databaseUrl: here.test.databaseUrl, taskQueue: 'none' }, folder);
  cliThere = cliOf({ databaseUrl: there.test.databaseUrl, taskQueue: 'none' }, folder);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  agent: string;
  role: string;
  task_type: string;
  outcome: string;
  finished_at: string;
  duration_ms: number | null;
  cost_usd: number | null;
}

function line(n: number, overrides: Partial<Line> = {}): Line {
  return {
    agent: 'ci',
    role: 'tester',
    task_type: 'Testing',
    outcome: n % 3 === 0 ? 'failure' : 'success',
    finished_at: new Date(nowMs - n * 0.3 * dayMs).toISOString(),
    duration_ms: 1000 + n,
    cost_usd: n / 100,
    ...overrides,
  };
}

function write(name: string, lines: (Line | string)[]): string {
  writeFileSync(join(folder, name), lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  return name;
}

test('lines are imported once, and bad ones are told with their number and do not stop the others', async () => {
  const lines = Array.from({ length: 30 }, (_, n) => line(n));
  const file = write('mixed.jsonl', [
    ...lines.slice(0, 10),
    '{"agent": ',
    JSON.stringify({ ...line(1), outcome: 'ok' }),
    '',
    ...lines.slice(10),
    line(3),
  ]);
  const first = await cli('history', 'import', file);
  expect(first.exitCode).toBe(2);
  expect(first.stdout).toBe('mixed.jsonl: 33 lines: 30 imported, 1 there before, 2 bad\n');
  expect(first.stderr).toContain('mixed.jsonl:11: it is no JSON: ');
  expect(first.stderr).toContain('mixed.jsonl:12: outcome is success, failure, cancelled or unknown, not "ok"\n');
  expect((await cli('history', 'import', file, '--json')).json()).toMatchObject({
    schemaVersion: 1,
    lines: 33,
    imported: 0,
    duplicates: 31,
    bad: 2,
    isComplete: true,
    badLines: [{ line: 11 }, { line: 12 }],
  });
  const [{ count } = {}] = await asOwner(here, 'select count(*)::int as count from executions');
  expect(count).toBe(30);
});

test('what is imported counts as what was done: profile, sums, ranking, assignment and estimate', async () => {
  const rows = Array.from({ length: 30 }, (_, n) => line(n)).map((one) => ({
    agentId: one.agent,
    taskType: one.task_type,
    outcome: one.outcome as 'success',
    finishedAtMs: Date.parse(one.finished_at),
    durationMs: one.duration_ms,
    costUsd: one.cost_usd,
  }));
  const pure = updateProfileWithLearning(createLearningProfile('ci'), rows, nowMs);
  expect(await loadLearningProfile(here.db, 'ci', nowMs)).toEqual(pure);
  const summed = (await loadAllLearningProfiles(here.db, ['ci'], ['Testing'], nowMs)).get('ci');
  expect(summed?.overall).toEqual(pure.overall);
  for (const [key, value] of Object.entries(computeExpertise('Testing', rows, nowMs))) {
    const got = (summed?.expertise['Testing'] as unknown as Record<string, unknown>)[key];
    expect([key, got]).toEqual([key, typeof value === 'number' ? expect.closeTo(value, 9) : value]);
  }

  const team = [agent('ci', { role: 'tester' }), agent('other', { role: 'tester' })];
  const of = await makeRun(here.db, team);
  const step = { id: 's', role: 'tester', taskType: 'Testing', skills: [] } as unknown as PlanStep;
  // The median of the 20 successes.
  expect(await estimateDurations(here.db, [step], team, nowMs)).toEqual({ s: 1015 });
  const { replies } = await assignWave(here.db, wave(of, [request('s', { role: 'tester', taskType: 'Testing' })], { atMs: nowMs }));
  expect(replies).toMatchObject([{ kind: 'assigned', agent: { id: 'ci' }, why: expect.stringContaining('30 Testing runs') }]);
  expect((await cli('agents', 'rank', '--task-type', 'Testing', '--policy', 'exploit', '--json')).json()).toMatchObject({
    candidates: [{ agent: 'ci', n: 30, load: 1 }, { agent: 'other' }],
  });
});

test('no run has it as its work', async () => {
  const [{ count } = {}] = await asOwner(
    here,
    `select count(*)::int as count from executions where import_key is not null and (root_run_id is not null or run_id is not null or state <> 'ended')`,
  );
  expect(count).toBe(0);
  await expect(asOwner(here, `update executions set root_run_id = null where import_key is null`)).rejects.toThrow('executions_origin');
});

test('--strict ends at the first bad line, and the same file goes on once it is mended', async () => {
  const lines = [line(100), line(101), 'oops', line(102)];
  const strict = await cli('history', 'import', write('strict.jsonl', lines), '--strict');
  expect(strict.exitCode).toBe(2);
  expect(strict.stderr).toContain('strict.jsonl:3: it is no JSON');
  expect(strict.stdout).toContain('3 lines: 2 imported, 0 there before, 1 bad; ended at the bad line');
  const mended = await cli(
    'history',
    'import',
    write(
      'strict.jsonl',
      lines.filter((one) => one !== 'oops'),
    ),
    '--strict',
  );
  expect(mended).toMatchObject({ exitCode: 0, stdout: 'strict.jsonl: 3 lines: 1 imported, 2 there before, 0 bad\n' });
});

test('more than a batch, from standard input; a file that is not there', async () => {
  const many = Array.from({ length: 2_500 }, (_, n) =>
    JSON.stringify(line(n, { agent: 'many', finished_at: new Date(nowMs - n * 1000).toISOString() })),
  );
  const variables = { DATABASE_URL: here.test.databaseUrl };
  const piped = await runInProcess(['history', 'import', '-'], wholeTable, { variables, stdin: `${many.join('\r\n')}\r\n` });
  expect(piped).toMatchObject({ exitCode: 0, stdout: '<stdin>: 2500 lines: 2500 imported, 0 there before, 0 bad\n' });
  const missing = await cli('history', 'import', 'nowhere.jsonl');
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toContain('cannot read nowhere.jsonl');
});

test('an interrupted import keeps what it has read and says how to go on', async () => {
  const variables = { DATABASE_URL: here.test.databaseUrl };
  const result = await runInProcess(['history', 'import', write('late.jsonl', [line(200)])], wholeTable, {
    variables,
    cwd: folder,
    signal: AbortSignal.abort(),
  });
  expect(result.exitCode).toBe(130);
  expect(result.stderr).toContain('vapora history import late.jsonl');
});

describe('export', () => {
  test('into an empty database it gives the same profiles and estimates, and into its own nothing', async () => {
    const of = await makeRun(here.db, []);
    // Work of a run: twins that only their key tells apart, an undo, a part of a deployment, and what still goes on.
    const work = [
      ...Array.from({ length: 6 }, (_, n) => ({ path: `twin${n}`, step: `twin${n}`, mode: 'do', outcome: 'success' })),
      ...Array.from({ length: 6 }, (_, n) => ({ path: `d/part${n}`, step: 'd', mode: 'do', outcome: 'success' })),
      { path: 'undone', step: 'undone', mode: 'undo', outcome: 'failure' },
      { path: 'stopped', step: 'stopped', mode: 'do', outcome: 'cancelled' },
    ];
    await asOwner(
      here,
      `insert into executions (root_run_id, path, generation, slot, assignment, mode, step, agent_id, role, task_type, state, outcome, assigned_at, finished_at, duration_ms, cost_usd)
       select $1, path, 1, 1, 1, mode, step, 'worker', 'devops', 'Deployment', 'ended', outcome, $3::timestamptz, $3::timestamptz, case when path = step then 60000 else 5 end, 1.5
       from jsonb_to_recordset($2::jsonb) as x(path text, step text, mode text, outcome text)`,
      [of.run.rootRunId, JSON.stringify(work), new Date(nowMs - dayMs).toISOString()],
    );
    const exported = await cli('history', 'export');
    expect(exported.exitCode).toBe(0);
    const lines = exported.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2_546);
    writeFileSync(join(folder, 'all.jsonl'), exported.stdout);
    expect((await cli('history', 'import', 'all.jsonl')).stdout).toBe('all.jsonl: 2546 lines: 0 imported, 2546 there before, 0 bad\n');
    expect((await cliThere('history', 'import', 'all.jsonl')).stdout).toBe('all.jsonl: 2546 lines: 2546 imported, 0 there before, 0 bad\n');
    // And once more from there: nothing is lost on the way.
    expect((await cliThere('history', 'export')).stdout).toBe(exported.stdout);

    for (const id of ['ci', 'many', 'worker']) {
      const profile = await loadLearningProfile(here.db, id, nowMs);
      expect(profile.overall.n).toBeGreaterThan(0);
      expect(await loadLearningProfile(there.db, id, nowMs)).toEqual(profile);
    }
    const step = { id: 'd', role: 'devops', taskType: 'Deployment', skills: [] } as unknown as PlanStep;
    const team = [agent('worker', { role: 'devops' }), agent('w2', { role: 'devops' })];
    expect(await estimateDurations(here.db, [step], team, nowMs)).toEqual({ d: 60_000 });
    expect(await estimateDurations(there.db, [step], team, nowMs)).toEqual({ d: 60_000 });
  });

  test('only what is asked for', async () => {
    const since = new Date(nowMs - 2 * dayMs).toISOString();
    const some = (await cli('history', 'export', '--agent', 'ci', '--task-type', 'Testing', '--since', since, '--json')).json() as {
      executions: Line[];
    };
    expect(some).toMatchObject({ schemaVersion: 1, executions: { length: 7 } });
    expect(some.executions.every((one) => one.agent === 'ci' && one.finished_at >= since)).toBe(true);
    const none = await cli('history', 'export', '--agent', 'nobody');
    expect(none).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await cli('history', 'export', '--agent', 'nobody', '--json')).json()).toEqual({ schemaVersion: 1, executions: [] });
  });
});
