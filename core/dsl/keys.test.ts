import { compileWorkflow } from './compile';
import { changesPlan, findKeyUses } from '../../test/support/key-uses';
import { keysAt, keyCalledElsewhere, keySpecs } from './keys';
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

test.each(keySpecs.flatMap(({ level, name, elsewhere = [] }) => elsewhere.map((other) => [level, other, name] as const)))(
  '%s: `%s` is no key, and suggests %s alone',
  (level, other, name) => {
    expect(keysAt(level).has(other)).toBe(false);
    expect(keyCalledElsewhere(level, other)).toBe(name);
  },
);

test('a word of other tools is an error, for what it asks for would not happen', () => {
  const { diagnostics } = compileWorkflow(
    'Workflow: w\nSteps:\n  a: {agent: tester, Retries: 3}\n  b: {agent: developer, needs: [a], with: {needs: x}}\n',
  );
  expect(diagnostics.map(({ code, severity, range, hint }) => `${severity} ${code} ${range.line}:${range.column} ${hint ?? ''}`)).toEqual([
    'error unknown_key 3:22 did you mean `retry`?',
    'error unknown_key 4:25 did you mean `depends_on`?',
  ]);
});
