import { checkResult } from './result-contract';

const success = { status: 'success' };

test.each<[string, unknown]>([
  ['the least', success],
  ['a failure', { status: 'failure', reasons: ['no'] }],
  ['outputs of every kind', { ...success, outputs: { a: 'text', b: { path: 'b.md' }, c: { artifact: `sha256:${'0'.repeat(64)}` } } }],
  ['metrics of every kind', { ...success, metrics: { a: 1, b: false, c: { value: 91.2, unit: '%' } } }],
  ['a cost', { ...success, verdict: 'changes_requested', cost: { usd: 0.2, tokens_in: 10 } }],
])('fits: %s', (_, raw) => {
  expect(checkResult(raw)).toEqual({ ok: true, result: raw, ignoredKeys: [] });
});

test('keys outside the contract are dropped and named', () => {
  expect(checkResult({ ...success, mood: 'good', toString: 1 })).toEqual({ ok: true, result: success, ignoredKeys: ['mood', 'toString'] });
});

test.each<[unknown, string]>([
  [undefined, 'must be a JSON object with a "status", not undefined'],
  ['done', 'not "done"'],
  [[success], 'not [{"status":"success"}]'],
  [{}, 'status: expected "success" or "failure", it is missing'],
  [{ status: 'ok' }, 'status: expected "success" or "failure", got "ok"'],
  [{ ...success, verdict: 'lgtm' }, 'verdict: expected one of "approved", "changes_requested", "rejected", "blocked", got "lgtm"'],
  [
    { ...success, metrics: { coverage: 'high' } },
    'metrics.coverage: expected a number, true, false or {"value": <number>, "unit": "<unit>"}, got "high"',
  ],
  [{ ...success, metrics: [1] }, 'metrics: expected an object'],
  [{ ...success, metrics: { rate: Infinity } }, 'metrics.rate: expected a number'],
  [{ ...success, outputs: { doc: 7 } }, 'outputs.doc: expected text, {"path": "<file>"} or {"artifact": "sha256:<64 hex digits>"}, got 7'],
  [
    { ...success, outputs: { doc: { artifact: 'sha256:xyz' } } },
    'outputs.doc.artifact: expected "sha256:<64 hex digits>", got "sha256:xyz"',
  ],
  [{ ...success, reasons: 'because' }, 'reasons: expected a list of texts, got "because"'],
  [{ ...success, reasons: ['a', 2] }, 'reasons.1: expected text, got 2'],
  [{ ...success, cost: { usd: -1 } }, 'cost.usd: a cost cannot be negative, got -1'],
  [{ ...success, summary: 'x'.repeat(300_000) }, 'the result without its outputs has 300'],
  [{ status: 1, verdict: 2, summary: 3, reasons: 4, risks: 5, outputs: 6, metrics: 7 }, 'and 2 more'],
])('does not fit: %j', (raw, problem) => {
  expect(checkResult(raw)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});

test.each([
  ['91%', 91],
  [' -0.5 % ', -0.5],
])('a metric may be the percentage %j', (written, value) => {
  expect(checkResult({ ...success, metrics: { coverage: written } })).toMatchObject({
    result: { metrics: { coverage: { value, unit: '%' } } },
  });
});

test('a long value is quoted in part', () => {
  const checked = checkResult({ status: 'x'.repeat(10_000) });
  expect(!checked.ok && checked.problem.length).toBeLessThan(300);
});
