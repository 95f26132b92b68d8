import fc from 'fast-check';
import { jsonBytes, shortenText, utf8Bytes } from './text-size';

test('a text has as many bytes as UTF-8 makes of it', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => utf8Bytes(text) === Buffer.byteLength(text)));
});

test('a value has those of its JSON', () => {
  expect(jsonBytes({ a: 'ü"' })).toBe(12);
  expect(jsonBytes(undefined)).toBe(0);
});

test('a short text is whole, a long one ends where it was cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
      const short = shortenText(text, max);
      expect(short.length).toBeLessThanOrEqual(max);
      expect(short.isWellFormed()).toBe(true);
      if (text.length <= max) expect(short).toBe(text);
      else expect(text.startsWith(short.slice(0, -1)) && short.endsWith('…')).toBe(true);
    }),
  );
});
