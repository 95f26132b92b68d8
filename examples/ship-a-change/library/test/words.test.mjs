import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from '../src/words.mjs';

test('finds words', () => assert.deepEqual(words("It's 3 o’clock, Ana."), ["It's", '3', 'o’clock', 'Ana']));
test('an empty text has none', () => assert.deepEqual(words(''), []));
