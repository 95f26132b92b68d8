import { parse, TomlDate, TomlError } from 'smol-toml';
import type { DocumentNode, MapEntry, Span } from '../document';
import { limits } from '../limits';
import { LineIndex } from '../line-index';
import { checkKey, checkText } from './check-text';
import type { ReadProblem, ReadResult } from './read-result';
import { type PlaceNode, TomlScanner } from './toml-scan';

/** TOML to the neutral tree: meaning from smol-toml, places from a scan of the text, the limits before both. */
export function readToml(text: string): ReadResult {
  const { root: places, problem } = new TomlScanner(text).scan();
  if (problem !== undefined) return { root: null, problems: [problem] };
  const problems: ReadProblem[] = [];
  try {
    const table: unknown = parse(text, { maxDepth: limits.depth + 1 });
    const root = new Converter(text, problems).convert(table, places, places.span);
    return { root: root.kind === 'map' && root.entries.length === 0 && problems.length === 0 ? null : root, problems };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { root: null, problems: [toProblem(error, text)] };
  }
}

function toProblem(error: TomlError, text: string): ReadProblem {
  const start = new LineIndex(text).offsetOf(error.line, error.column);
  const message = (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /u, '');
  const code = /redefine|already defined|duplicate/iu.test(message) ? 'duplicate_key' : 'syntax';
  return { code, message, span: { start, end: Math.min(text.length, start + 1) } };
}

class Converter {
  readonly #text: string;
  readonly #problems: ReadProblem[];

  constructor(text: string, problems: ReadProblem[]) {
    this.#text = text;
    this.#problems = problems;
  }

  /** `near` is the place to name where the scan found none. Recursion is safe: the depth is limited. */
  convert(value: unknown, place: PlaceNode | undefined, near: Span): DocumentNode {
    const span = place?.span ?? near;
    if (Array.isArray(value)) {
      const items = value.map((item: unknown, index) => this.convert(item, place?.children.get(String(index)), span));
      return { kind: 'list', items, span };
    }
    if (typeof value === 'string') {
      const problem = checkText(value, span);
      if (problem !== undefined) this.#problems.push(problem);
      return { kind: 'scalar', value, text: value, span };
    }
    if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', value, text: this.#source(place, value), span };
    if (value instanceof TomlDate) {
      // Date-times read as their text, as in YAML's core schema.
      const text = place === undefined ? value.toISOString() : this.#source(place, value.toISOString());
      return { kind: 'scalar', value: text, text, span };
    }
    if (typeof value === 'object' && value !== null) return { kind: 'map', entries: this.#entries(value, place, span), span };
    return { kind: 'scalar', value: null, text: '', span };
  }

  #entries(table: object, place: PlaceNode | undefined, span: Span): MapEntry[] {
    // JavaScript puts keys like `2` before all others; the scan knows the order of the file, which decides ties.
    const values = new Map<string, unknown>(Object.entries(table));
    const written = [...(place?.children.keys() ?? [])].filter((key) => values.has(key));
    return [...new Set([...written, ...values.keys()])].flatMap((key): MapEntry[] => {
      const value = values.get(key);
      const child = place?.children.get(key);
      const keySpan = child?.keySpan ?? span;
      const problem = checkKey(key, keySpan);
      if (problem !== undefined) {
        this.#problems.push(problem);
        return [];
      }
      return [{ key, keySpan, value: this.convert(value, child, keySpan) }];
    });
  }

  #source(place: PlaceNode | undefined, value: string | number | boolean): string {
    return place === undefined ? String(value) : this.#text.slice(place.span.start, place.span.end);
  }
}
