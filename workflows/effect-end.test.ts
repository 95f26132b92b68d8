import { agentArguments } from '../test/support/agent-call';
import { boundFailure, endOf } from './effect-end';

const nowMs = 1_800_000_000_000;
const { document } = agentArguments({ executor: { kind: 'simulate' }, document: { outputs: ['a.md'] } });
const result = { status: 'success', outputs: { 'a.md': 'x' } };
const end = (output: unknown) => endOf(output, { document, agentId: 'foreign-1', nowMs });
const wrapped = { result, startedAtMs: nowMs - 10, endedAtMs: nowMs, attempt: 2 };

test('a result is taken bare or with the times around it', () => {
  expect(end(result)).toEqual({ result });
  expect(end(wrapped)).toEqual(wrapped);
});

test.each([{ startedAtMs: 1e18 }, { endedAtMs: 'now' }, { endedAtMs: nowMs - 20 }, { startedAtMs: -1 }, { endedAtMs: Infinity }])(
  'times like %j mean nothing',
  (times) => expect(end({ ...wrapped, ...times })).toEqual({ result, attempt: 2 }),
);

test.each([0, 1.5, 1e12, null])('nor does an attempt %j', (attempt) => expect(end({ ...wrapped, attempt })).not.toHaveProperty('attempt'));

test.each<[unknown, string]>([
  [{ undecodable: 'bogus' }, 'the worker of foreign-1 returned something undecodable: bogus'],
  [{ ...result, reasons: 'text' }, 'reasons: expected a list of texts, got "text"'],
  [{ ...wrapped, result: { ...result, metrics: { coverage: null } } }, 'metrics.coverage: expected a number'],
  [{ ...wrapped, result: null }, 'the worker of foreign-1 returned null instead of a result object'],
  [{ ...wrapped, result: { status: 'success' } }, 'a result without the promised output a.md'],
  [{ status: 'failure', summary: 'no luck' }, 'no luck'],
])('%j is a failure that says why', (output, message) => {
  expect(end(output)).toMatchObject({ failure: { kind: 'failed', message: expect.stringContaining(message) } });
});

const kib = 1024;
test.each<[string, object, string]>([
  ['outputs', { outputs: { 'a.md': 'x'.repeat(65 * kib) } }, 'outputs of 66562 bytes of text, more than 65536'],
  [
    'many outputs',
    { outputs: Object.fromEntries(Array.from({ length: 70 }, (_, n) => [n === 0 ? 'a.md' : `b${n}`, 'x'.repeat(kib)])) },
    'bytes of text, more than 65536',
  ],
  ['a summary', { summary: 'ü'.repeat(130 * kib) }, 'bytes, more than 262144'],
  ['reasons', { status: 'failure', reasons: Array(300).fill('x'.repeat(kib)) }, 'bytes, more than 262144'],
])('%s beyond the limit fail the step instead of going on', (_, more, message) => {
  const { failure, result: none } = end({ ...result, ...more });
  expect(none).toBeUndefined();
  expect(failure).toMatchObject({ kind: 'failed', message: expect.stringContaining(message) });
  expect(failure).not.toHaveProperty('result');
});

test('what a failure says has an end', () => {
  const { failure } = end({ status: 'failure', summary: 'x'.repeat(100 * kib) });
  expect(failure?.message).toHaveLength(4_000);
  const thrown = boundFailure({
    kind: 'failed',
    message: 'no',
    recorded: true,
    result: { status: 'failure', summary: 'x'.repeat(300 * kib) },
  });
  expect(thrown).toEqual({ kind: 'failed', message: 'no', recorded: true });
});
