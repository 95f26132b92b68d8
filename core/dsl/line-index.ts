import type { SourceRange } from '../plan/diagnostic';
import type { Span } from './document';

/**
 * Offsets to 1-based lines and columns. Columns count characters (code points), so offsets of surrogate pairs are indexed too:
 * every conversion is a binary search, whatever the length of a line.
 */
export class LineIndex {
  readonly #lineStarts: number[] = [0];
  /** Offsets of the second halves of surrogate pairs. */
  readonly #lowSurrogates: number[] = [];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let offset = 0; offset < text.length; offset += 1) {
      const unit = text.charCodeAt(offset);
      if (unit === 10) this.#lineStarts.push(offset + 1);
      else if (unit >= 0xdc00 && unit <= 0xdfff) this.#lowSurrogates.push(offset);
    }
  }

  positionOf(offset: number): { line: number; column: number } {
    const at = Math.max(0, Math.min(offset, this.#length));
    const line = countBelow(this.#lineStarts, at + 1);
    const start = this.#lineStarts[line - 1] ?? 0;
    const pairs = countBelow(this.#lowSurrogates, at) - countBelow(this.#lowSurrogates, start);
    return { line, column: at - start - pairs + 1 };
  }

  rangeOf(span: Span): SourceRange {
    const start = this.positionOf(span.start);
    const end = this.positionOf(Math.max(span.end, span.start));
    return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
  }

  /** The offset of a 1-based line and a column in UTF-16 units, as other parsers report them. */
  offsetOf(line: number, column: number): number {
    const start = this.#lineStarts[Math.max(0, line - 1)] ?? this.#length;
    return Math.min(this.#length, start + Math.max(0, column - 1));
  }
}

/** How many of the sorted numbers are less than `bound`. */
function countBelow(sorted: readonly number[], bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
