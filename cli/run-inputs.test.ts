import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanInput } from '../core/plan/types';
import { parseInputs } from './run-inputs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vapora-inputs-'));
  writeFileSync(join(folder, 'spec.md'), '# Spec\n');
  writeFileSync(join(folder, 'data.json'), '{"a": [1, 2]}');
  writeFileSync(join(folder, 'broken.json'), '{"a": ');
  writeFileSync(join(folder, 'count.txt'), '3\n');
  writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const declare = (name: string, type: PlanInput['type']): PlanInput => ({ name, type, required: false });
const declared = [
  declare('n', 'number'),
  declare('flag', 'boolean'),
  declare('list', 'list'),
  declare('text', 'string'),
  declare('file', 'file'),
  declare('wait', 'duration'),
];

test.each<[string[], Record<string, unknown>]>([
  [[], {}],
  [['a=b'], { a: 'b' }],
  [['a=b=c'], { a: 'b=c' }],
  [['a='], { a: '' }],
  [['a=1'], { a: '1' }],
  [['n=1.5', 'flag=true', 'wait=2h'], { n: 1.5, flag: true, wait: '2h' }],
  [['text=1'], { text: '1' }],
  [['list=a, b,c'], { list: ['a', 'b', 'c'] }],
  [['list=["a", {"b": 1}]'], { list: ['a', { b: 1 }] }],
  [['list='], { list: [] }],
  [['a=@spec.md'], { a: '# Spec\n' }],
  [['a=@data.json'], { a: { a: [1, 2] } }],
  [['text=@data.json'], { text: '{"a": [1, 2]}' }],
  [['n=@count.txt'], { n: 3 }],
])('%j', (written, expected) => expect(parseInputs(written, declared, folder)).toEqual(expected));

test('names that would reach a prototype are just names', () => {
  const inputs = parseInputs(['__proto__=x', 'constructor=y'], declared, folder);
  expect(Object.keys(inputs)).toEqual(['__proto__', 'constructor']);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test.each([
  [['a'], 'has no value'],
  [['=b'], 'has no value'],
  [['a=1', 'a=2'], 'given twice'],
  [['n=many'], 'is not a number'],
  [['n='], 'is not a number'],
  [['flag=yes'], 'is not true or false'],
  [['list=[1'], 'is not a JSON list'],
  [['a=@nowhere'], 'cannot read nowhere: no such file'],
  [['a=@.'], 'it is a folder'],
  [['a=@broken.json'], 'is not JSON'],
  [['a=@binary'], 'is not UTF-8'],
])('%j is refused', (written, message) => {
  expect(() => parseInputs(written, declared, folder)).toThrow(
    expect.objectContaining({ code: 'bad_usage', message: expect.stringContaining(message) }),
  );
});
