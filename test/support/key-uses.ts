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

/** Which maps stand inside the value of a key: one, a list of them, or (`byName`) one for each name. */
const inside: Readonly<Record<string, { level: KeyLevel; byName?: true }>> = {
  'workflow.steps': { level: 'step', byName: true },
  'workflow.agents': { level: 'step', byName: true },
  'workflow.phases': { level: 'phase', byName: true },
  'workflow.inputs': { level: 'input', byName: true },
  'workflow.defaults': { level: 'step' },
  'workflow.budget': { level: 'budget' },
  'workflow.on_late': { level: 'on_late' },
  'workflow.escalation': { level: 'escalation' },
  'workflow.schedule': { level: 'schedule' },
  'workflow.notify': { level: 'notification' },
  'phase.steps': { level: 'step', byName: true },
  'on_late.add_agent': { level: 'add_agent' },
  'step.depends_on': { level: 'dependency' },
  'step.retry': { level: 'retry' },
  'step.approval': { level: 'approval' },
  'step.if_blocked': { level: 'if_blocked' },
  'step.deployment_strategy': { level: 'deployment' },
  'step.compensate': { level: 'compensate' },
  'step.rework': { level: 'rework' },
  'deployment.canary': { level: 'canary' },
};

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
    const maps = inside[key];
    const uses = [{ key, file, path: here, node: entry.value }];
    if (maps === undefined) return uses;
    if (maps.byName !== true || entry.value.kind !== 'map') return [...uses, ...usesIn(entry.value, maps.level, file, here)];
    return [...uses, ...entry.value.entries.flatMap((named) => usesIn(named.value, maps.level, file, [...here, named.key]))];
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
