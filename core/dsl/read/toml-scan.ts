import type { Span } from '../document';
import { limits } from '../limits';
import type { ReadProblem } from './read-result';

/**
 * Where things stand in a TOML text. smol-toml decides what the text means and reports what is wrong with it, but keeps no
 * places; this scanner only finds where keys and values begin and end, and stops at the limits before anything is built.
 */
export interface PlaceNode {
  span: Span;
  keySpan?: Span;
  /** Children of a table, or of an array by index. */
  children: Map<string, PlaceNode>;
  isArray: boolean;
  /** The last element of an array of tables: what `[a.b]` below `[[a]]` means. */
  last?: PlaceNode;
}

export class TomlScanner {
  readonly #text: string;
  readonly #root: PlaceNode;
  #offset = 0;
  #nodes = 0;

  constructor(text: string) {
    this.#text = text;
    this.#root = { span: { start: 0, end: text.length }, children: new Map(), isArray: false };
  }

  /** The places found up to the first thing it does not understand (smol-toml then says what is wrong), or what is too large. */
  scan(): { root: PlaceNode; problem?: ReadProblem } {
    let table = this.#root;
    try {
      for (this.#skipBlank(true); this.#offset < this.#text.length; this.#skipBlank(true)) {
        if (this.#text[this.#offset] === '[') table = this.#header();
        else this.#keyValue(table, 0);
      }
    } catch (error) {
      if (error instanceof Lost) return { root: this.#root };
      if (error instanceof TooLarge) {
        const span = { start: this.#offset, end: this.#offset + 1 };
        return { root: this.#root, problem: { code: 'too_large', message: error.message, span } };
      }
      throw error;
    }
    return { root: this.#root };
  }

  #header(): PlaceNode {
    const start = this.#offset;
    const isArray = this.#text.startsWith('[[', start);
    this.#offset += isArray ? 2 : 1;
    const keys = this.#dottedKey();
    this.#expect(isArray ? ']]' : ']');
    const span = { start, end: this.#offset };
    let node = this.#root;
    keys.forEach(({ key, keySpan }, index) => {
      const isLast = index === keys.length - 1;
      const known = node.children.get(key);
      const child = known ?? this.#newNode(span, keySpan, isLast && isArray);
      if (known === undefined) node.children.set(key, child);
      if (isLast && isArray) {
        const element = this.#newNode(span, keySpan, false);
        child.children.set(String(child.children.size), element);
        child.last = element;
        node = element;
      } else {
        node = child.last ?? child;
      }
    });
    return node;
  }

  #keyValue(table: PlaceNode, depth: number): void {
    const keys = this.#dottedKey();
    this.#skipSpaces();
    this.#expect('=');
    this.#skipSpaces();
    const last = keys.pop();
    if (last === undefined) throw new Lost();
    let node = table;
    for (const { key, keySpan } of keys) {
      const child = node.children.get(key) ?? this.#newNode(keySpan, keySpan, false);
      node.children.set(key, child);
      node = child;
    }
    const value = this.#value(depth + keys.length + 1);
    value.keySpan = last.keySpan;
    if (!node.children.has(last.key)) node.children.set(last.key, value);
  }

  #value(depth: number): PlaceNode {
    if (depth > limits.depth) throw new TooLarge(`nested deeper than ${limits.depth} levels`);
    const start = this.#offset;
    const node = this.#newNode({ start, end: start }, undefined, false);
    const character = this.#text[start];
    if (character === '[') this.#array(node, depth);
    else if (character === '{') this.#inlineTable(node, depth);
    else if (character === '"' || character === "'") this.#string(character);
    else this.#offset = this.#endOfBare(start);
    if (this.#offset === start) throw new Lost();
    node.span.end = this.#offset;
    return node;
  }

  #array(node: PlaceNode, depth: number): void {
    node.isArray = true;
    this.#offset += 1;
    for (;;) {
      this.#skipBlank(true);
      if (this.#text[this.#offset] === ']') break;
      node.children.set(String(node.children.size), this.#value(depth + 1));
      this.#skipBlank(true);
      if (this.#text[this.#offset] === ']') break;
      this.#expect(',');
    }
    this.#expect(']');
  }

  #inlineTable(node: PlaceNode, depth: number): void {
    this.#offset += 1;
    for (;;) {
      this.#skipBlank(true);
      if (this.#text[this.#offset] === '}') break;
      this.#keyValue(node, depth);
      this.#skipBlank(true);
      if (this.#text[this.#offset] === '}') break;
      this.#expect(',');
    }
    this.#expect('}');
  }

  #string(quote: string): void {
    const isLong = this.#text.startsWith(quote.repeat(3), this.#offset);
    const end = isLong ? quote.repeat(3) : quote;
    let at = this.#offset + end.length;
    for (; at < this.#text.length && !this.#text.startsWith(end, at); at += 1) {
      if (quote === '"' && this.#text[at] === '\\') at += 1;
      else if (!isLong && this.#text[at] === '\n') throw new Lost();
    }
    // Up to two more quotes belong to a long string.
    while (isLong && this.#text[at + 3] === quote) at += 1;
    if (at >= this.#text.length) throw new Lost();
    this.#offset = at + end.length;
  }

  /** Numbers, booleans and date-times: up to what ends a value. A date and its time may be apart by one space. */
  #endOfBare(start: number): number {
    const pattern = /[^\s,\]}#=]+(?: \d\d:[^\s,\]}#]*)?/uy;
    pattern.lastIndex = start;
    return start + (pattern.exec(this.#text)?.[0].length ?? 0);
  }

  #dottedKey(): { key: string; keySpan: Span }[] {
    const keys: { key: string; keySpan: Span }[] = [];
    for (;;) {
      this.#skipSpaces();
      keys.push(this.#key());
      if (keys.length > limits.depth) throw new TooLarge(`nested deeper than ${limits.depth} levels`);
      this.#skipSpaces();
      if (this.#text[this.#offset] !== '.') return keys;
      this.#offset += 1;
    }
  }

  #key(): { key: string; keySpan: Span } {
    const start = this.#offset;
    const quote = this.#text[start];
    if (quote === '"' || quote === "'") {
      this.#string(quote);
      const raw = this.#text.slice(start, this.#offset);
      return { key: quote === "'" ? raw.slice(1, -1) : unescapeKey(raw), keySpan: { start, end: this.#offset } };
    }
    const pattern = /[A-Za-z0-9_-]+/uy;
    pattern.lastIndex = start;
    const key = pattern.exec(this.#text)?.[0];
    if (key === undefined) throw new Lost();
    this.#offset = start + key.length;
    return { key, keySpan: { start, end: this.#offset } };
  }

  #newNode(span: Span, keySpan: Span | undefined, isArray: boolean): PlaceNode {
    this.#nodes += 1;
    if (this.#nodes > limits.nodes) throw new TooLarge(`more than ${limits.nodes} values`);
    return { span: { ...span }, ...(keySpan === undefined ? {} : { keySpan }), children: new Map(), isArray };
  }

  #expect(text: string): void {
    if (!this.#text.startsWith(text, this.#offset)) throw new Lost();
    this.#offset += text.length;
  }

  #skipSpaces(): void {
    while (this.#text[this.#offset] === ' ' || this.#text[this.#offset] === '\t') this.#offset += 1;
  }

  #skipBlank(withLines: boolean): void {
    for (;;) {
      const character = this.#text[this.#offset];
      if (character === '#') {
        const newline = this.#text.indexOf('\n', this.#offset);
        this.#offset = newline < 0 ? this.#text.length : newline;
      } else if (character === ' ' || character === '\t' || (withLines && (character === '\n' || character === '\r'))) {
        this.#offset += 1;
      } else {
        return;
      }
    }
  }
}

/** The scanner does not understand the text: smol-toml will say what is wrong. */
class Lost extends Error {}
class TooLarge extends Error {}

function unescapeKey(raw: string): string {
  try {
    const json = raw.replace(/\\U([0-9a-fA-F]{8})/gu, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)));
    return JSON.parse(json) as string;
  } catch {
    throw new Lost();
  }
}
