import type { Payload } from '@temporalio/common';
import { payloadConverter } from './payload-converter';

const payload = (data: string | Uint8Array, encoding?: string): Payload => ({
  data: typeof data === 'string' ? Buffer.from(data) : data,
  ...(encoding !== undefined && { metadata: { encoding: Buffer.from(encoding) } }),
});

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

test.each<[value: unknown]>([[{ a: [1, null, 'ü'] }], ['x'], [null], [0], [false], [JSON.parse(nested(200))]])('%j comes back', (value) => {
  expect(payloadConverter.fromPayload(payloadConverter.toPayload(value))).toEqual(value);
});

test.each<[what: string, payload: Payload, reason: RegExp]>([
  ['an unknown encoding', payload('x', 'bogus/enc'), /Unknown encoding: bogus/],
  ['broken JSON', payload('{', 'json/plain'), /JSON/],
  ['no bytes', payload('', 'json/plain'), /JSON/],
  ['no data', { metadata: { encoding: Buffer.from('json/plain') } }, /./],
  ['no metadata', payload('{}'), /./],
  ['a nest', payload(nested(202), 'json/plain'), /deeper than 200 levels/],
  ['a nest that no recursion survives', payload(`{"a":${nested(200_000)}}`, 'json/plain'), /deeper than 200 levels/],
])('%s is undecodable, not an exception', (_what, bad, reason) => {
  expect(payloadConverter.fromPayload(bad)).toEqual({ undecodable: expect.stringMatching(reason) as unknown });
});
