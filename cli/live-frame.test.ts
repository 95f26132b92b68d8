import { LiveFrame } from './live-frame';

/** Just enough of a terminal: what a person would see after these writes. */
function aTerminal(columns: number, rows: number) {
  const lines: string[] = [''];
  let row = 0;
  let hidden = false;
  return {
    columns,
    rows,
    isTTY: true as const,
    get screen() {
      return lines.slice(0, row).join('\n');
    },
    get isCursorHidden() {
      return hidden;
    },
    write(text: string) {
      // eslint-disable-next-line no-control-regex -- a terminal speaks in these
      for (const [part] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) {
        if (part === '\u001b[?25l') hidden = true;
        else if (part === '\u001b[?25h') hidden = false;
        else if (part === '\n') lines[++row] ??= '';
        else if (part === '\u001b[J') lines.splice(row, lines.length, '');
        else if (part.endsWith('A')) row -= Number(part.slice(2, -1));
        else if (part !== '\r' && part !== '\u001b[K') {
          // Long text wraps.
          for (let from = 0; from < part.length; from += columns) {
            if (from > 0) row += 1;
            lines[row] = part.slice(from, from + columns);
          }
        }
      }
    },
  };
}

test('each frame replaces the one before, whatever their heights', () => {
  const terminal = aTerminal(20, 10);
  const frame = new LiveFrame(terminal);
  for (const text of ['one', 'one\ntwo\nthree', 'four\nfive', 'one\ntwo\nthree\nfour']) {
    frame.draw(text);
    expect(terminal.screen).toBe(text);
  }
  expect(terminal.isCursorHidden).toBe(true);
  frame.close();
  expect(terminal.isCursorHidden).toBe(false);
});

test('lines that wrap are counted as what they take', () => {
  const terminal = aTerminal(5, 10);
  const frame = new LiveFrame(terminal);
  frame.draw('abcdefgh\nx');
  frame.draw('next');
  expect(terminal.screen).toBe('next');
});

test('a frame is never higher than the terminal', () => {
  const terminal = aTerminal(20, 4);
  const frame = new LiveFrame(terminal);
  frame.draw('1\n2\n3\n4\n5');
  expect(terminal.screen).toBe('1\n2\n3');
});

test('an unchanged frame writes nothing', () => {
  let writes = 0;
  const frame = new LiveFrame({ columns: 20, rows: 10, write: () => (writes += 1) });
  frame.draw('same');
  const before = writes;
  frame.draw('same');
  expect(writes).toBe(before);
});
