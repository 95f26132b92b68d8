/**
 * TOML as it is laid out: statements with the comments and blank lines around them. Made only from text that was read without
 * mistakes, so this parser reports none; values stay as they are written.
 */
export interface TomlLayout {
  sections: TomlSection[];
}

/** What stands below one `[header]`; the first section has none. */
export interface TomlSection {
  header?: { before: Line[]; isArray: boolean; key: string[]; comment?: string };
  statements: TomlStatement[];
  /** Comments after the last statement that are apart from the next header. */
  after: Line[];
}

export interface TomlStatement {
  before: Line[];
  /** Segments as written, quotes included. */
  key: string[];
  value: TomlValue;
  comment?: string;
}

/** A comment, or a blank line (`''`). */
export type Line = string;

export type TomlValue =
  | { kind: 'scalar'; source: string }
  | { kind: 'array' | 'table'; items: TomlItem[]; /** Comments before the closing bracket. */ after: Line[] };

export interface TomlItem {
  before: Line[];
  /** Of an inline table. */
  key?: string[];
  value: TomlValue;
  comment?: string;
}

export function parseTomlLayout(text: string): TomlLayout {
  return new LayoutParser(text).parse();
}

const patterns = {
  longString: /"""(?:[^\\]|\\[^])*?"{3,5}(?!")|'''[^]*?'{3,5}(?!')/uy,
  shortString: /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/uy,
  bareKey: /[A-Za-z0-9_-]+/uy,
  /** A date and its time may be apart by one space. */
  bareValue: /[^\s,\]}#=]+(?: \d\d:[^\s,\]}#]*)?/uy,
  comment: /#[^\n]*/uy,
} as const;

class LayoutParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): TomlLayout {
    const sections: TomlSection[] = [{ statements: [], after: [] }];
    for (;;) {
      const before = this.#lines();
      const section = sections.at(-1);
      if (section === undefined || this.#at >= this.#text.length) {
        section?.after.push(...before);
        return { sections };
      }
      if (this.#text[this.#at] !== '[') {
        section.statements.push({ before, ...this.#keyValue(), ...this.#lineComment() });
        continue;
      }
      const lastBlank = before.lastIndexOf('');
      section.after.push(...before.slice(0, Math.max(0, lastBlank)));
      sections.push({
        header: { before: before.slice(lastBlank + 1), ...this.#header(), ...this.#lineComment() },
        statements: [],
        after: [],
      });
    }
  }

  #header(): { isArray: boolean; key: string[] } {
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const key = this.#key();
    this.#at += isArray ? 2 : 1;
    return { isArray, key };
  }

  #keyValue(): { key: string[]; value: TomlValue } {
    const key = this.#key();
    this.#at += 1;
    this.#skipSpaces();
    return { key, value: this.#value() };
  }

  #key(): string[] {
    const key: string[] = [];
    for (;;) {
      this.#skipSpaces();
      key.push(this.#take(patterns.shortString) || this.#take(patterns.bareKey));
      this.#skipSpaces();
      if (this.#text[this.#at] !== '.') return key;
      this.#at += 1;
    }
  }

  #value(): TomlValue {
    const first = this.#text[this.#at];
    if (first === '[' || first === '{') return this.#collection(first);
    return {
      kind: 'scalar',
      source: this.#take(patterns.longString) || this.#take(patterns.shortString) || this.#take(patterns.bareValue),
    };
  }

  /** Recursion is safe: the depth of what was read is limited. */
  #collection(open: '[' | '{'): TomlValue {
    const kind = open === '[' ? 'array' : 'table';
    const close = open === '[' ? ']' : '}';
    const items: TomlItem[] = [];
    this.#at += 1;
    for (;;) {
      const before = this.#lines().filter((line) => line !== '');
      if (this.#at >= this.#text.length || this.#text[this.#at] === close) {
        this.#at += 1;
        return { kind, items, after: before };
      }
      const item: TomlItem = { before, ...(kind === 'table' ? this.#keyValue() : { value: this.#value() }) };
      items.push(item);
      this.#skipSpaces();
      // A comment may stand before the comma (`1 # one` and `,` on the next line) or after it.
      const comments = [this.#take(patterns.comment)];
      if (comments[0] !== '') comments.push(...this.#lines().filter((line) => line !== ''));
      else this.#skipBlank();
      if (this.#text[this.#at] === ',') {
        this.#at += 1;
        this.#skipSpaces();
        comments.push(this.#take(patterns.comment));
      }
      const [comment, ...rest] = comments.filter((line) => line !== '');
      if (comment !== undefined) item.comment = comment;
      item.before.push(...rest);
    }
  }

  /** Comments and blank lines up to the next thing; several blank lines are one. */
  #lines(): Line[] {
    const lines: Line[] = [];
    let breaks = 0;
    for (;;) {
      this.#skipSpaces();
      const character = this.#text[this.#at];
      if (character === '\n') {
        this.#at += 1;
        breaks += 1;
        continue;
      }
      if (breaks > 1 && this.#at > breaks) lines.push('');
      const comment = this.#take(patterns.comment);
      if (comment === '') return lines;
      lines.push(comment.trimEnd());
      breaks = 0;
    }
  }

  #lineComment(): { comment?: string } {
    this.#skipSpaces();
    const comment = this.#take(patterns.comment).trimEnd();
    return comment === '' ? {} : { comment };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }

  #skipBlank(): void {
    while (' \t\n'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
  }
}
