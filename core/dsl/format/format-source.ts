import canonicalize from 'canonicalize';
import type { Diagnostic } from '../../plan/diagnostic';
import { compileAgents } from '../agents';
import { compileWorkflow } from '../compile';
import type { SourceFormat } from '../read/document';
import { readText } from '../read/text';
import type { SourceKind } from '../source-kind';
import { formatToml, tomlComments } from './toml';
import { formatYaml, yamlComments } from './yaml';

export type FormatResult =
  | { outcome: 'formatted'; text: string }
  /** There are errors in it: only what is understood can be laid out anew. */
  | { outcome: 'invalid'; diagnostics: Diagnostic[] }
  /** The new layout would lose or change something: the text is better left alone. */
  | { outcome: 'unsafe'; reason: string };

const languages = {
  yaml: { format: formatYaml, comments: yamlComments },
  toml: { format: formatToml, comments: tomlComments },
} as const;

/**
 * A workflow or agents file in its canonical layout: keys in the order of the reference, one indentation, quotes only where they
 * are needed. Comments survive, names keep their order and spelling, and the meaning is the same: the result is compiled again and
 * compared before it is given. Formatting what is formatted changes nothing.
 */
export function formatSource(source: string | Uint8Array, options: { format: SourceFormat; kind: SourceKind }): FormatResult {
  const { format, kind } = options;
  const { meaning, diagnostics } = compile(source, options);
  if (meaning === undefined) return { outcome: 'invalid', diagnostics };
  const language = languages[format];
  const text = readText(source).text;
  const formatted = settle(text, (each) => language.format(each, kind));
  if (compile(formatted, options).meaning !== meaning) {
    return { outcome: 'unsafe', reason: 'the canonical layout would not mean the same' };
  }
  const lost = missingFrom(language.comments(text), language.comments(formatted));
  if (lost !== undefined) return { outcome: 'unsafe', reason: `there is no place for the comment ${lost}` };
  if (language.format(formatted, kind) !== formatted) return { outcome: 'unsafe', reason: 'the canonical layout is not stable here' };
  return { outcome: 'formatted', text: formatted };
}

/** A comment that moves out of a list of one line may find its place only when the new layout is read. */
function settle(text: string, format: (text: string) => string): string {
  const once = format(text);
  return format(once) === once ? once : format(format(once));
}

/** What the text comes to, as one canonical text. */
function compile(source: string | Uint8Array, { format, kind }: { format: SourceFormat; kind: SourceKind }) {
  const { value, diagnostics } =
    kind === 'workflow'
      ? (({ plan, diagnostics: found }) => ({ value: plan, diagnostics: found }))(compileWorkflow(source, { format }))
      : (({ agents, diagnostics: found }) => ({ value: agents, diagnostics: found }))(compileAgents(source, { format }));
  return { meaning: value === null ? undefined : canonicalize(value), diagnostics };
}

/** A comment of the first that the second has fewer of. */
function missingFrom(before: readonly string[], after: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const comment of after) counts.set(comment.trim(), (counts.get(comment.trim()) ?? 0) + 1);
  return before.find((comment) => {
    const left = (counts.get(comment.trim()) ?? 0) - 1;
    counts.set(comment.trim(), left);
    return left < 0;
  });
}
