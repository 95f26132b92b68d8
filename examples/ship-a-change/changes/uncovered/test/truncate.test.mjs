import assert from 'node:assert/strict';
import { test } from 'node:test';
import { truncate } from '../src/truncate.mjs';

test('a short text stays', () => assert.equal(truncate('short', 10), 'short'));
test('a long text is cut at a word', () => assert.equal(truncate('ship a small change', 12), 'ship a…'));
test('a word that just fits is kept', () => assert.equal(truncate('ship a change', 7), 'ship a…'));
test('one long word is cut where it must', () => assert.equal(truncate('incomprehensible', 6), 'incom…'));
test('the mark counts', () => assert.equal(truncate('one two three', 9, '...'), 'one...'));
test('a limit without room is refused', () => assert.throws(() => truncate('text', 1), RangeError));
test('a limit that is no number is refused', () => assert.throws(() => truncate('text', Number.NaN), RangeError));
