/** Signals that anybody may send and that no run may notice. */
import { deepJson, rawPayload } from './raw-signals';
import type { RawSignal } from './raw-signals';

/** A genuine vote for the first gate of the feature workflow: hidden in what is undecodable, it must not count. */
const approval = '{"gate":"3_decision_maker_approves","by":"ana","reason":"ok"}';

/** What is sent, and what the audit says of it. The genuine approval stands inside some of them: it must not count. */
export const poison: [what: string, signal: RawSignal, reason: RegExp][] = [
  ['broken JSON', { name: 'approve', payloads: [rawPayload(approval.slice(0, -1))] }, /cannot be decoded: .*JSON/],
  ['bytes that are no UTF-8', { name: 'approve', payloads: [rawPayload(Uint8Array.of(0x22, 0xff, 0xfe, 0x80))] }, /cannot be decoded/],
  ['no bytes', { name: 'approve', payloads: [rawPayload('')] }, /cannot be decoded/],
  ['no data at all', { name: 'approve', payloads: [{ metadata: { encoding: Buffer.from('json/plain') } }] }, /cannot be decoded/],
  ['no metadata', { name: 'approve', payloads: [rawPayload(approval, null)] }, /cannot be decoded: Unknown encoding/],
  ['an encoding that does not exist', { name: 'reject', payloads: [rawPayload(approval, 'bogus/enc')] }, /Unknown encoding: bogus\/enc/],
  [
    'an encoding that is no text',
    { name: 'approve', payloads: [{ metadata: { encoding: Uint8Array.of(0xff) }, data: Buffer.from(approval) }] },
    /cannot be decoded/,
  ],
  ['encrypted bytes', { name: 'approve', payloads: [rawPayload(Uint8Array.of(1, 2, 3), 'binary/encrypted')] }, /Unknown encoding/],
  ['bytes', { name: 'approve', payloads: [rawPayload(approval, 'binary/plain')] }, /one JSON object/],
  ['a null payload', { name: 'approve', payloads: [rawPayload('', 'binary/null')] }, /one JSON object/],
  ['nothing', { name: 'approve' }, /one JSON object, not nothing/],
  [
    'two arguments, the second one undecodable',
    { name: 'approve', payloads: [rawPayload(approval), rawPayload('{')] },
    /one JSON object, not 2 arguments/,
  ],
  [
    'two arguments, the first one undecodable',
    { name: 'approve', payloads: [rawPayload('x', 'bogus/enc'), rawPayload(approval)] },
    /one JSON object, not 2 arguments/,
  ],
  ['a list', { name: 'approve', payloads: [rawPayload(`[${approval}]`)] }, /one JSON object/],
  ['JSON too deep to print', { name: 'approve', payloads: [rawPayload(deepJson(100_000))] }, /cannot be decoded: .*deep/],
  [
    'a gate too deep to print',
    { name: 'approve', payloads: [rawPayload(`{"gate":${deepJson(100_000)},"by":"ana"}`)] },
    /cannot be decoded: .*deep/,
  ],
  ['fields of the prototype', { name: 'approve', payloads: [rawPayload(`{"__proto__":${approval}}`)] }, /"gate" is missing/],
  ['a pause without a reason', { name: 'pause', payloads: [rawPayload('{}')] }, /"reason" is missing/],
  ['a cancel with a wrong flag', { name: 'cancel', payloads: [rawPayload('{"reason":"r","noRollback":1}')] }, /noRollback/],
  ['an unknown signal', { name: 'aprove', payloads: [rawPayload(approval)] }, /no such signal/],
  ['an unknown signal with an unknown encoding', { name: 'x', payloads: [rawPayload('x', 'bogus/enc')] }, /no such signal/],
  ['a signal of Object.prototype', { name: 'toString', payloads: [rawPayload(approval)] }, /no such signal/],
  ['a signal called __proto__', { name: '__proto__', payloads: [rawPayload(approval)] }, /no such signal/],
  ['a reserved name', { name: '__temporal_x', payloads: [rawPayload(approval)] }, /no such signal/],
  ['the reserved prefix alone', { name: '__temporal_' }, /no such signal/],
  ["the SDK's own signal", { name: '__temporal_workflow_stream_publish', payloads: [rawPayload('{}')] }, /no such signal/],
  ['__stack_trace', { name: '__stack_trace' }, /no such signal/],
  ['__enhanced_stack_trace', { name: '__enhanced_stack_trace', payloads: [rawPayload('{')] }, /no such signal/],
  ['a name that a database cannot keep', { name: 'a\u0000b' }, /no such signal/],
  ['a name cut inside a character', { name: `${'x'.repeat(79)}😀😀` }, /no such signal/],
  [
    'names that Postgres cannot keep',
    { name: 'reject', payloads: [rawPayload('{"gate":"g\\u0000","by":"a\\u0000\\ud800"}')] },
    /"gate" has control characters or broken text/,
  ],
  ['junk headers', { name: 'headers', header: { tracing: rawPayload('{'), '': rawPayload('x', 'bogus/enc') } }, /no such signal/],
];

/** Well-formed votes at gates that there are not: audited as votes that were ignored. */
export const strayVotes: typeof poison = [
  [
    'a gate that Object.prototype has',
    { name: 'approve', payloads: [rawPayload('{"gate":"constructor","by":"ana"}')] },
    /there is no gate constructor/,
  ],
  ['a gate called __proto__', { name: 'approve', payloads: [rawPayload('{"gate":"__proto__","by":"ana"}')] }, /there is no gate __proto__/],
  [
    'a reason that Postgres cannot keep',
    { name: 'reject', payloads: [rawPayload('{"gate":"g","by":"a","reason":"\\u0000\\ud800"}')] },
    /there is no gate g/,
  ],
];
