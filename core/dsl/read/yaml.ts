import { Composer, CST, isMap, isScalar, isSeq, Lexer, Parser, type Scalar } from 'yaml';
import type { DocumentNode, MapEntry, Span } from '../document';
import { limits } from '../limits';
import { checkKey, checkText } from './check-text';
import type { ReadProblem, ReadResult } from './read-result';
import { checkTokens } from './yaml-tokens';

/**
 * YAML to the neutral tree. The library's defaults do not survive hostile input (deep nesting aborts the process, unique keys
 * are quadratic, pretty errors over long quotes take minutes), so the concrete syntax is walked first, and only what is
 * bounded and plain is composed, from the same tokens.
 */
export function readYaml(text: string): ReadResult {
  const loneReturn = findLoneReturn(text);
  if (loneReturn !== undefined) return { root: null, problems: [loneReturn] };
  const { tokens, problem } = tokenize(text);
  if (problem !== undefined) return { root: null, problems: [problem] };
  const problems = checkTokens(tokens);
  if (problems.length > 0) return { root: null, problems };
  return compose(tokens, text);
}

/** YAML ends a line at a carriage return too, but the library does not: it would read two lines as one. */
function findLoneReturn(text: string): ReadProblem | undefined {
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) {
    if (text[at + 1] === '\n') continue;
    const hint = 'save the file with LF or CRLF at the end of each line';
    return { code: 'syntax', message: 'a carriage return without a line feed', hint, span: { start: at, end: at + 1 } };
  }
  return undefined;
}

/**
 * Drives lexer and parser itself, to stop at once where the text gets too deep, too large, or holds what is refused anyway.
 */
function tokenize(text: string): { tokens: CST.Token[]; problem?: ReadProblem } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const counter = new LexemeCounter();
  let documents = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const at = parser.offset;
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === 'document' || token.type === 'doc-end') documents += 1;
      if (token.type === 'error') errors += 1;
    }
    const message =
      // The document, a map and the scalar on top are on the stack too.
      parser.stack.length > limits.depth + 4 ? `nested deeper than ${limits.depth} levels` : counter.count(lexeme);
    if (message !== undefined) return { tokens, problem: { code: 'too_large', message, span: { start: at, end: at + 1 } } };
    // What is refused later is not worth reading a thousand times.
    if (documents > 8 || errors >= maxSyntaxErrors || counter.refused > limits.related) break;
  }
  for (const token of parser.end()) tokens.push(token);
  return { tokens };
}

/** Counts what becomes a node: each `-`, `,` and `:` stands for one value, written or empty. */
class LexemeCounter {
  /** Anchors, aliases, tags and directives. */
  refused = 0;
  /** By the character that a lexeme begins with. */
  readonly #counts = new Uint32Array(128);
  #isText = false;

