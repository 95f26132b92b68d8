import { limits } from '../limits';
import type { ReadProblem } from './read-result';

/**
 * Bytes or a string to text without its BOM, with `\n` for `\r\n`, capped. A string is measured in UTF-8 bytes too, so that both
 * ways in have one limit. Line ends are made one here, because TOML keeps them in its texts: the same file checked out on Windows
 * would be another plan.
 */
export function readText(input: string | Uint8Array): { text: string; problem?: ReadProblem } {
  const tooLarge: ReadProblem = {
    code: 'too_large',
    message: `the text is over ${limits.textBytes / 1024} KiB`,
    hint: 'split the workflow, or keep long texts in files of their own',
    span: { start: 0, end: 0 },
  };
  if (typeof input === 'string') {
    const text = withoutBom(input);
    if (text.length > limits.textBytes || utf8Length(text) > limits.textBytes) return { text: '', problem: tooLarge };
    return { text: withOneLineEnd(text) };
  }
  if (input.byteLength > limits.textBytes + 3) return { text: '', problem: tooLarge };
  try {
    const text = withoutBom(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input));
    return { text: withOneLineEnd(text) };
  } catch {
    if (looksLikeUtf16(input)) return notUtf8('', 'this looks like UTF-16; save the file as UTF-8');
    return notUtf8(textBeforeInvalid(input), 'save the file as UTF-8');
  }
}

function notUtf8(before: string, hint: string): { text: string; problem: ReadProblem } {
  const span = { start: before.length, end: before.length };
  return { text: before, problem: { code: 'encoding', message: 'the file is not UTF-8', hint, span } };
}

/** What stands before the first byte that is not UTF-8. Such a byte comes back from a lenient decoder as another one. */
function textBeforeInvalid(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const mended = new TextEncoder().encode(decoder.decode(bytes));
  const invalid = bytes.findIndex((byte, index) => byte !== mended[index]);
  return withOneLineEnd(withoutBom(decoder.decode(bytes.subarray(0, invalid))));
}

function withOneLineEnd(text: string): string {
  return text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
}

function withoutBom(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes, so each half adds one.
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return length;
}

function looksLikeUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** The first character that Postgres (jsonb, text) cannot keep: NUL or half a surrogate pair; -1 when there is none. */
export function findUnkeepable(text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0) return index;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(index + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return index;
    index += 1;
  }
  return -1;
}
