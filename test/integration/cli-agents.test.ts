import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dayMs } from '../../core/learning/expertise';
import { listAgents } from '../../db/queries/agents';
import { assignWave } from '../../db/queries/waves';
import { cliOf } from '../support/cli-in-process';
import { asOwner, type DatabaseFixture, makeRun, openDatabase, request, wave } from './db-fixture';

jest.setTimeout(60_000);

/** The commands about agents, on a database. */
let fixture: DatabaseFixture;
let folder: string;
let cli: ReturnType<typeof cliOf>;

const agentsYaml = `
agents:
  - {id: good, role: tester, skills: [go], capacity: 2, executor: {kind: simulate}}
  - {id: poor, role: tester, capacity: 1, executor: {kind: simulate}}
  - {id: writer, role: documenter, executor: {kind: command, argv: [./write.sh]}}
`;

beforeAll(async () => {
  fixture = await openDatabase();
  folder = mkdtempSync(join(tmpdir(), 'vapora-agents-'));
  writeFileSync(join(folder, 'agents.yaml'), agentsYaml);
  writeFileSync(join(folder, 'broken.yaml'), 'agents:\n  - {id: x, role: tester, capasity: 2, executor: {kind: simulate}}\n');
  cli = cliOf({ databaseUrl: fixture.test.databaseUrl, taskQueue: 'none' }, folder);
});
afterAll(async () => {
  await fixture.close();
  rmSync(folder, { recursive: true, force: true });
});

test('add registers, says what changed, and refuses a file with mistakes as validate shows them', async () => {
  const first = await cli('agents', 'add', 'agents.yaml');
  expect(first).toMatchObject({ exitCode: 0, stdout: 'added: good, poor, writer\n' });
  expect((await cli('agents', 'add', 'agents.yaml')).stdout).toBe('unchanged: good, poor, writer\n');
  writeFileSync(join(folder, 'one.yaml'), 'agents:\n  - {id: poor, role: tester, capacity: 3, executor: {kind: simulate}}\n');
  expect((await cli('agents', 'add', 'one.yaml', '--json')).json()).toEqual({
    schemaVersion: 1,
    file: 'one.yaml',
    added: [],
    changed: ['poor'],
    unchanged: [],
  });
  const broken = await cli('agents', 'add', 'broken.yaml');
  expect(broken).toMatchObject({ exitCode: 2, stdout: '' });
  expect(broken.stderr).toContain('broken.yaml:2:');
  expect(broken.stderr).toContain('capasity');
  expect((await cli('agents', 'show', 'x')).exitCode).toBe(2);
});

test('show, retire, and back by its file', async () => {
  const shown = (await cli('agents', 'show', 'writer', '--json')).json();
  // A command's programs lie beside its file.
  expect(shown).toMatchObject({ schemaVersion: 1, running: 0, agent: { id: 'writer', executor: { folder } } });
  expect((await cli('agents', 'show', 'good')).stdout).toMatch(/load +0 of 2 steps at once/);
  const unknown = await cli('agents', 'show', 'nobody');
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain('vapora agents list --all');

  expect((await cli('agents', 'retire', 'writer')).stdout).toContain('writer gets no more work');
  expect((await cli('agents', 'retire', 'writer')).stdout).toBe('writer was retired already\n');
  expect((await cli('agents', 'retire', 'nobody')).exitCode).toBe(2);
  expect((await cli('agents', 'rank', '--task-type', 'Testing', '--json')).json()).toMatchObject({ candidates: { length: 2 } });
  expect((await cli('agents', 'add', 'agents.yaml')).stdout).toBe('changed: poor, writer\nunchanged: good\n');
});

