import type { CST } from 'yaml';
import { limits } from '../limits';
import type { ReadProblem } from './read-result';

/**
 * What may not go on to the composer, found by an iterative walk over the concrete syntax tree: too deep, too many nodes,
 * aliases, anchors, tags, directives, and what the parser itself calls an error.
 */
export function checkTokens(tokens: readonly CST.Token[]): ReadProblem[] {
  const problems: ReadProblem[] = [];
  const pending: { token: CST.Token; depth: number }[] = [];
  let nodes = 0;
  const report = (code: ReadProblem['code'], message: string, token: CST.Token): void => {
    const length = 'source' in token ? Math.max(1, token.source.length) : 1;
    problems.push({ code, message, span: { start: token.offset, end: token.offset + Math.min(length, 200) } });
  };
  const visit = (token: CST.Token | null | undefined, depth: number): void => {
    if (token !== null && token !== undefined) pending.push({ token, depth });
  };

  for (let index = tokens.length - 1; index >= 0; index -= 1) visit(tokens[index], 0);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (problems.length >= limits.diagnostics) return problems;
    switch (token.type) {
      case 'error':
        report('syntax', plainMessage(token.message), token);
        break;
      case 'directive':
      case 'directive-line':
        report('unsupported_syntax', 'YAML directives (`%…`) are not supported', token);
        break;
      case 'alias':
        report('unsupported_syntax', `the alias \`${token.source.slice(0, 60)}\`: write the value out`, token);
        break;
      case 'anchor':
        report('unsupported_syntax', `the anchor \`${token.source.slice(0, 60)}\`: write the value out where it is needed`, token);
        break;
      case 'tag':
        report('unsupported_syntax', `the tag \`${token.source.slice(0, 60)}\`: workflow files are plain data`, token);
        break;
      case 'document':
        visit(token.value, depth);
        for (const part of token.start) visit(part, depth);
        break;
      case 'scalar':
      case 'single-quoted-scalar':
      case 'double-quoted-scalar':
        nodes += 1;
        break;
      case 'block-scalar':
        nodes += 1;
        for (const part of token.props) visit(part, depth);
        break;
      case 'block-map':
      case 'block-seq':
      case 'flow-collection': {
        nodes += 1;
        if (depth + 1 > limits.depth) {
          report('too_large', `nested deeper than ${limits.depth} levels`, token);
          return problems;
        }
        const items: readonly CST.CollectionItem[] = token.items;
        for (let index = items.length - 1; index >= 0; index -= 1) {
          const item = items[index];
          if (item === undefined) continue;
          visit(item.value, depth + 1);
          for (const part of item.sep ?? []) visit(part, depth + 1);
          visit(item.key, depth + 1);
          for (const part of item.start) visit(part, depth + 1);
        }
        break;
      }
      default:
        break;
    }
    if (nodes > limits.nodes) {
      report('too_large', `more than ${limits.nodes} values`, token);
      return problems;
    }
  }
  return problems;
}

/** The library quotes source text in its messages, and that may be long. */
function plainMessage(message: string): string {
  const line = message.split('\n', 1)[0] ?? message;
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
