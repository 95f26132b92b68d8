import type { DocumentNode } from './document';
import { normalizeKey } from './keys';
import { readDocument, type SourceFormat } from './read/document';

export type SourceKind = 'workflow' | 'agents';

/** What a file is, by its top-level keys. Undefined where it is neither, or cannot be read. */
export function findSourceKind(source: string | Uint8Array, options: { format: SourceFormat }): SourceKind | undefined {
  const { root } = readDocument(source, options);
  const keys = topLevelKeys(root);
  if (['workflow', 'steps', 'phases'].some((key) => keys.has(key))) return 'workflow';
  return keys.has('agents') ? 'agents' : undefined;
}

function topLevelKeys(root: DocumentNode | null): ReadonlySet<string> {
  return new Set(root?.kind === 'map' ? root.entries.map(({ key }) => normalizeKey(key)) : []);
}
