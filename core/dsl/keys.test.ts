import { changesPlan, findKeyUses } from '../../test/support/key-uses';
import { keySpecs } from './keys';
import { agentFileKeys } from './keys-of-agents';

const uses = findKeyUses();
const workflowSpecs = keySpecs.filter((spec) => !agentFileKeys.includes(spec));

test.each(workflowSpecs.map((spec) => [`${spec.level}.${spec.name}`, spec] as const))('%s changes the plan', (key, spec) => {
  const found = uses.filter((use) => use.key === key);
  expect(found.some(changesPlan)).toBe(true);
  const values = new Set(
    found.flatMap(({ node }) => {
      if (node.kind === 'map') return node.entries.map((entry) => entry.key);
      return node.kind === 'scalar' ? [node.text.toLowerCase().replaceAll('-', '_')] : [];
    }),
  );
  if (spec.type === 'choice') expect((spec.choices ?? []).filter((choice) => !values.has(choice.toLowerCase()))).toEqual([]);
});
