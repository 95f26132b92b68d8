import fc from 'fast-check';
import { splitLines, type TextLine } from './split-lines';

async function linesOf(chunks: (Uint8Array | string)[]): Promise<TextLine[]> {
  async function* pieces() {
    yield* chunks;
  }
  const lines: TextLine[] = [];
  for await (const line of splitLines(pieces())) lines.push(line);
  return lines;
}

test('a text gives the same lines, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'é', '漢', '😀', '\n'), { maxLength: 40 }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
      async (characters, cuts) => {
        const bytes = Buffer.from(characters.join(''));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, n) => bytes.subarray(at[n], end));
        const expected = characters.join('').split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect((await linesOf(pieces)).map(({ text }) => text)).toEqual(expected);
      },
    ),
  );
});

test('a line without end and one that is no UTF-8 are reported, and the next ones are read', async () => {
  const huge = Array.from({ length: 40 }, () => 'x'.repeat(10_000));
  const lines = await linesOf(['\ufeffone\r\n', ...huge, '\ntwo\n', Buffer.from([0xff, 0x0a]), 'three']);
  expect(lines.map(({ line, text, problem }) => [line, text.trim(), problem])).toEqual([
    [1, 'one', undefined],
    [2, '', 'it is longer than 65536 bytes'],
    [3, 'two', undefined],
    [4, '', 'it is not UTF-8 text'],
    [5, 'three', undefined],
  ]);
});
