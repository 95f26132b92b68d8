import { listAudit, verifyAudit } from '../../db/queries/audit';
import { beginAttempt, finishEffect } from '../../db/queries/effects';
import { retireAgent, upsertAgents } from '../../db/queries/agents';
import { assignWave } from '../../db/queries/waves';
import type { AssignmentReply } from '../../core/contract/local-activities';
import {
  agent,
  asOwner,
  changes,
  type DatabaseFixture,
  effect,
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
  fixture = await openDatabase(20);
});
afterAll(() => fixture.close());
afterEach(() => asOwner(fixture, 'delete from agent_leases'));

const brief = (replies: AssignmentReply[]) => replies.map((reply) => (reply.kind === 'assigned' ? reply.agent.id : reply.kind));
const assign = async (of: TestRun, ...requests: Parameters<typeof wave>[1]) =>
  brief((await assignWave(fixture.db, wave(of, requests))).replies);

/** Does a piece of work from beginning to end. */
async function work(
  of: TestRun,
  path: string,
  agentId: string,
  outcome: 'success' | 'failure' = 'success',
  atMs = startedAtMs,
): Promise<void> {
  const begun = await beginAttempt(fixture.db, { run: of.run, effect: effect(path), attempt: 1, workerIdentity: 'w', atMs });
  expect(begun.kind).toBe('fresh');
  const finished = await finishEffect(fixture.db, { run: of.run, effect: effect(path), attempt: 1, agentId, outcome, atMs: atMs + 1_000 });
  expect(finished.kind).toBe('recorded');
}

describe('capacity', () => {
  test('of 1 is never exceeded by 20 waves at once: they get it one after the other', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => makeRun(fixture.db, [agent('only')])));
    let holders = 0;
    let most = 0;
    const waiting = new Set(runs);
    while (waiting.size > 0) {
      const before = waiting.size;
      await Promise.all(
        [...waiting].map(async (of) => {
          const [got] = await assign(of, request('build'));
          if (got !== 'only') {
            expect(got).toBe('busy');
            return;
          }
          holders += 1;
          most = Math.max(most, holders);
          await beginAttempt(fixture.db, { run: of.run, effect: effect('build'), attempt: 1, workerIdentity: 'w', atMs: startedAtMs });
          holders -= 1;
          await finishEffect(fixture.db, {
            run: of.run,
            effect: effect('build'),
            attempt: 1,
            agentId: 'only',
            outcome: 'success',
            atMs: startedAtMs + 1,
          });
          waiting.delete(of);
        }),
      );
      // Somebody always gets on.
      expect(waiting.size).toBeLessThan(before);
    }
    expect(most).toBe(1);
    const [row] = await asOwner(fixture, `select count(*)::int as n from executions where agent_id = 'only'`);
    expect(row).toEqual({ n: 20 });
  });

  test('of several is used up exactly by waves that want more, and their leases are counted in the database', async () => {
    const team = [agent('c1', { capacity: 3, role: 'crowd' }), agent('c2', { capacity: 2, role: 'crowd' })];
    const runs = await Promise.all(Array.from({ length: 20 }, () => makeRun(fixture.db, team)));
    const got = (await Promise.all(runs.map((of) => assign(of, request('a', { role: 'crowd' }), request('b', { role: 'crowd' }))))).flat();
    expect(got.filter((who) => who === 'c1')).toHaveLength(3);
    expect(got.filter((who) => who === 'c2')).toHaveLength(2);
    expect(got.filter((who) => who === 'busy')).toHaveLength(35);
    expect(
      await asOwner(fixture, 'select agent_id, array_agg(slot_no order by slot_no)::text as slots from agent_leases group by 1 order by 1'),
    ).toEqual([
      { agent_id: 'c1', slots: '{1,2,3}' },
      { agent_id: 'c2', slots: '{1,2}' },
    ]);
  });

  test('a lease that ran out is free again', async () => {
    const of = await makeRun(fixture.db, [agent('slow', { role: 'sloth' })]);
    expect(await assign(of, request('a', { role: 'sloth' }))).toEqual(['slow']);
    expect(await assign(of, request('b', { role: 'sloth' }))).toEqual(['busy']);
    await asOwner(fixture, `update agent_leases set expires_at = now() - interval '1 s'`);
    expect(await assign(of, request('b', { role: 'sloth' }))).toEqual(['slow']);
  });

  test('an end in the same wave frees its agent for it', async () => {
    const of = await makeRun(fixture.db, [agent('tired', { role: 'relay' })]);
    await assign(of, request('a', { role: 'relay' }));
    const ends = [{ ...effect('a'), outcome: 'failure' as const, atMs: startedAtMs, failure: 'timeout' }];
    const { replies } = await assignWave(
      fixture.db,
      wave(of, [request('b', { role: 'relay' })], { changes: changes({ ends, historyLength: 1 }) }),
    );
    expect(brief(replies)).toEqual(['tired']);
  });

  test('the registry decides by what it says now, not when the run started', async () => {
    const of = await makeRun(fixture.db, [agent('grown', { role: 'plant' })]);
    await upsertAgents(fixture.db, [agent('grown', { role: 'plant', capacity: 2 })]);
    expect(await assign(of, request('a', { role: 'plant' }), request('b', { role: 'plant' }))).toEqual(['grown', 'grown']);
    await retireAgent(fixture.db, 'grown');
    expect(await assign(of, request('c', { role: 'plant' }))).toEqual(['nobody']);
  });
});

