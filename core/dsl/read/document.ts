import type { ReadResult } from './read-result';
import { readText } from './text';
import { readToml } from './toml';
import { readYaml } from './yaml';

export type SourceFormat = 'yaml' | 'toml';

/** Text or bytes to the neutral tree, by format or by the file's name. */
export function readDocument(
  input: string | Uint8Array,
  options: { format?: SourceFormat | undefined; fileName?: string | undefined },
): ReadResult & { text: string } {
  const { text, problem } = readText(input);
  if (problem !== undefined) return { text, root: null, problems: [problem] };
  const format = options.format ?? (options.fileName?.toLowerCase().endsWith('.toml') === true ? 'toml' : 'yaml');
  const result = format === 'toml' ? readToml(text) : readYaml(text);
  if (result.root === null && result.problems.length === 0) {
    const span = { start: 0, end: Math.min(1, text.length) };
    return { text, root: null, problems: [{ code: 'no_workflow', message: 'the file is empty', span }] };
  }
  return { text, ...result };
}
