import { isSameArtifactName, matchOutputs } from './output-names';

test.each([
  ['design_doc', 'design_doc.md', true],
  ['design_doc.md', 'design_doc', true],
  ['a.md', 'a.md', true],
  ['a.md', 'a.txt', false],
  ['a', 'a.tar.gz', false],
  ['a', 'ab', false],
])('%s and %s are one artifact: %s', (one, other, expected) => {
  expect(isSameArtifactName(one, other)).toBe(expected);
});

test.each<[string[], Record<string, string>, { outputs: Record<string, string>; missing: string[] }]>([
  [['a.md'], { a: '1', more: '2' }, { outputs: { 'a.md': '1', more: '2' }, missing: [] }],
  [['a', 'a.md'], { 'a.md': '1' }, { outputs: { 'a.md': '1' }, missing: ['a'] }],
  [['a', 'b'], { a: '1' }, { outputs: { a: '1' }, missing: ['b'] }],
  [['constructor'], {}, { outputs: {}, missing: ['constructor'] }],
])('promised %j, delivered %j', (promised, delivered, expected) => {
  expect(matchOutputs(promised, delivered)).toEqual(expected);
});
