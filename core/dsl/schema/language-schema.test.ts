import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { compileAgents } from '../agents';
import { compileWorkflow } from '../compile';
import { expectGolden } from '../../../test/support/golden';
import { keySpecs } from '../keys';
import { languageSchema, type SchemaName, schemaNames } from './language-schema';

const root = join(__dirname, '../../..');
const ajv = new Ajv({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  allowUnionTypes: true,
  allowMatchingProperties: true,
});
const validators = new Map(schemaNames.map((name) => [name, ajv.compile(languageSchema(name))]));

function mistakesIn(name: SchemaName, document: unknown): string[] {
  const validate = validators.get(name);
  if (validate === undefined) throw new TypeError(name);
  return validate(document) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

/** As an editor reads it. */
function parse(text: string, file: string): unknown {
  return file.endsWith('.toml') ? JSON.parse(JSON.stringify(parseToml(text))) : parseYaml(text);
}

function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

const valid = [...filesIn('test/fixtures/workflows/valid', /./u), ...filesIn('examples', /^workflow\.(yaml|toml)$/u)];
const registries = filesIn('examples', /^agents\.(yaml|toml)$/u);

test.each(schemaNames)('the committed schema of %s files is the one the key tables give', (name) => {
  // Written anew by UPDATE_GOLDEN=1 npx jest core/dsl/schema, or: node bin/vapora.js schema <name> > schema/vapora-<name>.schema.json
  expectGolden(join(root, 'schema', `vapora-${name}.schema.json`), `${JSON.stringify(languageSchema(name), null, 2)}\n`);
});

test('every key is in a schema, with its explanation', () => {
  const text = schemaNames.map((name) => languageSchema(name).definitions ?? {});
  const missing = keySpecs.filter(({ level, name, effect }) => {
    const found = text.map((definitions) => definitions[level]).find((definition) => definition !== undefined);
    const key = typeof found === 'object' ? found.properties?.[name] : undefined;
    return typeof key !== 'object' || key.description?.toLowerCase().startsWith(effect.toLowerCase()) !== true;
  });
  expect(missing).toEqual([]);
});

test.each(valid)('accepts %s', (file) => {
  expect(mistakesIn('workflow', parse(readFileSync(join(root, file), 'utf8'), file))).toEqual([]);
});

test.each(registries)('accepts %s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  expect(compileAgents(text).diagnostics).toEqual([]);
  expect(mistakesIn('agents', parse(text, file))).toEqual([]);
});

/** Every key of the document that the language knows, written in another way. Ids and free data keep theirs. */
function respell(document: unknown, spell: (key: string) => string, known: ReadonlySet<string>): unknown {
  if (Array.isArray(document)) return document.map((item) => respell(item, spell, known));
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [known.has(key) ? spell(key) : key, respell(value, spell, known)]),
  );
}

const workflowKeys = new Set(['workflow', 'approval_required_at', 'depends_on', 'max_duration', 'agent', 'gate', 'deployment_strategy']);

test.each([
  ['in capitals', (key: string) => key.toUpperCase()],
  ['with hyphens', (key: string) => key.replaceAll('_', '-')],
])('accepts keys %s', (_, spell) => {
  for (const file of valid) {
    const document = respell(parse(readFileSync(join(root, file), 'utf8'), file), spell, workflowKeys);
    expect(mistakesIn('workflow', document)).toEqual([]);
  }
});

const step = (text: string): string => `{Workflow: w, Steps: {a: {agent: developer, ${text}}}}`;

test.each([
  ['unknown_key', step('depends_onn: b')],
  ['unknown_key', step('retry: {atempts: 2}')],
  ['unknown_key', '{workflow: {id: w, agents: {a: {role: developer}}}, steps: {}}'],
  ['bad_value', step('quality: Best')],
  ['bad_value', step('optional: maybe')],
  ['bad_value', step('count: 1.5')],
  ['bad_value', step('timeout: soon')],
  ['bad_value', step('depends_on: {step: {a: b}}')],
  ['bad_value', step('environment: {staging: true}')],
  ['bad_value', '{Workflow: w, budget: lots, Steps: {a: {agent: developer}}}'],
  ['missing_key', '{Workflow: w, Steps: [1]}'],
  ['no_workflow', '[Workflow, Steps]'],
  ['bad_unit', step('timeout: 30')],
  ['bad_unit', step('retry: {initial_interval: 2}')],
  ['bad_id', '{Workflow: "a b", Steps: {a: {agent: developer}}}'],
  ['bad_id', '{Workflow: w, Steps: {"a b": {agent: developer}}}'],
  ['reserved_id', '{workflow: {id: vapora-x, steps: {a: {agent: developer}}}}'],
  ['missing_key', '{Workflow: w, Steps: [{agent: developer}]}'],
  ['missing_key', '{workflow: {steps: {a: {agent: developer}}}}'],
  ['missing_key', step('depends_on: [{when: failed}]')],
  ['no_workflow', '{Workflow: w}'],
  ['ambiguous_form', '{Workflow: w, Steps: {a: {agent: developer}}, Agents: {b: {role: tester}}}'],
])('finds %s in %s without the compiler', (code, text) => {
  const { diagnostics } = compileWorkflow(text);
  expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  expect(mistakesIn('workflow', parse(text, '.yaml'))).not.toEqual([]);
});

test.each([
  ['an unknown kind', 'agents: [{id: a, role: developer, executor: {kind: shell}}]'],
  ['a command without argv', 'agents: [{id: a, role: developer, executor: {kind: command}}]'],
  ["another kind's key", 'agents: [{id: a, role: developer, executor: {kind: worker, task_queue: q, argv: [x]}}]'],
  ['an agent without a role', 'agents: {a: {executor: {kind: simulate}}}'],
  ['a list item without an id', 'agents: [{role: developer, executor: {kind: simulate}}]'],
  ['a typo', 'agents: {a: {role: developer, skils: [x], executor: {kind: simulate}}}'],
])('finds %s in an agents file', (_, text) => {
  expect(compileAgents(text).diagnostics).not.toEqual([]);
  expect(mistakesIn('agents', parse(text, '.yaml'))).not.toEqual([]);
});

test.each([
  'agents: {a: {role: developer, executor: {kind: http, url: "http://127.0.0.1"}}}',
  'agents: {a: {role: "*", executor: {KIND: Simulate, success: 95%, metrics: {coverage: 85%..95%, ok: true, x: {min: 1, max: 2}}}}}',
  'agents: {a: {role: developer, cost: {usd_per_hour: $2.50}, executor: {kind: simulate, script: {b: {status: failure}, c: [{}, {verdict: approved}]}}}}',
])('accepts what the compiler accepts: %s', (text) => {
  expect(compileAgents(text).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(mistakesIn('agents', parse(text, '.yaml'))).toEqual([]);
});
