import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.mjs';

test('joins words by hyphens', () => assert.equal(slug('Ship a Change!'), 'ship-a-change'));
test('drops accents', () => assert.equal(slug('Año Nuevo'), 'ano-nuevo'));
test('a title without letters is empty', () => assert.equal(slug(' -- '), ''));
