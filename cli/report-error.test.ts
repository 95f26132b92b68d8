import { joinHint } from './report-error';

test.each([
  ['no server', 'start one', 'no server: start one'],
  ['no server.', 'Start one.', 'no server: start one'],
  ['no server', 'TEMPORAL_ADDRESS must be set.', 'no server: TEMPORAL_ADDRESS must be set'],
  ['no server', 'Node.js 20 is needed', 'no server: Node.js 20 is needed'],
  ['no server', undefined, 'no server'],
  ['line 1\nline 2', 'Mend it.', 'line 1\nline 2\n  mend it'],
  ['x'.repeat(170), 'Start one with this.', `${'x'.repeat(170)}\n  start one with this`],
])('%j and %j', (message, hint, expected) => expect(joinHint(message, hint)).toBe(expected));
