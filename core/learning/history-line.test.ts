import fc from 'fast-check';
import { outcomes } from '../contract/states';
import { formatExecutionName, type HistoryEntry, historyLineOf, parseExecutionName, parseHistoryLine } from './history-line';

const nowMs = Date.UTC(2026, 0, 31);
const good = {
  agent: 'ci',
  role: 'tester',
  task_type: 'Testing',
  outcome: 'success',
  finished_at: '2026-01-30T10:00:00+02:00',
  duration_ms: 1500,
  cost_usd: 0.25,
};

test('a line', () => {
  expect(parseHistoryLine(JSON.stringify(good), nowMs)).toEqual({
    ok: true,
    entry: {
      agent: 'ci',
      role: 'tester',
      taskType: 'Testing',
      outcome: 'success',
      finishedAtMs: Date.UTC(2026, 0, 30, 8),
      durationMs: 1500,
      costUsd: 0.25,
      isPart: false,
      id: null,
    },
  });
  const { duration_ms: _duration, cost_usd: _cost, ...least } = good;
  expect(parseHistoryLine(JSON.stringify(least), nowMs)).toMatchObject({ ok: true, entry: { durationMs: null, costUsd: null } });
});

test.each<[string, string | Record<string, unknown>, RegExp]>([
  ['no JSON', '{"agent": ', /^it is no JSON: /],
  ['a list', '[]', /no JSON object/],
  ['null', 'null', /no JSON object/],
  ['a field that is misspelt', { cost_us: 1 }, /^unknown field "cost_us": there are agent, role/],
  ['no agent', { agent: undefined }, /^agent is missing$/],
  ['an agent that is a number', { agent: 7 }, /^agent is a text, not 7$/],
  ['an empty role', { role: ' ' }, /^role is empty$/],
  ['a task type of a page', { task_type: 'x'.repeat(501) }, /^task_type has 501 characters, more than 500$/],
  ['what Postgres cannot keep', { agent: 'a\u0000b' }, /^agent has control characters: "a\\u0000b"$/],
  ['half a character', { agent: 'a\ud800' }, /^agent has control characters/],
  ['another outcome', { outcome: 'ok' }, /^outcome is success, failure, cancelled or unknown, not "ok"$/],
  ['no time', { finished_at: undefined }, /^finished_at is a time with its zone.*not nothing$/],
  ['a time of nowhere', { finished_at: '2026-01-30T10:00:00' }, /with its zone/],
  ['a day that is none', { finished_at: '2025-02-30T10:00:00Z' }, /with its zone/],
  ['epoch ms', { finished_at: 1769767200000 }, /with its zone/],
  ['a time to come', { finished_at: '2026-02-03T00:00:00Z' }, /in the future/],
  ['a time before computers', { finished_at: '1066-10-14T09:00:00Z' }, /before 1970/],
  ['a negative duration', { duration_ms: -1 }, /^duration_ms is a number from 0, or null, not -1$/],
  ['a duration in words', { duration_ms: '2h' }, /not "2h"/],
  ['a cost beyond the column', { cost_usd: 1e9 }, /^cost_usd is 1000000000, which is too much/],
  ['a part that is a text', { part: 'yes' }, /^part is true or false$/],
])('what is wrong with %s', (_name, change, expected) => {
  const text = typeof change === 'string' ? change : JSON.stringify({ ...good, ...change });
  expect(parseHistoryLine(text, nowMs)).toEqual({ ok: false, problem: expect.stringMatching(expected) });
});

const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .filter((value) => value.trim() !== '' && !/[\p{Cc}\p{Surrogate}]/u.test(value));

test('what is written is read as it was', () => {
  const entry: fc.Arbitrary<HistoryEntry> = fc.record({
    agent: text,
    role: text,
    taskType: text,
    outcome: fc.constantFrom(...outcomes),
    finishedAtMs: fc.integer({ min: 0, max: nowMs }),
    durationMs: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0)),
    costUsd: fc.option(fc.integer({ min: 0, max: 1e9 }).map((micro) => micro / 1e6)),
    isPart: fc.boolean(),
    id: fc.option(text),
  });
  fc.assert(
    fc.property(entry, (one) => {
      const line = historyLineOf(one);
      expect(line).not.toContain('\n');
      expect(parseHistoryLine(line, nowMs)).toEqual({ ok: true, entry: one });
    }),
  );
});

test('the name of an execution is read as it was written; other ids are none', () => {
  const name = { rootRunId: 'ab-1.2_3', path: 'deploy[a/b]/canary 1', generation: 2, slot: 1, assignment: 3 };
  expect(parseExecutionName(formatExecutionName(name))).toEqual(name);
  for (const id of ['x', 'sha256:ab', 'a/b/c', 'a b/1.1.1/x', 'a/1.1/x']) expect(parseExecutionName(id)).toBeUndefined();
});
