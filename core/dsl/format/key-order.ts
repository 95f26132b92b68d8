import type { KeyLevel, KeySpec } from '../key-spec';
import { keySpecs, keysAt, normalizeKey, snapshotKeys } from '../keys';
import type { SourceKind } from '../source-kind';

/**
 * Where in the language a value stands: at a map whose keys are known, at one that holds such maps by name, or (undefined) in
 * data of the user's own, whose order is the user's.
 */
export type Place = { kind: 'root' | 'map' | 'maps'; level: KeyLevel } | undefined;

export function rootPlace(kind: SourceKind): Place {
  return { kind: 'root', level: kind === 'workflow' ? 'workflow' : 'agents_file' };
}

/** The place of a key's value. */
export function placeOfValue(place: Place, key: string): Place {
  if (place === undefined) return undefined;
  if (place.kind === 'maps') return { kind: 'map', level: place.level };
  if (isWorkflowKey(place, key)) return { kind: 'map', level: 'workflow' };
  const spec = specOf(place.level, key);
  if (spec?.mapOf !== undefined) return { kind: 'map', level: spec.mapOf };
  return spec?.mapsOf === undefined ? undefined : { kind: 'maps', level: spec.mapsOf };
}

/** The place of an item of a list that stands there. */
export function placeOfItem(place: Place): Place {
  return place?.kind === 'maps' ? { kind: 'map', level: place.level } : place;
}

/** Keys in the order of the key tables; the order of names is the user's, and decides ties. */
export function sortByKey<T>(place: Place, items: readonly T[], keyOf: (item: T) => string): T[] {
  if (place === undefined || place.kind === 'maps') return [...items];
  return items
    .map((item, index) => ({ item, index, rank: rankOf(place, keyOf(item)) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ item }) => item);
}

/** What holds the steps comes last, after all that is said of the whole. */
const holdersOfSteps = ['phases', 'agents', 'steps'];
const afterKnown = keySpecs.length;

/** True for the keys of a workflow or phase that its steps are in. */
export function holdsSteps(place: Place, key: string): boolean {
  return place !== undefined && place.kind !== 'maps' && rankOf(place, key) >= 2 * afterKnown;
}

function rankOf(place: NonNullable<Place>, key: string): number {
  if (isWorkflowKey(place, key)) return -1;
  const spec = specOf(place.level, key);
  const isWhole = place.level === 'workflow' || place.level === 'phase';
  if (spec !== undefined) {
    const holder = isWhole ? holdersOfSteps.indexOf(spec.name) : -1;
    return holder < 0 ? keySpecs.indexOf(spec) : 2 * afterKnown + holder;
  }
  return snapshotKeys.has(normalizeKey(key)) && isWhole ? afterKnown : afterKnown + 1;
}

function isWorkflowKey({ kind, level }: NonNullable<Place>, key: string): boolean {
  return kind === 'root' && level === 'workflow' && normalizeKey(key) === 'workflow';
}

const executorLevels: readonly KeyLevel[] = ['executor', 'command', 'worker', 'simulate'];

function specOf(level: KeyLevel, key: string): KeySpec | undefined {
  const levels = level === 'executor' ? executorLevels : [level];
  return levels.map((each) => keysAt(each).get(normalizeKey(key))).find((spec) => spec !== undefined);
}