  count(lexeme: string): string | undefined {
    if (this.#isText) {
      this.#isText = false;
      return undefined;
    }
    this.#isText = lexeme === CST.SCALAR;
    const first = lexeme.charCodeAt(0);
    const kind = lexemeKinds[first] ?? 0;
    if (kind === 0) return undefined;
    if (kind === refusedLexeme) {
      this.refused += 1;
      return undefined;
    }
    const count = (this.#counts[first] ?? 0) + 1;
    this.#counts[first] = count;
    return count > limits.nodes ? `more than ${limits.nodes} values` : undefined;
  }
}

const refusedLexeme = 2;
/** What a lexeme is, by its first character: 1 = a value, 2 = refused. */
const lexemeKinds = new Uint8Array(128);
for (const character of `-,:?[{${CST.SCALAR}`) lexemeKinds[character.charCodeAt(0)] = 1;
for (const character of '&*!%') lexemeKinds[character.charCodeAt(0)] = refusedLexeme;

const maxSyntaxErrors = 100;

function compose(tokens: CST.Token[], text: string): ReadResult {
  const problems: ReadProblem[] = [];
  const composer = new Composer({
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
    strict: true,
    logLevel: 'silent',
  });
  stopAfterManyErrors(composer, problems);
  let root: DocumentNode | null = null;
  let documents = 0;
  try {
    for (const document of composer.compose(tokens, true, text.length)) {
      documents += 1;
      if (documents > 1) {
        const start = document.range[0];
        problems.push({ code: 'syntax', message: 'a second document: one file holds one workflow', span: { start, end: start + 3 } });
        break;
      }
      for (const { pos, message } of [...document.errors, ...document.warnings]) {
        problems.push({ code: 'syntax', message, span: { start: pos[0], end: pos[1] } });
      }
      if (problems.length === 0 && document.contents !== null) root = convert(document.contents, problems, text);
    }
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error;
  }
  return { root: problems.some(({ code }) => code === 'syntax' || code === 'unsupported_syntax') ? null : root, problems };
}

class TooManyErrors extends Error {}

type OnError = (source: number | readonly number[] | { offset: number; source?: string }, code: string, message: string) => void;

/**
 * The composer makes an exception object for each error, a million of them for a million bad escapes. Its handler is replaced
 * by one that keeps plain data and gives up after a while.
 */
function stopAfterManyErrors(composer: Composer, problems: ReadProblem[]): void {
  const onError: OnError = (source, errorCode, message) => {
    const [start = 0, end = start + 1] =
      typeof source === 'number' ? [source] : 'offset' in source ? [source.offset, source.offset + (source.source?.length ?? 1)] : source;
    // The library catches what is thrown inside a collection, and reports it as one more error.
    if (problems.length >= maxSyntaxErrors) throw new TooManyErrors();
    const span = { start, end: Math.min(end, start + 200) };
    if (errorCode === 'NON_STRING_KEY') {
      problems.push({ code: 'unsupported_syntax', message: 'a list or a map as a key: a key is a text', span });
    } else {
      problems.push({ code: 'syntax', message: message.split('\n', 1)[0] ?? '', span });
    }
  };
  Object.assign(composer, { onError });
}

/** Recursion is safe here: the tokens were checked for depth. */
function convert(node: unknown, problems: ReadProblem[], text: string): DocumentNode {
  if (isMap(node)) {
    const span = spanOf(node.range, text);
    const entries: MapEntry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of node.items) {
      const keyNode = isScalar(pair.key) ? pair.key : undefined;
      const keySpan = spanOf(keyNode?.range, text);
      // `stringKeys` makes every key a text.
      const key = typeof keyNode?.value === 'string' ? keyNode.value : '';
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        problems.push({
          code: 'duplicate_key',
          message: `the key \`${key}\` stands here twice`,
          span: keySpan,
          related: [{ message: 'the first one', span: earlier }],
        });
        continue;
      }
      seen.set(key, keySpan);
      const problem = isMergeKey(keyNode)
        ? { code: 'unsupported_syntax' as const, message: 'the merge key `<<`: write the keys out', span: keySpan }
        : checkKey(key, keySpan);
      if (problem !== undefined) {
        problems.push(problem);
        continue;
      }
      const value: DocumentNode =
        pair.value === null ? { kind: 'scalar', value: null, text: '', span: keySpan } : convert(pair.value, problems, text);
      entries.push({ key, keySpan, value });
    }
    return { kind: 'map', entries, span };
  }
  if (isSeq(node)) {
    return { kind: 'list', items: node.items.map((item) => convert(item, problems, text)), span: spanOf(node.range, text) };
  }
  if (!isScalar(node)) return { kind: 'scalar', value: null, text: '', span: { start: 0, end: 0 } };
  const span = spanOf(node.range, text);
  const { value } = node;
  if (typeof value === 'string') {
    const problem = checkText(value, span);
    if (problem !== undefined) problems.push(problem);
    return { kind: 'scalar', value, text: value, span };
  }
  const written = node.source ?? '';
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', value, text: written, span };
  return { kind: 'scalar', value: null, text: '', span };
}

/** `"<<"` in quotes is a key like any other. */
function isMergeKey(key: Scalar | undefined): boolean {
  return key?.value === '<<' && key.type === 'PLAIN';
}

function spanOf(range: readonly number[] | null | undefined, text: string): Span {
  const start = range?.[0] ?? 0;
  let end = range?.[1] ?? start;
  // A block collection ends where the next token begins: cut the white space, carets should not run over it.
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end -= 1;
  return { start, end };
}

function isWhiteSpace(unit: number): boolean {
  return unit === 32 || unit === 10 || unit === 13 || unit === 9;
}
