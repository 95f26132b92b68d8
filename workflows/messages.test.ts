import { parseAdjustment } from './adjustments';
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
  ['an adjustment of no kind', 'adjust', [{ step: 'a' }], '"kind" must be one of add_agent, parallelize,'],
  ['an adjustment of an unknown kind', 'adjust', [{ kind: 'AddAgent' }], 'not "AddAgent"'],
  ['an adjustment without its step', 'adjust', [{ kind: 'retry_step' }], '"step" is missing'],
  ['too many agents', 'adjust', [{ kind: 'add_agent', role: 'r', count: 101 }], '"count" must be a whole number from 1 to 100, not 101'],
  ['steps that are no list', 'adjust', [{ kind: 'parallelize', steps: 7 }], '"steps" must be a list of ids, not 7'],
  ['a list with something else in it', 'adjust', [{ kind: 'parallelize', steps: ['a', 7] }], '"steps" must be text, not 7'],
  ['a wrong force', 'adjust', [{ kind: 'skip_step', step: 'a', force: 'yes' }], '"force" must be true or false'],
  ['inputs that are no object', 'adjust', [{ kind: 'retry_step', step: 'a', inputs: [] }], '"inputs" must be an object'],
  ['inputs without end', 'adjust', [{ kind: 'retry_step', step: 'a', inputs: { a: 'x'.repeat(70_000) } }], '"inputs" are larger than'],
  ['an override without a reason', 'adjust', [{ kind: 'override_gate', gate: 'a' }], '"reason" is missing'],
  ['an output that is no text', 'adjust', [{ kind: 'set_output', step: 'a', output: 'o', value: 7, reason: 'r' }], '"value" must be text'],
  ['a token that is none', 'approve', [{ gate: 'g', by: 'ana', token: 7 }], '"token" must be a signature, not 7'],
  ['a token without end', 'approve', [{ gate: 'g', by: 'ana', token: 'x'.repeat(9_000) }], '"token" is longer than 8192 characters'],
  [
    'a signed message that grows as it is written anew',
    'adjust',
    [{ kind: 'skip_step', step: 'a', token: 'a.b.c', junk: JSON.parse(`[${'1e20,'.repeat(80_000)}1]`) as unknown }],
    'too long to be signed',
  ],
  ['a report without its step', 'report', [{ by: 'ana', progress: 1 }], '"step" is missing'],
  ['a report of nobody', 'report', [{ step: 'a', progress: 1 }], '"by" is missing: who reports?'],
  ['a report that says nothing', 'report', [{ step: 'a', by: 'ana' }], 'it says nothing'],
  ['a progress beyond the end', 'report', [{ step: 'a', by: 'ana', progress: 40 }], '"progress" must be a number from 0 to 1, not 40'],
  ['a message that is no text', 'report', [{ step: 'a', by: 'ana', message: 7 }], '"message" must be text'],
  ['a broken name of whose task it is', 'report', [{ step: 'a', agent: 'a\tb', progress: 1 }], '"agent" has control characters'],
  ['a result that is none', 'report', [{ step: 'a', by: 'ana', result: 'done' }], '"result": it is "done" instead of a result object'],
  ['a result without a status', 'report', [{ step: 'a', by: 'ana', result: {} }], 'without a "status" of success or failure'],
  [
    'a wrong verdict',
    'report',
    [{ step: 'a', by: 'ana', result: { status: 'success', verdict: 'fine' } }],
    'verdict: expected one of approved, changes_requested, rejected, blocked, got "fine"',
  ],
  [
    'a file of no workspace',
    'report',
    [{ step: 'a', by: 'ana', result: { status: 'success', outputs: { o: { path: 'o.md' } } } }],
    'outputs.o is a path, and a report has no workspace',
  ],
  [
    'texts that are too long to travel',
    'report',
    [{ step: 'a', by: 'ana', result: { status: 'success', outputs: { o: 'x'.repeat(70_000) } } }],
    'give large ones as {"artifact": "sha256:…"}',
  ],
  ['an unknown signal', 'aprove', [{ gate: 'g', by: 'ana' }], 'no such signal'],
  ['a name of Object.prototype', 'toString', [], 'no such signal'],
  ['a reserved name', '__temporal_x', [1], 'no such signal'],
])('%s is ignored with the reason', (_what, name, args, reason) => {
  const event = parseSignal(name, args, atMs);
  expect(event).toMatchObject({ type: 'signalIgnored', atMs });
  expect(event).toHaveProperty('reason', expect.stringContaining(reason));
});

