import { personName } from './person-name';

test.each([
  ['as it is', 'ana', 'ana'],
  ['blanks around it', ' ana\t', 'ana'],
  ['another kind of blank in it', 'ana\u00a0\u2009maria', 'ana maria'],
  ['a braille blank', 'ana\u2800', 'ana'],
  ['an accent of its own', 'Zoe\u0308', 'Zo\u00eb'],
  ['an accent behind a grapheme joiner', 'Zoe\u034f\u0308', 'Zo\u00eb'],
  ['a zero-width space', 'a\u200bna', 'ana'],
  ['a zero-width joiner', 'ana\u200d', 'ana'],
  ['a zero-width non-joiner', 'a\u200cna', 'ana'],
  ['a word joiner', 'ana\u2060', 'ana'],
  ['a byte order mark', '\ufeffana', 'ana'],
  ['a soft hyphen', 'a\u00adna', 'ana'],
  ['marks of direction', '\u200ea\u200fn\u061ca', 'ana'],
  ['an override of direction', '\u202eana\u202c', 'ana'],
  ['isolates', '\u2066ana\u2069', 'ana'],
  ['a variation selector', 'ana\ufe0f', 'ana'],
  ['a tag', 'ana\u{e0061}', 'ana'],
  ['a Hangul filler', 'ana\u3164', 'ana'],
  ['an annotation anchor', 'ana\ufff9', 'ana'],
  ['nothing that can be seen', '\u200b\u2060 ', ''],
])('%s', (_, written, name) => expect(personName(written)).toBe(name));

test('a name is its own form', () => {
  for (const name of ['ana maria', 'Zoë', '山田', 'O’Neil']) expect(personName(personName(name))).toBe(name);
});
