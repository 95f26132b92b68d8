import type { CST } from 'yaml';
import { limits } from '../limits';
import type { ReadProblem } from './read-result';

/**
 * What may not go on to the composer, found by an iterative walk over the concrete syntax tree: too deep, too many nodes,
 * aliases, anchors, tags, directives, and what the parser itself calls an error.
 */
export function checkTokens(tokens: readonly CST.Token[]): ReadProblem[] {
  return new TokenWalk().check(tokens);
}

class TokenWalk {
  readonly #problems: ReadProblem[] = [];
  /** Collections still to be walked, and how deep each stands. Everything else is looked at when it is met. */
  readonly #collections: (CST.BlockMap | CST.BlockSequence | CST.FlowCollection)[] = [];
  readonly #depths: number[] = [];
  #nodes = 0;
  #isTooLarge = false;

  check(tokens: readonly CST.Token[]): ReadProblem[] {
    for (const token of tokens) this.#meet(token, 1);
    for (let next = this.#collections.pop(); next !== undefined && !this.#isOver(); next = this.#collections.pop()) {
      const depth = (this.#depths.pop() ?? 0) + 1;
      const items: readonly CST.CollectionItem[] = next.items;
      for (const item of items) {
        for (const part of item.start) this.#meet(part, depth);
        if (item.key) this.#meet(item.key, depth);
        if (item.sep !== undefined) for (const part of item.sep) this.#meet(part, depth);
        if (item.value !== undefined) this.#meet(item.value, depth);
        if (this.#isOver()) break;
      }
    }
    return this.#problems;
  }

  /** `depth`: of the token itself, if it is a collection. */
  #meet(token: CST.Token, depth: number): void {
    switch (token.type) {
      case 'scalar':
      case 'single-quoted-scalar':
      case 'double-quoted-scalar':
        this.#countNode(token);
        break;
      case 'block-map':
      case 'block-seq':
      case 'flow-collection':
        this.#countNode(token);
        if (depth > limits.depth) this.#refuseSize(`nested deeper than ${limits.depth} levels`, token);
        this.#collections.push(token);
        this.#depths.push(depth);
        break;
      case 'block-scalar':
        this.#countNode(token);
        for (const part of token.props) this.#meet(part, depth);
        break;
      case 'document':
        for (const part of token.start) this.#meet(part, depth);
        if (token.value !== undefined) this.#meet(token.value, depth);
        break;
      case 'error':
        this.#report('syntax', plainMessage(token.message), token);
        break;
      case 'directive':
      case 'directive-line':
        this.#report('unsupported_syntax', 'YAML directives (`%…`) are not supported', token);
        break;
      case 'alias':
        this.#report('unsupported_syntax', `the alias \`${token.source.slice(0, 60)}\`: write the value out`, token);
        break;
      case 'anchor':
        this.#report('unsupported_syntax', `the anchor \`${token.source.slice(0, 60)}\`: write the value out where it is needed`, token);
        break;
      case 'tag':
        this.#report('unsupported_syntax', `the tag \`${token.source.slice(0, 60)}\`: workflow files are plain data`, token, {
          hint: 'put the value in quotes where it is a text or a condition (`"!failed(build)"`), or remove the tag',
        });
        break;
      default:
        break;
    }
  }

  #countNode(token: CST.Token): void {
    this.#nodes += 1;
    if (this.#nodes === limits.nodes + 1) this.#refuseSize(`more than ${limits.nodes} values`, token);
  }

  #refuseSize(message: string, token: CST.Token): void {
    if (!this.#isTooLarge) this.#report('too_large', message, token);
    this.#isTooLarge = true;
  }

  #isOver(): boolean {
    return this.#isTooLarge || this.#problems.length >= limits.diagnostics;
  }

  #report(code: ReadProblem['code'], message: string, token: CST.Token, more: { hint?: string } = {}): void {
    const length = 'source' in token ? Math.max(1, token.source.length) : 1;
    this.#problems.push({ code, message, ...more, span: { start: token.offset, end: token.offset + Math.min(length, 200) } });
  }
}

/** The library quotes source text in its messages, and that may be long. */
function plainMessage(message: string): string {
  const line = message.split('\n', 1)[0] ?? message;
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
