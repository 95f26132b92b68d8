import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compileWorkflow } from '../../core/dsl/compile';
import { type DocumentNode, type DocumentPath, toPlainValue } from '../../core/dsl/document';
import type { KeyLevel } from '../../core/dsl/key-spec';
import { keysAt, normalizeKey } from '../../core/dsl/keys';
import { readDocument } from '../../core/dsl/read/document';

const folder = path.join(__dirname, '../fixtures/workflows/valid');

/** A key that a valid workflow has somewhere. */
export interface KeyUse {
  /** `<level>.<name>`. */
  key: string;
  file: string;
  path: DocumentPath;
  node: DocumentNode;
}

/** Every use of every key in the valid workflows. */
export function findKeyUses(): KeyUse[] {
  return readdirSync(folder).flatMap((file) => {
    const { root } = readDocument(readFileSync(path.join(folder, file)), { fileName: file });
    if (root?.kind !== 'map') return [];
    const nested = root.entries.find(({ key, value }) => normalizeKey(key) === 'workflow' && value.kind === 'map');
    return nested === undefined ? usesIn(root, 'workflow', file, []) : usesIn(nested.value, 'workflow', file, [nested.key]);
  });
}

function usesIn(node: DocumentNode, level: KeyLevel, file: string, at: DocumentPath): KeyUse[] {
  if (node.kind === 'list') return node.items.flatMap((item, index) => usesIn(item, level, file, [...at, index]));
  if (node.kind !== 'map') return [];
  return node.entries.flatMap((entry): KeyUse[] => {
    const spec = keysAt(level).get(normalizeKey(entry.key));
    if (spec === undefined) return [];
    const key = `${level}.${spec.name}`;
    const here = [...at, entry.key];
    const uses = [{ key, file, path: here, node: entry.value }];
    if (spec.mapOf !== undefined) return [...uses, ...usesIn(entry.value, spec.mapOf, file, here)];
    const { mapsOf } = spec;
    if (mapsOf === undefined) return uses;
    if (entry.value.kind !== 'map') return [...uses, ...usesIn(entry.value, mapsOf, file, here)];
    return [...uses, ...entry.value.entries.flatMap((named) => usesIn(named.value, mapsOf, file, [...here, named.key]))];
  });
}

/** True when the workflow without this key has another plan, or none. */
export function changesPlan({ file, path: at }: KeyUse): boolean {
  const { root } = readDocument(readFileSync(path.join(folder, file)), { fileName: file });
  if (root === null) throw new Error(`${file} cannot be read`);
  const whole = toPlainValue(root);
  const without = structuredClone(whole);
  removeAt(without, at);
  return planTextOf(whole) !== planTextOf(without);
}

/** JSON is YAML. */
function planTextOf(value: unknown): string {
  return JSON.stringify(compileWorkflow(JSON.stringify(value), { format: 'yaml' }).plan);
}

function removeAt(value: unknown, at: DocumentPath): void {
  const [last] = at.slice(-1);
  const parent = at.slice(0, -1).reduce<unknown>((inner, part) => (inner as Record<string | number, unknown>)[part], value);
  delete (parent as Record<string | number, unknown>)[last ?? ''];
}
