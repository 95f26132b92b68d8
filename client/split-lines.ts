import { TextDecoder } from 'node:util';

export interface TextLine {
  /** From 1. */
  line: number;
  text: string;
  /** Why it cannot be read; `text` is then empty. */
  problem?: string;
}

/** Longer lines are no lines of ours, and must not fill the memory. */
const maxLineBytes = 64 * 1024;
const newline = 0x0a;

/** The lines of what comes in pieces, each piece read once. Lines may end with CR LF; the first may begin with a byte order mark. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<TextLine> {
  let line = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length <= maxLineBytes) parts.push(part);
    else parts = [];
  };
  const end = (): TextLine => {
    line += 1;
    const ended =
      length > maxLineBytes ? { line, text: '', problem: `it is longer than ${maxLineBytes} bytes` } : decode(line, Buffer.concat(parts));
    parts = [];
    length = 0;
    return ended;
  };
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, start)) {
      add(bytes.subarray(start, at));
      start = at + 1;
      yield end();
    }
    // A copy: the next piece may come in the same memory.
    if (start < bytes.length) add(Uint8Array.from(bytes.subarray(start)));
  }
  if (length > 0) yield end();
}

function decode(line: number, bytes: Uint8Array): TextLine {
  try {
    return { line, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { line, text: '', problem: 'it is not UTF-8 text' };
  }
}