describe('a wave that is carried out twice', () => {
  test('gives the earlier choice, and records nothing twice', async () => {
    const of = await makeRun(fixture.db, [agent('t1', { role: 'twice' }), agent('t2', { role: 'twice' })]);
    const audit = [{ atMs: startedAtMs, actor: { kind: 'engine' as const, id: 'vapora' }, action: 'step.readied', object: 'a' }];
    const input = wave(of, [request('a', { role: 'twice' }), request('b', { role: 'twice' }), request('c', { role: 'twice' })], {
      changes: changes({ historyLength: 1, audit }),
    });
    const first = await assignWave(fixture.db, input);
    expect(brief(first.replies)).toEqual(['t1', 't2', 'busy']);
    const [lines] = [await listAudit(fixture.db, of.run.rootRunId)];
    expect(await assignWave(fixture.db, input)).toMatchObject({
      replies: [{ agent: { id: 't1' } }, { agent: { id: 't2' } }, { kind: 'busy' }],
    });
    expect(await listAudit(fixture.db, of.run.rootRunId)).toHaveLength(lines.length);
    expect(await asOwner(fixture, 'select count(*)::int as n from agent_leases')).toEqual([{ n: 2 }]);
  });

  test('at the same time: both get the same choice', async () => {
    const of = await makeRun(fixture.db, [agent('s1', { role: 'same', capacity: 5 }), agent('s2', { role: 'same', capacity: 5 })]);
    const audit = [{ atMs: startedAtMs, actor: { kind: 'engine' as const, id: 'vapora' }, action: 'step.readied', object: 'a' }];
    const input = wave(of, [request('a', { role: 'same' }), request('b', { role: 'same' })], {
      changes: changes({ historyLength: 1, audit }),
    });
    const outputs = await Promise.all(Array.from({ length: 8 }, () => assignWave(fixture.db, input)));
    const choices = new Set(outputs.map(({ replies }) => brief(replies).join()));
    expect(choices.size).toBe(1);
    expect(await asOwner(fixture, 'select count(*)::int as n from agent_leases')).toEqual([{ n: 2 }]);
    const lines = await listAudit(fixture.db, of.run.rootRunId);
    expect(lines.map(({ event }) => `${event.action} ${event.object}`).sort()).toEqual([
      `run.created ${of.run.workflowId}`,
      'step.assigned a',
      'step.assigned b',
      'step.readied a',
    ]);
    expect(await verifyAudit(fixture.db, of.run.rootRunId)).toMatchObject({ ok: true });
  });

  test('a later execution of the run (reset, continue-as-new) counts its recordings anew', async () => {
    const of = await makeRun(fixture.db, [agent('r1', { role: 'reset' })]);
    const audit = [{ atMs: startedAtMs, actor: { kind: 'engine' as const, id: 'vapora' }, action: 'step.passed', object: 'a' }];
    await assignWave(fixture.db, wave(of, [], { changes: changes({ historyLength: 1, audit }) }));
    await assignWave(
      fixture.db,
      wave({ ...of, run: { ...of.run, runId: 'after-reset' } }, [], { changes: changes({ historyLength: 1, audit }) }),
    );
    const lines = await listAudit(fixture.db, of.run.rootRunId);
    expect(lines.filter(({ event }) => event.action === 'step.passed')).toHaveLength(2);
  });
});

