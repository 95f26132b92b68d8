import type { KeyLevel, KeySpec } from './key-spec';
import { agentFileKeys } from './keys-of-agents';
import { stepKeys } from './keys-of-steps';
import { workflowKeys } from './keys-of-workflows';

export const keySpecs: readonly KeySpec[] = [...workflowKeys, ...stepKeys, ...agentFileKeys];

/**
 * Keys the seed shows in running documents. They are kept as metadata; a run never starts from them.
 */
export const snapshotKeys: ReadonlySet<string> = new Set([
  'status',
  'created',
  'completed',
  'in_progress',
  'progress',
  'blockers',
  'issues',
  'risks',
  'parallel_agents',
  'parallel_reviewers',
  'active_agents',
  'pending_agents',
  'approved',
  'pending',
  'deployed',
  'monitoring',
  'release_notes',
]);

/** Keys are compared without case and with `-` as `_`. */
export function normalizeKey(written: string): string {
  return written.toLowerCase().replaceAll('-', '_');
}

/** `x-…` keys anywhere are the user's own. */
export function isUsersOwnKey(written: string): boolean {
  return /^x[-_]/iu.test(written);
}

const specsByLevel = new Map<KeyLevel, Map<string, KeySpec>>();
for (const spec of keySpecs) {
  const specs = specsByLevel.get(spec.level) ?? new Map<string, KeySpec>();
  specsByLevel.set(spec.level, specs);
  for (const name of [spec.name, ...(spec.aliases ?? [])]) specs.set(name, spec);
}

const namesElsewhere = new Map(
  keySpecs.flatMap(({ level, name, elsewhere = [] }) => elsewhere.map((other) => [`${level} ${other}`, name] as const)),
);

/** The keys of a level by normalised name, aliases included. */
export function keysAt(level: KeyLevel): ReadonlyMap<string, KeySpec> {
  return specsByLevel.get(level) ?? new Map<string, KeySpec>();
}

/** The key of a level that other tools call so, by its normalised name. */
export function keyCalledElsewhere(level: KeyLevel, name: string): string | undefined {
  return namesElsewhere.get(`${level} ${name}`);
}
