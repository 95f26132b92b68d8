import { colorsFor, detectRenderOptions, fitLine, plainOptions, plainText, symbolOf, tableLines, textWidth, treeLines } from './style';

describe('detectRenderOptions', () => {
  const terminal = { isTTY: true, columns: 100 };
  const utf8 = { LANG: 'en_US.UTF-8', TERM: 'xterm-256color' };
  test.each([
    ['a terminal', terminal, utf8, { width: 100, color: true, unicode: true, emoji: true }],
    ['a terminal of unknown size', { isTTY: true, columns: 0 }, utf8, { width: 80, color: true, unicode: true, emoji: true }],
    ['a pipe', {}, utf8, { width: Infinity, color: false, unicode: true, emoji: false }],
    ['NO_COLOR', terminal, { ...utf8, NO_COLOR: '1' }, { width: 100, color: false, unicode: true, emoji: true }],
    ['an empty NO_COLOR', terminal, { ...utf8, NO_COLOR: '' }, { width: 100, color: true, unicode: true, emoji: true }],
    ['a pipe with FORCE_COLOR', {}, { ...utf8, FORCE_COLOR: '1' }, { width: Infinity, color: true, unicode: true, emoji: false }],
    ['a dumb terminal', terminal, { ...utf8, TERM: 'dumb' }, { width: 100, color: false, unicode: false, emoji: false }],
    ['the Linux console', terminal, { ...utf8, TERM: 'linux' }, { width: 100, color: true, unicode: true, emoji: false }],
    ['the C locale', terminal, { LANG: 'C', TERM: 'xterm' }, { width: 100, color: true, unicode: false, emoji: false }],
    ['LC_ALL over LANG', terminal, { ...utf8, LC_ALL: 'C' }, { width: 100, color: true, unicode: false, emoji: false }],
  ])('%s', (_, stream, environment, expected) => expect(detectRenderOptions(stream, environment, 'linux')).toEqual(expected));
});

test.each([
  ['red', '\u001b[31mred\u001b[0m'],
  ['one two', 'one\ntwo'],
  ['title ', 'title\u0007'],
  ['a b', 'a\u202eb'],
])('plainText gives %j', (expected, text) => expect(plainText(text)).toBe(expected));

test.each([
  ['abc', 3],
  ['🟢', 2],
  ['⏳ x', 4],
  ['日本', 4],
  ['e\u0301', 1],
  ['\u001b[31mred\u001b[0m', 3],
])('%j takes %d columns', (text, width) => expect(textWidth(text)).toBe(width));

describe('fitLine', () => {
  const options = { ...plainOptions, width: 8, unicode: true };
  test.each([
    ['short', 'short'],
    ['exactly8', 'exactly8'],
    ['longer than 8', 'longer …'],
    ['日本日本日本', '日本日…'],
  ])('%s', (line, expected) => expect(fitLine(line, options)).toBe(expected));

  test('a coloured line is cut by what is seen, and its colour ends', () => {
    const { red } = colorsFor({ ...options, color: true });
    const cut = fitLine(red('longer than 8'), options);
    expect(textWidth(cut)).toBe(8);
    expect(cut.endsWith('\u001b[0m…')).toBe(true);
  });
});

test('a tree counts what it does not show', () => {
  expect(treeLines(['a', 'b', 'c', 'd'], { ...plainOptions, listLimit: 3 })).toEqual(['|- a', '|- b', '`- and 2 more']);
  expect(treeLines([], plainOptions)).toEqual([]);
});

test('a table aligns by columns seen', () => {
  expect(
    tableLines([
      ['A', 'B'],
      ['日本', 'x'],
    ]),
  ).toEqual(['A     B', '日本  x']);
});

test('symbols fall back from emoji to unicode to ASCII', () => {
  const forms = [
    { emoji: true, unicode: true },
    { emoji: false, unicode: true },
    { emoji: false, unicode: false },
  ];
  expect(forms.map((form) => symbolOf('done', { ...plainOptions, ...form }))).toEqual(['✅', '✔', '[done]']);
});