test.each([
  ['by the person', { step: 's', agent: 'ana', progress: 0.5 }, { step: 's', by: 'ana', agent: 'ana', progress: 0.5 }],
  ['by somebody else', { step: 's', by: 'ma\u200bx', agent: 'ana', message: 'm' }, { step: 's', by: 'max', agent: 'ana', message: 'm' }],
  [
    'with a result: percentages become values, other keys are dropped',
    {
      step: 's',
      by: 'ana',
      task: 's#2',
      result: { status: 'success', mood: 'good', metrics: { coverage: '91.5 %', ok: true }, outputs: { a: 'text' } },
    },
    {
      step: 's',
      by: 'ana',
      task: 's#2',
      result: { status: 'success', metrics: { coverage: { value: 91.5, unit: '%' }, ok: true }, outputs: { a: 'text' } },
    },
  ],
])('a report %s', (_name, message, report) => {
  expect(parseSignal('report', [message], atMs)).toEqual({ type: 'reported', atMs, report });
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

test.each([
  [
    { kind: 'add_agent', role: 'developer' },
    { kind: 'add_agent', role: 'developer', count: 1 },
  ],
  [
    { kind: 'parallelize', steps: ['a', 'b'] },
    { kind: 'parallelize', steps: ['a', 'b'] },
  ],
  [
    { kind: 'skip_optional_steps', steps: 'a' },
    { kind: 'skip_optional_steps', steps: ['a'], force: false },
  ],
  [
    { kind: 'retry_step', step: ' a ', agent: 'd', inputs: { x: 1 } },
    { kind: 'retry_step', step: 'a', agent: 'd', inputs: { x: 1 } },
  ],
  [
    { kind: 'override_gate', phase: 'review', reason: 'r' },
    { kind: 'override_gate', gate: 'review' },
  ],
  [
    { kind: 'add_step', source: 'Workflow: w', reason: 'r' },
    { kind: 'add_step', source: 'Workflow: w', format: 'yaml' },
  ],
  [
    { kind: 'edit_step', source: 'id = "w"', format: 'toml', steps: 'a', reason: 'r' },
    { kind: 'edit_step', source: 'id = "w"', format: 'toml', steps: ['a'] },
  ],
])('an adjustment by signal: %j', (message, adjustment) => {
  expect(parseSignal('adjust', [{ by: 'ana', ...message }], atMs)).toMatchObject({
    type: 'adjusted',
    atMs,
    request: { adjustment, by: { kind: 'person', id: 'ana' }, via: 'signal' },
  });
});

test('an update that is named after a kind needs no kind', () => {
  expect(parseAdjustment([{ step: 'a' }], 'skip_step')).toMatchObject({
    ok: true,
    value: { adjustment: { kind: 'skip_step', step: 'a' } },
  });
});

test.each([
  [{ kind: 'add_step', source: 'x' }, '"reason" is missing'],
  [{ kind: 'add_step', reason: 'r' }, '"source" must be the text of the whole workflow file, not nothing'],
  [
    { kind: 'edit_step', reason: 'r', source: { Workflow: 'w' } },
    '"source" must be the text of the whole workflow file, not {"Workflow":"w"}',
  ],
  [{ kind: 'edit_step', reason: 'r', source: '\u00e4'.repeat(600_000) }, '"source" is longer than 1048576 bytes'],
  [{ kind: 'edit_step', reason: 'r', source: 'x', format: 'json' }, '"format" must be "yaml" or "toml", not "json"'],
  [{ kind: 'edit_step', reason: 'r', source: 'x', steps: [] }, '"steps" must be a list of ids, not []'],
])('an edited file that is none: %j', (message, reason) => {
  const said = parseAdjustment([message]);
  expect(said).toEqual({ ok: false, reason });
});
