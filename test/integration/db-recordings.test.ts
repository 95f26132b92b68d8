import fc from 'fast-check';
import pg from 'pg';
import type { AuditEntry, RunChanges } from '../../core/contract/local-activities';
import { listAudit, verifyAudit } from '../../db/queries/audit';
import { recordChanges } from '../../db/queries/recording';
import { assignWave } from '../../db/queries/waves';
import { createRecordingMarks } from '../../workflows/recording-marks';
import {
  agent,
  asOwner,
  changes,
  type DatabaseFixture,
  makeRun,
  openDatabase,
  request,
  startedAtMs,
  type TestRun,
  wave,
} from './db-fixture';

jest.setTimeout(60_000);

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openDatabase();
});
afterAll(() => fixture.close());

let clock = startedAtMs;

function line(object: string): AuditEntry {
  clock += 1_000;
  return { atMs: clock, actor: { kind: 'engine', id: 'vapora' }, action: 'step.readied', object };
}

/** What the audit says beside the run's own first line: one letter each. */
async function told(of: TestRun): Promise<string> {
  const lines = await listAudit(fixture.db, of.run.rootRunId, { fromSeq: 2 });
  return lines.map(({ event }) => event.object).join('');
}

interface Task {
  /** Length of the history when it began. */
  historyLength: number;
  /** What each of its recordings says. */
  recordings: readonly string[];
}

/** What the workflow does: its marks, its recordings one after the other. Its completed tasks are replayed without recording. */
async function work(
  of: TestRun,
  completed: readonly (Task & { audited: number[] })[],
  { historyLength, recordings }: Task,
): Promise<number[]> {
  const marks = createRecordingMarks();
  for (const task of completed) {
    for (const [n, text] of task.recordings.entries()) {
      marks.mark(changes({ audit: [...text].map(line) }), task.historyLength);
      marks.recorded(task.audited[n], task.historyLength);
    }
  }
  const audited: number[] = [];
  for (const text of recordings) {
    const marked = marks.mark(changes({ audit: [...text].map(line) }), historyLength);
    const output = await recordChanges(fixture.db, { run: of.run, atMs: clock, changes: marked });
    marks.recorded(output.audited, historyLength);
    audited.push(output.audited ?? 0);
  }
  return audited;
}

