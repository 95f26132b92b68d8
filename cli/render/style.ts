import { stripVTControlCharacters } from 'node:util';
import pico from 'picocolors';

/** What the place that text goes to can show. Renderers are pure functions of a view and this. */
export interface RenderOptions {
  /** Columns; Infinity where lines are not cut (pipes, files). */
  width: number;
  color: boolean;
  /** Box drawing, bars and arrows; otherwise ASCII. */
  unicode: boolean;
  /** Symbols as emoji, as the specification's dashboard has them. */
  emoji: boolean;
  /** Rows a list may have before the rest is counted instead of shown. */
  listLimit?: number;
  /** Needed where a view speaks of what still runs. Milliseconds since the epoch. */
  nowMs?: number;
  /** Who types the commands that are shown. */
  user?: string;
}

/** A pipe's: complete, no colour, no emoji. */
export const plainOptions: RenderOptions = { width: Infinity, color: false, unicode: false, emoji: false };

export interface OutputStream {
  isTTY?: boolean;
  columns?: number;
}

/** A terminal that does not know its size says 0, or nothing. */
export function terminalSize({ columns = 0, rows = 0 }: { columns?: number; rows?: number }): { columns: number; rows: number } {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/** What a stream can show, by its kind and the environment (NO_COLOR, FORCE_COLOR, TERM, the locale). */
export function detectRenderOptions(
  stream: OutputStream,
  environment: NodeJS.ProcessEnv,
  platform: string = process.platform,
): RenderOptions {
  const isTerminal = stream.isTTY === true;
  const term = environment['TERM'] ?? '';
  const isDumb = term === 'dumb';
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  const unicode = /utf-?8/i.test(locale) || (platform === 'win32' && environment['WT_SESSION'] !== undefined) || platform === 'darwin';
  const isColorRefused = (environment['NO_COLOR'] ?? '') !== '' || environment['FORCE_COLOR'] === '0';
  const isColorForced = (environment['FORCE_COLOR'] ?? '') !== '';
  return {
    width: isTerminal ? terminalSize(stream).columns : Infinity,
    color: !isColorRefused && (isColorForced || (isTerminal && !isDumb)),
    unicode: unicode && !isDumb,
    // The Linux console and dumb terminals have no emoji glyphs.
    emoji: isTerminal && unicode && !isDumb && term !== 'linux',
  };
}

const symbolTable = {
  active: ['🟢', '●', '*'],
  waiting: ['🟡', '◐', '~'],
  pending: ['⏳', '○', '-'],
  done: ['✅', '✔', '[done]'],
  failed: ['❌', '✖', '[failed]'],
  undone: ['↩', '↩', '[undone]'],
  skipped: ['⏭', '⤼', '[skipped]'],
  branch: ['├─', '├─', '|-'],
  lastBranch: ['└─', '└─', '`-'],
  vertical: ['│', '│', '|'],
  barDone: ['█', '█', '#'],
  barOpen: ['░', '░', '.'],
  undoBar: ['▒', '▒', '<'],
  then: ['→', '→', '->'],
  /** A day on which nothing was done. */
  gap: ['·', '·', ' '],
  times: ['×', '×', 'x'],
  ellipsis: ['…', '…', '...'],
} as const;
export type SymbolName = keyof typeof symbolTable;

/** The symbol as this output can show it. */
export function symbolOf(name: SymbolName, options: RenderOptions): string {
  return symbolTable[name][options.emoji ? 0 : options.unicode ? 1 : 2];
}

export type Colors = ReturnType<typeof pico.createColors>;

export function colorsFor(options: RenderOptions): Colors {
  return pico.createColors(options.color);
}

/** Text from an agent or a person, safe to print: no control sequences, on one line. */
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

/** Columns that text takes on a terminal: wide characters count two, combining ones none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += characterWidth(character.codePointAt(0) ?? 0);
  return width;
}

function characterWidth(code: number): number {
  if (code === 0x200d || (code >= 0x0300 && code <= 0x036f) || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    code === 0x23f3 ||
    code === 0x23ed ||
    code === 0x2705 ||
    code === 0x274c ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}

/** Cuts a line to the width, with an ellipsis. Lines with colour are cut by visible columns and closed. */
export function fitLine(line: string, options: RenderOptions): string {
  if (textWidth(line) <= options.width) return line;
  const ellipsis = symbolOf('ellipsis', options);
  const room = options.width - textWidth(ellipsis);
  if (room <= 0) return '';
  let shown = '';
  let width = 0;
  let isColored = false;
  // eslint-disable-next-line no-control-regex -- colour sequences are kept whole
  for (const [part] of line.matchAll(/\u001b\[[0-9;]*m|[\s\S]/gu)) {
    if (part.startsWith('\u001b')) {
      isColored = true;
      shown += part;
      continue;
    }
    const partWidth = characterWidth(part.codePointAt(0) ?? 0);
    if (width + partWidth > room) break;
    shown += part;
    width += partWidth;
  }
  return `${shown}${isColored ? '\u001b[0m' : ''}${ellipsis}`;
}

/** Cuts every line to the width. */
export function fitLines(lines: string[], options: RenderOptions): string {
  return lines.map((line) => fitLine(line.trimEnd(), options)).join('\n');
}

/** Pads to a width in columns, never cuts. */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** A tree of one level. An empty list gives no lines. */
export function treeLines(items: string[], options: RenderOptions): string[] {
  const limit = options.listLimit ?? Infinity;
  const shown =
    items.length <= limit ? items : [...items.slice(0, Math.max(0, limit - 1)), `and ${items.length - Math.max(0, limit - 1)} more`];
  return shown.map((item, index) => `${symbolOf(index === shown.length - 1 ? 'lastBranch' : 'branch', options)} ${item}`);
}

/** Columns aligned by their widest cell, two spaces between. The first row is the header. */
export function tableLines(rows: string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, textWidth(cell))));
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : padText(cell, widths[column] ?? 0))).join('  '));
}
