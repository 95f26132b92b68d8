import type { KeyLevel, KeySpec } from '../../core/dsl/key-spec';
import { keySpecs, snapshotKeys } from '../../core/dsl/keys';
import { agentFileKeys } from '../../core/dsl/keys-of-agents';
import { agentKeyEvidence, type Evidence, keyEvidence } from './key-evidence';

/** Shown by what the plan becomes without the key. */
const planEvidence: Evidence = { file: 'core/dsl/keys.test.ts', title: 'changes the plan' };

/** The test that shows what a key does. */
export function evidenceOf(spec: KeySpec): Evidence {
  return keyEvidence[`${spec.level}.${spec.name}`] ?? (agentFileKeys.includes(spec) ? agentKeyEvidence : planEvidence);
}

/** The page with the tables between `<!-- keys of <level> -->` and `<!-- end -->` written anew. */
export function withKeyTables(page: string): string {
  return page.replace(/(<!-- keys of (\w+) -->\n)[\s\S]*?(<!-- end -->)/gu, (_, begin: string, level: string, end: string) => {
    const table = level === 'snapshot' ? [[...snapshotKeys].map((key) => `\`${key}\``).join(', ')] : tableOf(level as KeyLevel);
    return `${begin}\n${table.join('\n')}\n\n${end}`;
  });
}

function tableOf(level: KeyLevel): string[] {
  const specs = keySpecs.filter((spec) => spec.level === level);
  if (specs.length === 0) throw new Error(`there are no keys of ${level}`);
  return ['| key | value | effect | shown by |', '|---|---|---|---|', ...specs.map(rowOf)];
}

function rowOf(spec: KeySpec): string {
  const { file, title } = evidenceOf(spec);
  const names = [spec.name, ...(spec.aliases ?? [])].map((name) => `\`${name}\``).join(', ');
  const choices = (spec.choices ?? []).map((choice) => `\`${choice}\``);
  const kinds = [spec.type, ...(spec.bare ?? [])].filter((type) => type !== 'choice' || choices.length === 0);
  const value = [...kinds, ...choices].join(', ');
  const shown = `[${title}](../${file})`;
  return `| ${names} | ${value} | ${spec.effect}${unbuiltNote(spec)} | ${shown} |`.replaceAll('\n', ' ');
}

function unbuiltNote({ built }: KeySpec): string {
  return built ? '' : ' (**not built yet**)';
}
