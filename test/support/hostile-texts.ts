import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { keySpecs } from '../../core/dsl/keys';

export interface HostileText {
  input: string | Uint8Array;
  format: 'yaml' | 'toml';
}

const root = path.join(__dirname, '../..');
const folders = ['examples', 'test/fixtures/workflows'];

/** The workflow files of the examples and the fixtures, right and wrong ones. */
function readSources(): { text: string; format: HostileText['format'] }[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ya?ml|toml)$/u.test(name))
      .sort()
      .map((name) => ({
        text: readFileSync(path.join(root, folder, name), 'utf8'),
        format: name.endsWith('.toml') ? ('toml' as const) : ('yaml' as const),
      })),
  );
}

/** Every value that stands behind a key on one line. */
function valuesOf(sources: readonly { text: string }[]): string[] {
  return [...new Set(sources.flatMap(({ text }) => [...text.matchAll(/[:=] (\S.*)$/gmu)].map(([, value = '']) => value)))];
}

/** What the syntaxes and the language are made of. */
const syntaxWords = [
  ...['- ', ': ', '\n', '  ', '{', '}', '[', ']', ',', '"', "'", '|', '>', '&a ', '*a', '!', '#', '%', '? ', '<<: ', '---\n', '...\n'],
  ...['\t', '\r', '\r\n', '\u0000', '\ud800', '\ufeff', '🙂', '\u001b[31m', '=', '[[', ']]', '"""', "'''", '\\', '.', '\\u0000', '\\x'],
  ...['null', '~', 'true', 'no', '0', '-1', '1e999', '.inf', '.nan', '0x1F', '1_000', '2025-11-09T10:00:00Z', '9'.repeat(400)],
  ...['45min', '1h30m', 'PT1H', '85%', '$2.50', '5', '-5min', '1h1h'],
  ...['__proto__', 'constructor', 'toString', 'a', 'b', 's1', 'main', 'developer', 'decision-maker', 'monitor', 'security', 'production'],
  ...[
    'coverage > 85%',
    'all_approved',
    'passed(a)',
    'not (',
    ' and ',
    ' or ',
    'steps.a.x',
    'count(approved) >= 2',
    ' in (',
    "'x'",
    ' * ',
    '!',
  ],
];
const keyWords = keySpecs.map(({ name }) => `${name}: `);
const words = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...syntaxWords) },
  { weight: 3, arbitrary: fc.constantFrom(...keyWords) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8, unit: 'binary' }) },
);

const edit = fc.record({
  at: fc.nat(20_000),
  length: fc.nat(40),
  kind: fc.constantFrom('cut', 'double', 'overwrite', 'insert', 'reverse', 'move'),
  word: words,
});

function applyEdits(text: string, edits: readonly { at: number; length: number; kind: string; word: string }[]): string {
  return edits.reduce((current, { at, length, kind, word }) => {
    const start = at % (current.length + 1);
    const [before, piece, after] = [current.slice(0, start), current.slice(start, start + length), current.slice(start + length)];
    const changes: Record<string, string> = {
      cut: before + after,
      double: before + piece + piece + after,
      overwrite: before + word + after,
      insert: before + word + piece + after,
      reverse: before + piece.split('').reverse().join('') + after,
      move: after + before + piece,
    };
    return changes[kind] ?? current;
  }, text);
}

/** Lines of a text left out, doubled, swapped or indented anew. */
function shuffleLines(text: string, moves: readonly { at: number; indent: number }[]): string {
  const lines = text.split('\n');
  for (const { at, indent } of moves) {
    const index = at % lines.length;
    const line = lines[index] ?? '';
    if (indent < 0) lines.splice(index, 1);
    else if (indent > 12) lines.splice((at * 7) % lines.length, 0, line);
    else lines[index] = ' '.repeat(indent) + line.trimStart();
  }
  return lines.join('\n');
}

/** Values put elsewhere: still well-formed, mostly, and wrong. */
function exchangeValues(text: string, moves: readonly { at: number; word: string }[]): string {
  const lines = text.split('\n');
  for (const { at, word } of moves) {
    const index = at % lines.length;
    lines[index] = (lines[index] ?? '').replace(/([:=] )(?:"[^"]*"|\S+)/u, (_, sign: string) => sign + word);
  }
  return lines.join('\n');
}

/** Random bytes, soups of words, and the project's own workflow files, damaged. */
export function hostileTexts(): fc.Arbitrary<HostileText> {
  const sources = readSources();
  const source = fc.constantFrom(...sources);
  const format = fc.constantFrom('yaml' as const, 'toml' as const);
  const edited = fc
    .tuple(source, fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([{ text, format: own }, edits]): HostileText => ({ input: applyEdits(text, edits), format: own }));
  const reindented = fc
    .tuple(source, fc.array(fc.record({ at: fc.nat(500), indent: fc.integer({ min: -3, max: 16 }) }), { minLength: 1, maxLength: 5 }))
    .map(([{ text, format: own }, moves]): HostileText => ({ input: shuffleLines(text, moves), format: own }));
  const value = fc.oneof(
    fc.constantFrom(...syntaxWords.filter((word) => /^[\w$%.:() =>'-]+$/u.test(word))),
    fc.constantFrom(...valuesOf(sources)),
  );
  const exchanged = fc
    .tuple(source, fc.array(fc.record({ at: fc.nat(500), word: value }), { minLength: 1, maxLength: 6 }))
    .map(([{ text, format: own }, moves]): HostileText => ({ input: exchangeValues(text, moves), format: own }));
  const spliced = fc.tuple(source, source, fc.nat(), fc.nat()).map(([first, second, from, to]): HostileText => {
    const [head, tail] = [first.text.split('\n'), second.text.split('\n')];
    return { input: [...head.slice(0, from % head.length), ...tail.slice(to % tail.length)].join('\n'), format: first.format };
  });
  const misread = source.map(({ text, format: own }): HostileText => ({ input: text, format: own === 'yaml' ? 'toml' : 'yaml' }));
  const soup = fc
    .tuple(
      fc.array(words, { maxLength: 40 }),
      fc.constantFrom('', 'Workflow: w\nSteps:\n', 'Workflow: w\nSteps: {a: {', '[Steps.a]\n'),
      format,
    )
    .map(([parts, head, chosen]): HostileText => ({ input: head + parts.join(''), format: chosen }));
  const bytes = fc
    .tuple(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 200 })), format)
    .map(([input, chosen]): HostileText => ({ input, format: chosen }));
  return fc.oneof(
    { weight: 6, arbitrary: edited },
    { weight: 8, arbitrary: exchanged },
    { weight: 4, arbitrary: reindented },
    { weight: 3, arbitrary: spliced },
    { weight: 4, arbitrary: soup },
    { weight: 2, arbitrary: bytes },
    { weight: 1, arbitrary: misread },
  );
}
