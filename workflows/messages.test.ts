import { parseDecision, parseSignal } from './messages';

const atMs = 1_000;

test('a vote by signal', () => {
  expect(parseSignal('approve', [{ gate: 'g', by: 'ana', reason: 'ok' }], atMs)).toEqual({
    type: 'voted',
    vote: { gate: 'g', by: 'ana', reason: 'ok', decision: 'approve', atMs, assurance: 'local', via: 'signal' },
  });
});

test.each([
  ['a number', 'approve', [7], 'one JSON object, not 7'],
  ['nothing', 'approve', [], 'one JSON object, not nothing'],
  ['a list', 'reject', [['g']], 'one JSON object'],
  ['bytes', 'approve', [new Uint8Array(3)], 'one JSON object, not bytes'],
  ['two arguments', 'approve', [{ gate: 'g', by: 'ana' }, 1], 'one JSON object, not 2 arguments'],
  ['bytes that do not decode', 'approve', [{ undecodable: 'Unknown encoding: bogus/enc' }], 'Unknown encoding: bogus/enc'],
  ['no gate', 'approve', [{ by: 'ana' }], '"gate" is missing'],
  ['nobody', 'approve', [{ gate: 'g', by: ' ' }], '"by" is empty'],
  ['a name that shows nothing', 'approve', [{ gate: 'g', by: '\u200b' }], '"by" is empty'],
  ['a name with NUL', 'approve', [{ gate: 'g', by: 'a\0b' }], '"by" has control characters'],
  ['a name with half a character', 'approve', [{ gate: 'g', by: 'a\ud800' }], '"by" has control characters or broken text'],
  ['a gate of two lines', 'approve', [{ gate: 'g\nh', by: 'ana' }], '"gate" has control characters'],
  ['an endless name', 'approve', [{ gate: 'g', by: 'ü'.repeat(101) }], '"by" is longer than 200 bytes'],
  ['an endless gate', 'approve', [{ gate: 'g'.repeat(301), by: 'ana' }], '"gate" is longer than 300 bytes'],
  ['a broken name that need not be there', 'resume', [{ by: 'a\tb' }], '"by" has control characters'],
  ['a gate that is no text', 'approve', [{ gate: 3, by: 'ana' }], '"gate" must be text, not 3'],
  ['a reason that is no text', 'approve', [{ gate: 'g', by: 'ana', reason: {} }], '"reason" must be text'],
  ['an endless reason', 'reject', [{ gate: 'g', by: 'ana', reason: 'x'.repeat(5_000) }], 'longer than'],
  ['cancel without a reason', 'cancel', [{}], '"reason" is missing'],
  ['cancel with a wrong flag', 'cancel', [{ reason: 'r', noRollback: 'yes' }], '"noRollback"'],
  ['an unknown signal', 'aprove', [{ gate: 'g', by: 'ana' }], 'no such signal'],
  ['a name of Object.prototype', 'toString', [], 'no such signal'],
  ['a reserved name', 'reserved __temporal_x', [1], 'no such signal'],
])('%s is ignored with the reason', (_what, name, args, reason) => {
  const event = parseSignal(name, args, atMs);
  expect(event).toMatchObject({ type: 'signalIgnored', atMs });
  expect(event).toHaveProperty('reason', expect.stringContaining(reason));
});

test.each([
  ['pause', { reason: 'lunch', by: 'bo' }, { type: 'pauseRequested', reason: 'lunch', by: { kind: 'person', id: 'bo' } }],
  ['resume', {}, { type: 'resumeRequested' }],
  ['cancel', { reason: 'infeasible', noRollback: true }, { type: 'cancelRequested', reason: 'infeasible', noRollback: true }],
  ['alert', { name: 'disk', severity: 'high', message: 'full' }, { type: 'alertReceived', name: 'disk' }],
])('%s', (name, message, expected) => {
  expect(parseSignal(name, [message], atMs)).toMatchObject(expected);
});

test('a name has one form, and a reason can be stored', () => {
  const vote = parseDecision([{ gate: ' g ', by: ' Zo\u200be\u0308 ', reason: 'a\0b\ud800' }], 'approve');
  expect(vote).toEqual({ ok: true, value: { gate: 'g', by: 'Zo\u00eb', decision: 'approve', reason: 'a\ufffdb\ufffd' } });
  expect(parseSignal('resume', [{ by: ' ' }], atMs)).toMatchObject({ by: { id: 'unknown' } });
});

test('an update names its decision', () => {
  expect(parseDecision([{ gate: 'g', by: 'ana', decision: 'approve' }])).toMatchObject({ ok: true });
  expect(parseDecision([{ gate: 'g', by: 'ana', decision: 'maybe' }])).toEqual({
    ok: false,
    reason: '"decision" must be "approve" or "reject", not "maybe"',
  });
});
