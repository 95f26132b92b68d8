import type { Condition } from '../plan/condition';
import { type ConditionPlaces, parseCondition } from './condition-parser';
import { didYouMean } from './diagnostic-sink';
import { describeNode, type DocumentNode, type DocumentPath, isEmpty, shorten, type Span } from './document';
import { limits } from './limits';
import type { CompileContext, Field, Fields } from './keyed-map';
import { durationHint, parseDuration, parseMoney } from './values';

/** A word of the document with its place. */
export interface Word {
  text: string;
  span: Span;
  path: DocumentPath;
}

/** A parsed condition with its text and where its parts stand. */
export interface WrittenCondition {
  condition: Condition;
  text: string;
  span: Span;
  path: DocumentPath;
  spanOf(node: Condition): Span;
}

/** Reads the values of one map's fields; every method reports what it cannot take and then gives undefined. */
export class FieldReader {
  readonly context: CompileContext;
  readonly fields: Fields;

  constructor(context: CompileContext, fields: Fields) {
    this.context = context;
    this.fields = fields;
  }

  text(name: string): string | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    if (field.node.kind !== 'scalar') return this.#refuse(field, 'a text');
    return field.node.text;
  }

  boolean(name: string): boolean | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    if (field.node.kind !== 'scalar' || typeof field.node.value !== 'boolean') {
      return this.#refuse(field, '`true` or `false`', booleanHint(field.node));
    }
    return field.node.value;
  }

  integer(name: string, bounds: { min: number; max: number }): number | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    const value = field.node.kind === 'scalar' ? field.node.value : undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < bounds.min || value > bounds.max) {
      return this.#refuse(field, `a whole number from ${bounds.min} to ${bounds.max}`);
    }
    return value;
  }

  number(name: string, bounds: { min: number; max: number }): number | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    const value = field.node.kind === 'scalar' ? field.node.value : undefined;
    if (typeof value !== 'number' || !(value >= bounds.min && value <= bounds.max)) {
      return this.#refuse(field, `a number from ${bounds.min} to ${bounds.max}`);
    }
    return value;
  }

  /** A duration with its unit, in ms. */
  duration(name: string, options: { min?: number } = {}): number | undefined {
    const field = this.#present(name);
    return field === undefined ? undefined : readDuration(this.context, field.node, { ...options, path: field.path, name: field.written });
  }

  /** A bare number of hours (or a duration), in ms. */
  hours(name: string): number | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    if (field.node.kind === 'scalar' && typeof field.node.value === 'string') return this.duration(name, { min: 1 });
    const hours = this.number(name, { min: 0.000_001, max: 87_600 });
    return hours === undefined ? undefined : Math.round(hours * 3_600_000);
  }

  /** `$2.50`, or a bare number of dollars where the key's name says so. */
  money(name: string): number | undefined {
    const field = this.#present(name);
    if (field === undefined) return undefined;
    if (field.node.kind === 'scalar' && typeof field.node.value === 'string') {
      return parseMoney(field.node.value) ?? this.#refuse(field, 'an amount like `$2.50` or `2.5`');
    }
    return this.number(name, { min: 0, max: 1e9 });
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const field = this.#present(name);
    return field === undefined ? undefined : readChoice(this.context, field, choices);
  }

  /** A list of words: a list, one value, or a comma string. */
  words(name: string): Word[] | undefined {
    const field = this.fields.get(name);
    return field === undefined ? undefined : readWords(this.context, field.node, field.path, { split: true });
  }

  /** A list of texts: commas inside a text are its own. */
  texts(name: string): string[] | undefined {
    const field = this.fields.get(name);
    return field === undefined ? undefined : readWords(this.context, field.node, field.path, { split: false })?.map((word) => word.text);
  }

  condition(name: string): WrittenCondition | undefined {
    const field = this.#present(name);
    return field === undefined ? undefined : readCondition(this.context, field.node, field.path);
  }

  /** The field, where its value is not left empty: an empty one is reported. */
  present(name: string): Field | undefined {
    return this.#present(name);
  }

  #present(name: string): Field | undefined {
    const field = this.fields.get(name);
    if (field === undefined) return undefined;
    if (!isEmpty(field.node)) return field;
    this.context.sink.report({
      code: 'bad_value',
      message: `\`${field.written}\` has no value`,
      hint: 'write a value, or remove the key',
      path: field.path,
      span: field.keySpan,
    });
    return undefined;
  }

  #refuse(field: Field, expected: string, hint?: string): undefined {
    reportBadValue(this.context, { node: field.node, path: field.path, name: field.written, expected, hint });
    return undefined;
  }
}

/** What YAML 1.1 read as booleans, and people still write. */
const formerBooleans: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'y', 'on'].map((word) => [word, true] as const),
  ...['no', 'n', 'off'].map((word) => [word, false] as const),
]);

function booleanHint(node: DocumentNode): string | undefined {
  const text = node.kind === 'scalar' ? node.text.toLowerCase() : '';
  if (text === 'true' || text === 'false') return `write it without quotes: \`${text}\``;
  const meant = formerBooleans.get(text);
  return meant === undefined ? undefined : `write \`${meant}\``;
}