describe('who is chosen', () => {
  test('by role, any role, hyphens, skills, exclusion and name; people where there is no machine', async () => {
    const of = await makeRun(fixture.db, [
      agent('front', { role: 'developer', skills: ['frontend', 'react'], capacity: 9 }),
      agent('back', { role: 'developer', skills: ['backend'], capacity: 9 }),
      agent('ana', { role: 'decision-maker', executor: { kind: 'human' } }),
      agent('py', { role: 'security', executor: { kind: 'worker', taskQueue: 'role-security' } }),
    ]);
    expect(
      await assign(
        of,
        request('a', { role: 'developer-frontend' }),
        request('b', { role: 'developer', skills: ['backend'] }),
        request('c', { role: 'developer', skills: ['backend', 'react'] }),
        request('d', { role: 'developer', skills: ['backend'], exclude: ['back'] }),
        request('e', { role: 'tester', agentId: 'back' }),
        request('f', { role: 'decision-maker' }),
        request('g', { role: 'tester' }),
      ),
    ).toEqual(['front', 'back', 'nobody', 'nobody', 'back', 'ana', 'nobody']);
    const { replies } = await assignWave(
      fixture.db,
      wave(of, [request('c', { skills: ['backend', 'react'] }), request('s', { role: 'security' })]),
    );
    expect(replies[0]).toMatchObject({ kind: 'nobody', reason: expect.stringContaining('front lacks the skill backend') });
    expect(replies[1]).toMatchObject({
      kind: 'assigned',
      agent: { id: 'py', executor: 'worker', taskQueue: 'role-security', idempotent: false },
    });
  });

  test('by the record: the one who succeeds gets the next one, and the choice is explained', async () => {
    const team = [agent('good', { role: 'learner', capacity: 2 }), agent('bad', { role: 'learner', capacity: 2 })];
    const of = await makeRun(fixture.db, team);
    for (let n = 0; n < 6; n += 1) {
      for (const who of ['good', 'bad']) {
        await assign(of, request(`${who}-${n}`, { role: 'learner', agentId: who }));
        await work(of, `${who}-${n}`, who, who === 'good' || n < 2 ? 'success' : 'failure', startedAtMs + n * 10_000);
      }
    }
    const atMs = startedAtMs + 100_000;
    const { replies } = await assignWave(fixture.db, wave(of, [request('next', { role: 'learner' })], { atMs }));
    expect(replies[0]).toMatchObject({
      kind: 'assigned',
      agent: { id: 'good' },
      why: expect.stringContaining('100 % recent success in 6'),
    });
    const stored = await fixture.db
      .selectFrom('executions')
      .select('explanation')
      .where('root_run_id', '=', of.run.rootRunId)
      .where('path', '=', 'next')
      .executeTakeFirstOrThrow();
    expect(stored.explanation).toMatchObject({
      policy: 'exploit',
      policyVersion: 1,
      chosen: 'good',
      candidates: [
        { agentId: 'good', n: 6, successRate: 1, rank: 1 },
        { agentId: 'bad', n: 6, rank: 2, lost: expect.stringContaining('most of it by expertise') },
      ],
    });
    expect(stored.explanation?.candidates[1]?.successRate).toBeCloseTo(1 / 3, 12);
  });

  test('within a wave each choice counts for the next', async () => {
    const team = ['w1', 'w2', 'w3'].map((id) => agent(id, { role: 'fan', capacity: 2 }));
    const of = await makeRun(fixture.db, team);
    const got = await assign(of, ...Array.from({ length: 7 }, (_, n) => request(`s${n}`, { role: 'fan' })));
    expect(got).toEqual(['w1', 'w2', 'w3', 'w1', 'w2', 'w3', 'busy']);
  });

  test('a wave of 300 is one wave', async () => {
    const of = await makeRun(
      fixture.db,
      Array.from({ length: 50 }, (_, n) => agent(`m${n}`, { role: 'many', capacity: 6 })),
    );
    const got = await assign(of, ...Array.from({ length: 300 }, (_, n) => request(`s${n}`, { role: 'many' })));
    expect(new Set(got).size).toBe(50);
    expect(got).not.toContain('busy');
  });
});
