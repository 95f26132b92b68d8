import { resultProblem } from './check-result';

const success = { status: 'success' };

test.each<[string, unknown]>([
  ['the least', success],
  ['a failure', { status: 'failure', reasons: ['no'], risks: [] }],
  ['outputs', { ...success, outputs: { a: 'text', b: { artifact: `sha256:${'0'.repeat(64)}`, mediaType: 'text/plain', sizeBytes: 1 } } }],
  ['metrics', { ...success, metrics: { a: 1, b: false, c: { value: 91.2, unit: '%' } } }],
  ['a cost', { ...success, verdict: 'approved', cost: { usd: 0.2, tokens_in: 10 } }],
  ['keys that mean nothing', { ...success, mood: null }],
])('fits: %s', (_, value) => expect(resultProblem(value)).toBeUndefined());

test.each<[unknown, string]>([
  [undefined, 'nothing instead of a result object'],
  [[success], 'instead of a result object'],
  [{ status: 'ok' }, 'a result without a "status" of success or failure (got "ok")'],
  [{ ...success, verdict: 'lgtm' }, 'verdict: expected one of approved, changes_requested, rejected, blocked, got "lgtm"'],
  [{ ...success, summary: 7 }, 'summary: expected text, got 7'],
  [{ ...success, reasons: 'text' }, 'reasons: expected a list of texts, got "text"'],
  [{ ...success, risks: ['a', null] }, 'risks.1: expected text, got null'],
  [{ ...success, outputs: [] }, 'outputs: expected an object, got []'],
  [{ ...success, outputs: { a: null } }, 'outputs.a: expected text or'],
  [{ ...success, outputs: { a: { artifact: 'sha256:x' } } }, 'outputs.a: expected text or'],
  [{ ...success, metrics: { coverage: null } }, 'metrics.coverage: expected a number, true, false or'],
  [{ ...success, metrics: { coverage: { value: '1', unit: '%' } } }, 'metrics.coverage: expected a number'],
  [{ ...success, metrics: { ['m'.repeat(101)]: 1 } }, 'metrics: a name has 1 to 100 characters, not 101'],
  [{ ...success, cost: { usd: -1 } }, 'cost.usd: expected a number of at least 0, got -1'],
])('%j does not fit', (value, problem) => expect(resultProblem(value)).toContain(problem));
