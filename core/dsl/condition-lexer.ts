import type { ConditionUnit } from '../plan/condition';
import { parseDuration, unitToMs } from './values';

export type Lexeme = { start: number; end: number; text: string } & (
  { kind: 'number'; value: number; unit?: ConditionUnit } | { kind: 'string'; value: string } | { kind: 'name' | 'operator' | 'end' }
);

/** A place where a condition cannot be parsed, in offsets of the condition's own text. */
export class ConditionSyntaxError extends Error {
  readonly hint: string | undefined;
  readonly start: number;
  readonly end: number;

  constructor(message: string, at: { start: number; end: number }, hint?: string) {
    super(message);
    this.hint = hint;
    this.start = at.start;
    this.end = Math.max(at.end, at.start);
  }
}

const spaces = /[\s]*/uy;
const namePattern = /[\p{L}_][\p{L}\p{N}_]*/uy;
/** After `steps.` and in `passed(…)` an id may begin with a digit. */
const idPattern = /[\p{L}\p{N}_]+/uy;
const numberPattern = /\d+(?:\.\d+)?/uy;
const durationPattern = /\d+(?:\.\d+)?[a-zA-Z]+(?:\d+(?:\.\d+)?[a-zA-Z]+)*/uy;
const unitPattern = /[a-zA-Z]+/uy;
const operators = ['&&', '||', '==', '!=', '<=', '>=', '<', '>', '!', '+', '-', '*', '/', '(', ')', '[', ']', ',', '.'];

/** Lexemes on demand: what `7a` is depends on where the parser stands. */
export class ConditionLexer {
  readonly #text: string;
  #offset = 0;
  #peeked: Lexeme | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): Lexeme {
    this.#peeked ??= this.#read();
    return this.#peeked;
  }

  next(): Lexeme {
    const token = this.peek();
    if (token.kind === 'number' && !Number.isFinite(token.value)) throw new ConditionSyntaxError('the number is too large', token);
    this.#peeked = undefined;
    this.#offset = token.end;
    return token;
  }

  peekIsString(): boolean {
    this.#skipSpaces();
    return this.#text[this.#offset] === '"' || this.#text[this.#offset] === "'";
  }

  /** An id, which may begin with a digit. */
  nextId(): { text: string; start: number; end: number } {
    this.#peeked = undefined;
    this.#skipSpaces();
    const start = this.#offset;
    const text = this.#match(idPattern, start);
    if (text === undefined) {
      const found = this.#read();
      throw new ConditionSyntaxError(
        'a name is expected here',
        found,
        'an id that is not a plain name is quoted, like `passed("code-review")`',
      );
    }
    this.#offset = start + text.length;
    return { text, start, end: this.#offset };
  }

  #read(): Lexeme {
    this.#skipSpaces();
    const start = this.#offset;
    const character = this.#text[start];
    if (character === undefined) return { kind: 'end', text: '', start, end: start };
    if (character === '"' || character === "'") return this.#string(start, character);
    if (character === '$') return this.#money(start);
    if (character >= '0' && character <= '9') return this.#number(start);
    const name = this.#match(namePattern, start);
    if (name !== undefined) {
      const iso = /^P(?:T?\d)/u.test(name) ? parseDuration(name) : undefined;
      if (iso !== undefined) return { kind: 'number', value: iso, unit: 'ms', text: name, start, end: start + name.length };
      return { kind: 'name', text: name, start, end: start + name.length };
    }
    const operator =
      operators.find((candidate) => this.#text.startsWith(candidate, start)) ?? String.fromCodePoint(this.#text.codePointAt(start) ?? 0);
    return { kind: 'operator', text: operator, start, end: start + operator.length };
  }

  #string(start: number, quote: string): Lexeme {
    const end = this.#text.indexOf(quote, start + 1);
    if (end < 0) throw new ConditionSyntaxError('the quoted text does not end', { start, end: this.#text.length });
    return { kind: 'string', value: this.#text.slice(start + 1, end), text: this.#text.slice(start, end + 1), start, end: end + 1 };
  }

  #money(start: number): Lexeme {
    const digits = this.#match(numberPattern, start + 1);
    if (digits === undefined) throw new ConditionSyntaxError('an amount is expected after `$`', { start, end: start + 1 }, 'like `$2.50`');
    const end = start + 1 + digits.length;
    return { kind: 'number', value: Number(digits), unit: 'usd', text: this.#text.slice(start, end), start, end };
  }

  #number(start: number): Lexeme {
    const digits = this.#match(numberPattern, start) ?? '';
    const bareEnd = start + digits.length;
    const written = this.#match(durationPattern, start);
    if (written !== undefined) {
      const end = start + written.length;
      const ms = parseDuration(written);
      if (ms === undefined) {
        throw new ConditionSyntaxError(
          `\`${written.slice(0, 40)}\` is no number with a unit`,
          { start, end },
          'units: %, ms, s, min, h, d; an id that begins with a digit is quoted',
        );
      }
      return { kind: 'number', value: ms, unit: 'ms', text: written, start, end };
    }
    const afterSpaces = this.#skipped(bareEnd);
    if (this.#text[afterSpaces] === '%') {
      return {
        kind: 'number',
        value: Number(digits),
        unit: 'percent',
        text: this.#text.slice(start, afterSpaces + 1),
        start,
        end: afterSpaces + 1,
      };
    }
    const word = this.#match(unitPattern, afterSpaces);
    const unit = word === undefined ? undefined : unitToMs(word);
    if (word !== undefined && unit !== undefined) {
      const end = afterSpaces + word.length;
      return { kind: 'number', value: Number(digits) * unit, unit: 'ms', text: this.#text.slice(start, end), start, end };
    }
    return { kind: 'number', value: Number(digits), text: digits, start, end: bareEnd };
  }

  #skipSpaces(): void {
    this.#offset = this.#skipped(this.#offset);
  }

  #skipped(offset: number): number {
    spaces.lastIndex = offset;
    return offset + (spaces.exec(this.#text)?.[0].length ?? 0);
  }

  #match(pattern: RegExp, offset: number): string | undefined {
    pattern.lastIndex = offset;
    return pattern.exec(this.#text)?.[0];
  }
}