describe('with a history', () => {
  beforeAll(async () => {
    await cli('agents', 'add', 'agents.yaml');
    const of = await makeRun(fixture.db, []);
    const rows = [
      ...Array.from({ length: 12 }, (_, n) => ({
        path: `g${n}`,
        agent: 'good',
        outcome: n % 4 === 0 ? 'failure' : 'success',
        days: n % 4,
      })),
      ...Array.from({ length: 12 }, (_, n) => ({
        path: `p${n}`,
        agent: 'poor',
        outcome: n % 4 === 0 ? 'success' : 'failure',
        days: n % 4,
      })),
    ];
    await asOwner(
      fixture,
      `insert into executions (root_run_id, path, generation, slot, assignment, mode, step, agent_id, role, task_type, state, outcome, assigned_at, finished_at, duration_ms, cost_usd)
       select $1, path, 1, 1, 1, 'do', path, agent, 'tester', 'Testing', 'ended', outcome, now(), now() - make_interval(days => days), 1000, 0.5
       from jsonb_to_recordset($2::jsonb) as x(path text, agent text, outcome text, days int)`,
      [of.run.rootRunId, JSON.stringify(rows)],
    );
  });

  test('rank chooses as an assignment does, in the documented shape', async () => {
    const answer = (await cli('agents', 'rank', '--task-type', 'Testing', '--role', 'tester', '--recency', '--json')).json() as {
      chosen: string;
      policy: string;
      candidates: Record<string, number | string>[];
    };
    expect(answer).toMatchObject({ schemaVersion: 1, policy: 'explore', chosen: 'good' });
    expect(Object.keys(answer.candidates[0]!)).toEqual([
      'agent',
      'score',
      'base',
      'expertise',
      'confidence',
      'success_rate',
      'recent_success_rate',
      'n',
      'load',
      'bonus',
      'rank',
    ]);
    expect(answer.candidates.map(({ agent, n, success_rate }) => [agent, n, success_rate])).toEqual([
      ['good', 12, 0.75],
      ['poor', 12, 0.25],
    ]);
    const of = await makeRun(fixture.db, await listAgents(fixture.db));
    const asked = request('s', { role: 'tester', taskType: 'Testing', policy: 'explore' });
    const { replies } = await assignWave(fixture.db, wave(of, [asked], { atMs: Date.now() }));
    expect(replies).toMatchObject([{ kind: 'assigned', agent: { id: 'good' } }]);
    const [row] = await asOwner(fixture, `select explanation->'candidates'->0->'score' as score from executions where path = 's'`);
    expect(answer.candidates[0]!['score']).toBeCloseTo(Number(row!['score']), 6);

    // What it has been given shows as load.
    expect((await cli('agents', 'rank', '--task-type', 'Testing', '--explain')).stdout).toContain('load 1/2');
  });

  test('rank --at knows nothing that ended later', async () => {
    const at = new Date(Date.now() - 1.5 * dayMs).toISOString();
    const then = (await cli('agents', 'rank', '--task-type', 'Testing', '--role', 'tester', '--at', at, '--json')).json();
    expect(then).toMatchObject({
      at,
      candidates: [
        { agent: 'good', n: 6, success_rate: 1 },
        { agent: 'poor', n: 6 },
      ],
    });
    const badTime = await cli('agents', 'rank', '--task-type', 'Testing', '--at', '2026-02-30');
    expect(badTime.exitCode).toBe(2);
    expect(badTime.stderr).toContain('2026-01-31T09:00:00Z');
  });

  test('rank where nobody can', async () => {
    const nobody = await cli('agents', 'rank', '--task-type', 'Testing', '--role', 'astronaut');
    expect(nobody.exitCode).toBe(2);
    expect(nobody.stderr).toContain('no registered agent does the role astronaut');
  });

  test('profile', async () => {
    const text = (await cli('agents', 'profile', 'good')).stdout;
    expect(text).toContain('succeeded   9 of 12 (75%)');
    expect(text).toMatch(/by day {6}### ?_|by day {6}.{4} {2}\d{4}/);
    const answer = (await cli('agents', 'profile', 'good', '--task-type', 'Testing', '--json')).json();
    expect(answer).toMatchObject({
      schemaVersion: 1,
      agent: 'good',
      taskTypes: [
        { taskType: 'Testing', n: 12, successes: 9, confidence: 0.6, days: [{ rate: 1 }, { rate: 1 }, { rate: 1 }, { rate: 0 }] },
      ],
    });
    expect((await cli('agents', 'profile', 'good', '--task-type', 'Planning')).stdout).toContain('Nothing of this kind of task');
    expect((await cli('agents', 'profile', 'writer')).stdout).toBe('writer: no history yet\n');
    expect((await cli('agents', 'profile', 'nobody')).exitCode).toBe(2);
  });
});
