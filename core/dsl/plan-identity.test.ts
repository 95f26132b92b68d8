import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, parseDocument, type YAMLMap } from 'yaml';
import { planHashOf } from '../../db/hash';
import { canonicalPlanText } from '../plan/canonical';
import { compileWorkflow } from './compile';
import { normalizeKey } from './keys';

const root = path.join(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const seeds = ['feature-auth-mfa', 'feature-auth', 'feature-user-preferences'].map((name) => `examples/${name}/workflow.yaml`);
const valid = readdirSync(path.join(root, 'test/fixtures/workflows/valid')).map((name) => `test/fixtures/workflows/valid/${name}`);
const yamlFiles = [...seeds, ...valid].filter((file) => file.endsWith('.yaml'));

function hashOf(text: string, format: 'yaml' | 'toml' = 'yaml'): string {
  const { plan, diagnostics } = compileWorkflow(text, { format });
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return planHashOf(plan);
}

/** Reverses the keys of every map but those whose order means something: steps, phases and the agents of the agents form. */
function reverseKeys(map: YAMLMap, isOrdered = false): void {
  if (!isOrdered) map.items.reverse();
  for (const pair of map.items) {
    const name = normalizeKey(String(pair.key));
    const items: unknown[] = isMap(pair.value) ? [pair.value] : ((pair.value as { items?: unknown[] } | null)?.items ?? []);
    for (const item of items) {
      if (isMap(item)) reverseKeys(item, isMap(pair.value) && ['steps', 'phases', 'agents', 'inputs'].includes(name));
    }
  }
}

describe.each(yamlFiles)('%s', (file) => {
  const text = read(file);

  test('comments and blank lines do not change the hash', () => {
    const hash = hashOf(text);
    expect(hash).toMatch(/^[0-9a-f]{64}$/u);
    expect(hashOf(`# first\n${text.replaceAll('\n  ', '\n\n  ')}\n# last\n`.replace(/\n\n( +)(?=Lines|kept)/gu, '\n$1'))).toBe(hash);
  });

  test('the order of keys does not change the hash', () => {
    const document = parseDocument(text);
    if (isMap(document.contents)) reverseKeys(document.contents);
    expect(hashOf(document.toString())).toBe(hashOf(text));
  });

  test('the plan is JSON, whole and canonical', () => {
    const { plan } = compileWorkflow(text);
    expect(plan).not.toBeNull();
    if (plan === null) return;
    const canonical = canonicalPlanText(plan);
    expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(plan)));
    expect(canonicalPlanText(JSON.parse(canonical) as typeof plan)).toBe(canonical);
  });
});

test('the order of steps changes the hash: it decides ties', () => {
  const text = (first: string, second: string): string =>
    `Workflow: w\nSteps:\n  ${first}: {agent: developer}\n  ${second}: {agent: developer}\n`;
  expect(hashOf(text('a', 'b'))).not.toBe(hashOf(text('b', 'a')));
});

test.each([
  ['minimal', 'Workflow: minimal\nSteps:\n  build: {agent: developer}\n', 'Workflow = "minimal"\n[Steps.build]\nagent = "developer"\n'],
  [
    'tables, dotted keys, dates, lists over lines',
    `workflow:
  id: twins
  created_at: 2025-11-09T10:00:00Z
  timeline_hours: 1.5
  steps:
    10_build: {agent: developer, retry: {attempts: 2, backoff: 1.5}, output: [a.md, b.md], with: {deep: {er: [1, true, "x"]}}}
    2_test:
      agent: tester
      depends_on: [10_build]
      must_pass: coverage > 85%
    "3.x": {agent: tester}
`,
    `[workflow]
id = "twins"
created_at = 2025-11-09T10:00:00Z
timeline_hours = 1.5 # hours
[workflow.steps.10_build]
agent = 'developer'
retry = {attempts = 2, backoff = 1.5}
output = [
  "a.md",
  "b.md", # two
]
with.deep.er = [1, true, """x"""]
[workflow.steps.2_test]
agent = "tester"
depends_on = ["10_build"]
must_pass = "coverage > 85%"
[workflow.steps."3.x"]
agent = "tester"
`,
  ],
  [
    'an array of tables',
    'workflow:\n  id: phased\n  phases:\n    - name: build\n      steps: [{name: code, agent: developer}]\n    - name: check\n      steps: [{name: test, agent: tester}]\n',
    '[workflow]\nid = "phased"\n[[workflow.phases]]\nname = "build"\n[[workflow.phases.steps]]\nname = "code"\nagent = "developer"\n[[workflow.phases]]\nname = "check"\n[[workflow.phases.steps]]\nname = "test"\nagent = "tester"\n',
  ],
])('YAML and TOML twins have one hash: %s', (_, yaml, toml) => {
  expect(hashOf(toml, 'toml')).toBe(hashOf(yaml));
});

test('TOML diagnostics have places', () => {
  const text =
    'Workflow = "w"\n[Steps.build]\nagent = "developer"\ndepends_on = ["nope", "build"]\ntimeout = 5\n[Steps.test]\nrole = "tester"\nmust_pass = "coverage >"\n';
  const { diagnostics } = compileWorkflow(text, { fileName: 'w.toml' });
  expect(diagnostics.map(({ code, range }) => `${code} ${range.line}:${range.column}`)).toEqual([
    'unknown_step 4:15',
    'self_dependency 4:23',
    'bad_unit 5:11',
    'condition_syntax 8:24',
  ]);
});

test('10,000 steps in a chain compile, with nothing lost', () => {
  const steps = Array.from(
    { length: 10_000 },
    (_, index) => `  s${index}: {agent: developer${index === 0 ? '' : `, depends_on: [s${index - 1}]`}, output: o${index}}\n`,
  );
  const started = process.cpuUsage();
  const { plan } = compileWorkflow(`Workflow: long\nSteps:\n${steps.join('')}`);
  const { user, system } = process.cpuUsage(started);
  process.stdout.write(`10,000 steps compiled in ${Math.round((user + system) / 1000)} ms of CPU\n`);
  expect(plan?.steps).toHaveLength(10_000);
  expect(plan?.steps.at(-1)?.id).toBe('s9999');
});
