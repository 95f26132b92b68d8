import { parseStartInput } from './start-input';

test.each([[[]], [[null]], [[{}]]])('%j starts the newest published version', (args) => {
  expect(parseStartInput(args)).toEqual({ ok: true, value: {} });
});

test.each([
  ['text', ['x'], 'one JSON object'],
  ['a list', [[1]], 'one JSON object'],
  ['no object but bytes', [new Uint8Array()], 'one JSON object'],
  ['two arguments', [{}, {}], 'one JSON object, not 2 arguments'],
  ['bytes that do not decode', [{ undecodable: 'bad JSON' }], 'cannot be decoded: bad JSON'],
  ['an unknown key', [{ sauce: 'x' }], 'unknown key "sauce"'],
  ['a name of Object.prototype', [{ toString: 'x' }], 'unknown key "toString"'],
  ['a version that is none', [{ version: 0 }], '"version" must be a whole number from 1'],
  ['a format that is none', [{ format: 'json' }], '"format" must be "yaml" or "toml"'],
  ['a time scale that stops time', [{ timeScale: 0 }], '"timeScale" must be a number from 1'],
  ['a time scale that is none', [{ timeScale: Number.NaN }], '"timeScale"'],
  ['agents that are none', [{ agents: 'a' }], '"agents"'],
  ['agents without a source', [{ agents: {} }], '"source" must be the text'],
  ['a flag that is none', [{ autoApprove: 1 }], '"autoApprove" must be true or false'],
])('%s is refused', (_what, args, reason) => {
  expect(parseStartInput(args)).toEqual({ ok: false, reason: expect.stringContaining(reason) as unknown });
});

test('everything at once', () => {
  const input = {
    source: 'x',
    format: 'yaml',
    inputs: { a: 1 },
    initiator: 'ana',
    timeScale: 60,
    seed: 's',
    agents: { source: 'y' },
    autoApprove: true,
    recording: 'none',
  };
  expect(parseStartInput([input])).toEqual({ ok: true, value: input });
});