export function reportBadValue(
  context: CompileContext,
  bad: { node: DocumentNode; path: DocumentPath; name: string; expected: string; hint?: string | undefined },
): void {
  context.sink.report({
    code: 'bad_value',
    message: `\`${bad.name}\` is ${bad.expected}, not ${describeNode(bad.node)}`,
    hint: bad.hint,
    path: bad.path,
    span: bad.node.span,
  });
}

export function readDuration(
  context: CompileContext,
  node: DocumentNode,
  options: { path: DocumentPath; name: string; min?: number },
): number | undefined {
  const isNumber = node.kind === 'scalar' && typeof node.value === 'number';
  const ms = node.kind === 'scalar' && !isNumber ? parseDuration(node.text) : undefined;
  if (ms !== undefined && ms >= (options.min ?? 0)) return ms;
  const message = isNumber
    ? `\`${options.name}\` needs a unit`
    : ms === undefined
      ? `\`${options.name}\` is a duration, not ${describeNode(node)}`
      : `\`${options.name}\` must be longer`;
  context.sink.report({ code: isNumber ? 'bad_unit' : 'bad_value', message, hint: durationHint, path: options.path, span: node.span });
  return undefined;
}

export function readChoice<const T extends string>(context: CompileContext, field: Field, choices: readonly T[]): T | undefined {
  const written = field.node.kind === 'scalar' ? field.node.text : undefined;
  const chosen = choices.find((choice) => choice.toLowerCase() === written?.toLowerCase().replaceAll('-', '_'));
  if (chosen === undefined) {
    const suggestion = written === undefined ? undefined : context.sink.suggest(written, choices);
    const expected = `one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
    reportBadValue(context, { node: field.node, path: field.path, name: field.written, expected, hint: didYouMean(suggestion) });
    return undefined;
  }
  return chosen;
}

/** A list, one value, or (with `split`) a comma string, to words with their places. Undefined when something in it is no word. */
export function readWords(
  context: CompileContext,
  node: DocumentNode,
  path: DocumentPath,
  options: { split: boolean },
): Word[] | undefined {
  if (isEmpty(node)) return [];
  if (node.kind === 'scalar') {
    if (options.split && typeof node.value === 'string') return splitWords(context, node.value, node.span, path);
    return [{ text: node.text, span: node.span, path }];
  }
  if (node.kind === 'map') {
    context.sink.report({ code: 'bad_value', message: `${nameOf(path)} is a list, not a map`, path, span: node.span });
    return undefined;
  }
  const words: Word[] = [];
  node.items.forEach((item, index) => {
    const itemPath = [...path, index];
    if (item.kind === 'scalar' && item.value !== null && item.text.trim() !== '') {
      words.push({ text: item.text.trim(), span: item.span, path: itemPath });
    } else {
      context.sink.report({
        code: 'bad_value',
        message: `an item of ${nameOf(path)} is a text, not ${describeNode(item)}`,
        path: itemPath,
        span: item.span,
      });
    }
  });
  return words;
}

/** Name of a value for messages: the last key of its path. */
export function nameOf(path: DocumentPath): string {
  const key = path.findLast((part) => typeof part === 'string');
  return key === undefined ? 'this' : `\`${shorten(key)}\``;
}

function splitWords(context: CompileContext, text: string, span: Span, path: DocumentPath): Word[] {
  const source = context.text.slice(span.start, span.end);
  const words: Word[] = [];
  // Escapes and folded lines may hide a word in the source: from the first such word on, the whole value is their place.
  let cursor = 0;
  for (const part of text.split(',')) {
    const word = part.trim();
    if (word === '') continue;
    if (words.length >= limits.words) {
      context.sink.report({ code: 'too_large', message: `${nameOf(path)} has more than ${limits.words} items`, path, span });
      return words;
    }
    const at = cursor < 0 ? -1 : source.indexOf(word, cursor);
    words.push({ text: word, span: at < 0 ? span : { start: span.start + at, end: span.start + at + word.length }, path });
    cursor = at < 0 ? -1 : at + word.length;
  }
  return words;
}

/** Parses a condition; parts of it are located in the source where the text stands there verbatim. */
export function readCondition(context: CompileContext, node: DocumentNode, path: DocumentPath): WrittenCondition | undefined {
  if (node.kind !== 'scalar' || node.value === null) {
    const message = `${nameOf(path)} is a condition, not ${describeNode(node)}`;
    context.sink.report({ code: 'bad_value', message, hint: 'write it as one text, like `error_rate > 1%`', path, span: node.span });
    return undefined;
  }
  const text = node.text.trim();
  const source = context.text.slice(node.span.start, node.span.end);
  const found = source.indexOf(text);
  const base = found < 0 ? undefined : node.span.start + found;
  const spanAt = (start: number, end: number): Span =>
    base === undefined ? node.span : { start: base + start, end: base + Math.max(end, start) };
  const parsed = parseCondition(text);
  if (!parsed.ok) {
    context.sink.report({
      code: 'condition_syntax',
      message: parsed.message,
      hint: parsed.hint,
      path,
      span: spanAt(parsed.start, parsed.end),
    });
    return undefined;
  }
  const places: ConditionPlaces = parsed.places;
  return {
    condition: parsed.condition,
    text: text.replace(/\s+/gu, ' '),
    span: node.span,
    path,
    spanOf: (part) => {
      const place = places.get(part);
      return place === undefined ? node.span : spanAt(place.start, place.end);
    },
  };
}