describe('a workflow task that was lost after its recordings', () => {
  test.each<[name: string, lost: string[], again: string[], told: string]>([
    ['the same', ['ab', 'c'], ['ab', 'c'], 'abc'],
    ['more in the same recording', ['ab'], ['abc'], 'abc'],
    ['more, and before what was said', ['ab', 'c'], ['xayb', 'zc'], 'abcxyz'],
    ['cut otherwise', ['ab', 'c', 'd'], ['a', 'bcd'], 'abcd'],
    ['in another order', ['abc'], ['cab'], 'abc'],
    ['said twice, and is said twice again', ['aa', 'ba'], ['aab', 'a'], 'aaba'],
    ['said twice, and is said three times', ['aa'], ['aaa'], 'aaa'],
    ['said what does not happen in the end', ['ab'], ['a'], 'ab'],
    ['nothing of it was recorded', [], ['ab'], 'ab'],
  ])('%s', async (_name, lost, again, expected) => {
    const of = await makeRun(fixture.db, []);
    const first: Task = { historyLength: 3, recordings: ['ap', 'b'] };
    const completed = [{ ...first, audited: await work(of, [], first) }];
    await work(of, completed, { historyLength: 9, recordings: lost });
    await work(of, completed, { historyLength: 13, recordings: again });
    expect(await told(of)).toBe(`apb${expected}`);
    expect(await verifyAudit(fixture.db, of.run.rootRunId)).toMatchObject({ ok: true });
  });

  test('lost what a later task says: it is said then, too', async () => {
    const of = await makeRun(fixture.db, []);
    await work(of, [], { historyLength: 3, recordings: ['ab'] });
    const again: Task = { historyLength: 7, recordings: ['a'] };
    const completed = [{ ...again, audited: await work(of, [], again) }];
    await work(of, completed, { historyLength: 11, recordings: ['b'] });
    expect(await told(of)).toBe('abb');
  });

  test('whatever was lost: nothing is missing, nothing stands twice', async () => {
    const task = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 3 });
    const tasks = fc.array(fc.record({ losses: fc.array(task, { maxLength: 2 }), done: task }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(tasks, async (plan) => {
        const of = await makeRun(fixture.db, []);
        const completed: (Task & { audited: number[] })[] = [];
        const letters = ['a', 'b', 'c'];
        const countIn = (recordings: readonly string[]) => letters.map((letter) => recordings.join('').split(letter).length - 1);
        const said = [0, 0, 0];
        const saidByAny = [0, 0, 0];
        let historyLength = 3;
        for (const { losses, done } of plan) {
          for (const recordings of losses) await work(of, completed, { historyLength: (historyLength += 4), recordings });
          const present: Task = { historyLength: (historyLength += 4), recordings: done };
          completed.push({ ...present, audited: await work(of, completed, present) });
          for (const n of letters.keys()) {
            said[n]! += countIn(done)[n]!;
            saidByAny[n]! += Math.max(...[...losses, done].map((recordings) => countIn(recordings)[n]!));
          }
        }
        for (const [n, found] of countIn([await told(of)]).entries()) {
          expect(found).toBeGreaterThanOrEqual(said[n]!);
          expect(found).toBeLessThanOrEqual(saidByAny[n]!);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('alerts: as often as they were raised', async () => {
    const of = await makeRun(fixture.db, []);
    const alert = { step: 'watch', name: 'errors', severity: 'high', message: 'many', state: 'raised' as const };
    const record = async (historyLength: number, times: number): Promise<void> => {
      const alerts = Array.from({ length: times }, () => ({ ...alert, atMs: (clock += 1_000) }));
      await recordChanges(fixture.db, {
        run: of.run,
        atMs: clock,
        changes: createRecordingMarks().mark(changes({ alerts }), historyLength),
      });
    };
    await record(5, 1);
    await record(9, 2);
    expect(await asOwner(fixture, 'select count(*)::int as n from alerts where root_run_id = $1', [of.run.rootRunId])).toEqual([{ n: 2 }]);
  });
});

describe('a recording that comes late', () => {
  const projection = (state: 'ready' | 'passed'): Partial<RunChanges> => ({
    run: { status: state === 'passed' ? 'completed' : 'in_progress', phase: null, progress: 1, waitsFor: [] },
    steps: [{ step: 'build', phase: 'p', state, generation: 1, role: 'developer' }],
  });
  const record = (of: TestRun, runId: string, historyLength: number, state: 'ready' | 'passed') =>
    recordChanges(fixture.db, {
      run: { ...of.run, runId },
      atMs: clock,
      changes: changes({ ...projection(state), historyLength, audit: [line(`${state}-${historyLength}`)] }),
    });
  const seen = async ({ run }: TestRun) =>
    asOwner(fixture, 'select run_id, status, state from runs join run_steps using (root_run_id) where root_run_id = $1', [run.rootRunId]);

  test.each<[name: string, recordings: [runId: string, historyLength: number, state: 'ready' | 'passed'][]]>([
    [
      'of a lost task',
      [
        ['r', 9, 'passed'],
        ['r', 5, 'ready'],
      ],
    ],
    [
      'of the execution before a reset',
      [
        ['old', 50, 'ready'],
        ['r', 9, 'passed'],
        ['old', 54, 'ready'],
      ],
    ],
    [
      'not so: of the same task',
      [
        ['r', 9, 'ready'],
        ['r', 9, 'passed'],
      ],
    ],
  ])('%s', async (_name, recordings) => {
    const of = await makeRun(fixture.db, []);
    for (const [runId, historyLength, state] of recordings) await record(of, runId, historyLength, state);
    expect(await seen(of)).toEqual([{ run_id: 'r', status: 'completed', state: 'passed' }]);
    // What it says is not lost.
    expect(await listAudit(fixture.db, of.run.rootRunId)).toHaveLength(1 + recordings.length);
  });
});

describe('round trips', () => {
  test('a recording is one, a wave two, whatever they hold', async () => {
    const of = await makeRun(fixture.db, [agent('fast', { role: 'runner', capacity: 50 })]);
    const requests = (prefix: string) => Array.from({ length: 5 }, (_, n) => request(`${prefix}${n}`, { role: 'runner' }));
    // The frozen agents are read once per worker.
    await assignWave(fixture.db, wave(of, requests('warm')));
    const query = jest.spyOn(pg.Client.prototype, 'query');
    try {
      await assignWave(fixture.db, wave(of, requests('a'), { changes: changes({ historyLength: 5, audit: [line('x'), line('y')] }) }));
      expect(query).toHaveBeenCalledTimes(2);
      query.mockClear();
      await recordChanges(fixture.db, { run: of.run, atMs: clock, changes: changes({ historyLength: 9, audit: [line('z')] }) });
      expect(query).toHaveBeenCalledTimes(1);
    } finally {
      query.mockRestore();
    }
  });
});

describe('an assignment', () => {
  test('stands in the audit as soon as it is recorded, after what led to it', async () => {
    const of = await makeRun(fixture.db, [agent('quick', { role: 'sprinter' })]);
    const audit = [line('build')];
    await assignWave(fixture.db, wave(of, [request('build', { role: 'sprinter' })], { changes: changes({ historyLength: 5, audit }) }));
    const lines = await listAudit(fixture.db, of.run.rootRunId, { fromSeq: 2 });
    expect(lines.map(({ event }) => event)).toMatchObject([
      { action: 'step.readied', object: 'build' },
      {
        action: 'step.assigned',
        object: 'build',
        generation: 1,
        reason: expect.stringContaining('quick'),
        details: { agent: 'quick', slot: 1, assignment: 1, mode: 'do' },
      },
    ]);
  });
});
