import fc from 'fast-check';

/** A workflow before it has a syntax: what YAML and TOML can both say. */
export type Model = string | number | boolean | DateTime | Model[] | ModelMap;
export class ModelMap {
  readonly entries: readonly (readonly [string, Model])[];
  /** The order of its entries means something: steps and phases. */
  readonly isOrdered: boolean;

  constructor(entries: readonly (readonly [string, Model])[], isOrdered = false) {
    this.entries = entries;
    this.isOrdered = isOrdered;
  }
}
/** A date-time: without quotes in both syntaxes, and a text to both. */
export class DateTime {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const texts = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ maxLength: 12, unit: 'grapheme' }).filter((text) => !/[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/u.test(text)),
  fc.constantFrom(
    'null',
    'true',
    '12',
    '1.5',
    '~',
    '- a',
    'a: b',
    '# no comment',
    "it's",
    '"quoted"',
    ' padded ',
    '{',
    '2025-11-09',
    'é😀',
  ),
);
// `x-…` keys are the user's own, and no steps.
const names = fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,8}$/u).filter((name) => !/^x[-_]/u.test(name));
const numbers = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).filter((value) => !Object.is(value, -0)),
);

const plainData = fc.letrec<{ value: Model }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(texts, numbers, fc.boolean()),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(names, texts).filter(isSafeKey), tie('value')), { maxLength: 3, selector: ([key]) => key })
      .map((entries) => new ModelMap(entries)),
  ),
})).value;

function isSafeKey(key: string): boolean {
  return !['__proto__', 'constructor', 'prototype', '<<'].includes(key);
}

/** Keys of a step that stand by themselves: any of them together make no error. */
const stepKeys: Record<string, fc.Arbitrary<Model>> = {
  title: texts.filter((text) => text.trim() !== ''),
  description: texts,
  tasks: fc.array(
    texts.filter((text) => text.trim() !== ''),
    { maxLength: 3 },
  ),
  output: fc.oneof(names, fc.uniqueArray(names, { maxLength: 3 })),
  input: fc.uniqueArray(names, { maxLength: 3 }),
  timeout: fc.constantFrom('90s', '45min', '1h30m', 'PT2H', '1.5h'),
  estimated_duration: fc.constantFrom('1h', '4days'),
  quality: fc.constantFrom('Low', 'High', 'critical'),
  priority: fc.constantFrom('critical', 'low'),
  count: fc.integer({ min: 1, max: 5 }),
  must_pass: fc.constantFrom<Model>('coverage > 85%', 'all_approved and not mitigated', "'a' in ('a', 'b')", 1, 'all'),
  retry: fc.oneof<fc.Arbitrary<Model>[]>(
    fc.integer({ min: 1, max: 9 }),
    fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.double({ min: 1, max: 9, noNaN: true }))
      .map(([attempts, backoff]) => mapOf({ attempts, backoff, initial_interval: '5s' })),
  ),
  environment: fc.constantFrom('staging', 'production'),
  approval: fc.constantFrom('before', 'after'),
  async: fc.boolean(),
  optional: fc.boolean(),
  parallelizable: fc.boolean(),
  skill_match: fc.array(names, { maxLength: 2 }),
  with: plainData,
  'x-note': plainData,
};

const roles = ['developer', 'tester', 'architect', 'code-reviewer', 'documenter'];

/** One step; `waits` chooses among the steps before it. */
const step = fc.record({
  agent: fc.constantFrom(...roles),
  waits: fc.array(fc.nat(), { maxLength: 2 }),
  keys: fc
    .subarray(Object.keys(stepKeys), { maxLength: 5 })
    .chain((chosen) => fc.tuple(...chosen.map((key) => (stepKeys[key] ?? fc.constant('')).map((value) => [key, value] as const)))),
});

/** A workflow of any of the three forms that compiles. */
export function randomWorkflows(): fc.Arbitrary<ModelMap> {
  return fc
    .record({
      form: fc.constantFrom('steps', 'agents', 'phases'),
      ids: fc.uniqueArray(names, { minLength: 2, maxLength: 7 }),
      steps: fc.array(step, { minLength: 7, maxLength: 7 }),
      top: fc.record(
        {
          title: texts,
          owner: texts,
          created_at: fc.constant(new DateTime('2025-11-09T10:00:00Z')),
          timeline_hours: fc.constantFrom(8, 1.5),
          allow_concurrent_agents: fc.integer({ min: 1, max: 50 }),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ form, ids, steps, top }) => {
      const made = ids.map((id, index): [string, Model] => {
        const { agent, waits, keys } = steps[index] ?? { agent: 'developer', waits: [], keys: [] };
        const dependencies = index === 0 ? [] : [...new Set(waits.map((wait) => ids[wait % index] ?? ''))];
        const own: [string, Model][] = [
          [form === 'agents' ? 'role' : 'agent', agent],
          ...keys.map(([key, value]): [string, Model] => [key, value]),
        ];
        if (dependencies.length > 0) own.push(['depends_on', dependencies]);
        return [id, new ModelMap(own)];
      });
      const keys = Object.entries(top);
      if (form === 'steps') return new ModelMap([['Workflow', 'random'], ...keys, ['Steps', new ModelMap(made, true)]]);
      if (form === 'agents') return mapOf({ workflow: new ModelMap([['id', 'random'], ...keys, ['agents', new ModelMap(made, true)]]) });
      const half = Math.ceil(made.length / 2);
      const phases = [made.slice(0, half), made.slice(half)].map((part, index): [string, Model] => [
        `PHASE${index}`,
        mapOf({ steps: new ModelMap(part, true) }),
      ]);
      return mapOf({ workflow: new ModelMap([['id', 'random'], ...keys, ['phases', new ModelMap(phases, true)]]) });
    });
}

function mapOf(entries: Record<string, Model>): ModelMap {
  return new ModelMap(Object.entries(entries));
}

/** Chooses among ways to write one thing, the same ones for the same seed. */
export class Chooser {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `count`. */
  among(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * count);
  }
}

/** The same model with the keys of every map in another order, but for those whose order means something. */
export function reorderKeys(model: Model, chooser: Chooser): Model {
  if (Array.isArray(model)) return model.map((item) => reorderKeys(item, chooser));
  if (!(model instanceof ModelMap)) return model;
  const entries = model.entries.map(([key, value]) => [key, reorderKeys(value, chooser)] as const);
  if (!model.isOrdered) {
    for (let last = entries.length - 1; last > 0; last -= 1) {
      const other = chooser.among(last + 1);
      [entries[last], entries[other]] = [entries[other] ?? ['', ''], entries[last] ?? ['', '']];
    }
  }
  return new ModelMap(entries, model.isOrdered);
}

/** The same model with the last two entries of its first ordered map (of at least two) exchanged. */
export function exchangeSteps(model: Model): Model {
  if (!(model instanceof ModelMap)) return model;
  const { entries } = model;
  if (model.isOrdered && entries.length > 1) {
    const [beforeLast, last] = entries.slice(-2);
    if (beforeLast !== undefined && last !== undefined) return new ModelMap([...entries.slice(0, -2), last, beforeLast], true);
  }
  return new ModelMap(
    entries.map(([key, value]) => [key, exchangeSteps(value)] as const),
    model.isOrdered,
  );
}

/** YAML, with comments, blank lines, and every style of text and collection. */
export function printYaml(root: ModelMap, chooser: Chooser): string {
  const comment = (indent: string): string => ['', '', '', '\n', `${indent}# a comment\n`, `\n${indent}#: {"\n`][chooser.among(6)] ?? '';
  const flow = (value: Model): string => {
    if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
    if (value instanceof ModelMap) return `{${value.entries.map(([key, item]) => `${yamlText(key, chooser)}: ${flow(item)}`).join(', ')}}`;
    return yamlScalar(value, chooser);
  };
  const block = (value: Model, indent: string): string => {
    const isCollection = Array.isArray(value) || value instanceof ModelMap;
    const isEmpty = Array.isArray(value) ? value.length === 0 : value instanceof ModelMap && value.entries.length === 0;
    if (!isCollection || isEmpty || (chooser.among(3) === 0 && indent !== ''))
      return ` ${flow(value)}${chooser.among(4) === 0 ? ' # said' : ''}\n`;
    if (Array.isArray(value)) return `\n${value.map((item) => `${comment(indent)}${indent}-${block(item, `${indent}  `)}`).join('')}`;
    return `\n${value.entries.map(([key, item]) => `${comment(indent)}${indent}${yamlText(key, chooser)}:${block(item, `${indent}${' '.repeat(1 + chooser.among(4))}`)}`).join('')}`;
  };
  return `${['', '---\n', '# first\n'][chooser.among(3)]}${block(root, '').trimStart()}${['', '...\n', '# last'][chooser.among(3)]}`;
}

function yamlScalar(value: string | number | boolean | DateTime, chooser: Chooser): string {
  if (value instanceof DateTime) return value.text;
  return typeof value === 'string' ? yamlText(value, chooser) : String(value);
}

function yamlText(text: string, chooser: Chooser): string {
  const isPlain = /^[A-Za-z][\w.-]*(?: [\w.-]+)*$/u.test(text) && !/^(?:null|true|false|y|yes|no|n|on|off)$/iu.test(text);
  const ways = [JSON.stringify(text), `'${text.replaceAll("'", "''")}'`, ...(isPlain ? [text] : [])];
  return ways[chooser.among(ways.length)] ?? '';
}

/** TOML: tables, inline tables and dotted keys; maps whose order means something all in one way, so that they keep it. */
export function printToml(root: ModelMap, chooser: Chooser): string {
  const comment = (): string => ['', '', '\n', '# a comment\n'][chooser.among(4)] ?? '';
  const inline = (value: Model): string => {
    if (Array.isArray(value))
      return `[${value.map((item) => `${chooser.among(4) === 0 ? '\n  # item\n  ' : ''}${inline(item)}`).join(', ')}]`;
    if (value instanceof ModelMap)
      return `{${value.entries.map(([key, item]) => `${tomlKey(key, chooser)} = ${inline(item)}`).join(', ')}}`;
    return tomlScalar(value, chooser);
  };
  const table = (map: ModelMap, path: string[]): string => {
    const hasTables = map.isOrdered ? chooser.among(4) > 0 : true;
    const isTable = (value: Model): value is ModelMap =>
      value instanceof ModelMap && hasTables && (map.isOrdered || value.isOrdered || containsOrder(value) || chooser.among(2) === 0);
    const marked = map.entries.map(([key, value]) => ({ key, value, asTable: isTable(value) }));
    const own = marked
      .filter(({ asTable }) => !asTable)
      .map(({ key, value }) => `${comment()}${tomlKey(key, chooser)} = ${inline(value)}\n`);
    const tables = marked.flatMap(({ key, value, asTable }) => {
      if (!asTable || !(value instanceof ModelMap)) return [];
      const inner = [...path, tomlKey(key, chooser)];
      return [`${comment()}[${inner.join('.')}]\n${table(value, inner)}`];
    });
    return own.join('') + tables.join('');
  };
  return table(root, []);
}

function containsOrder(map: ModelMap): boolean {
  return map.isOrdered || map.entries.some(([, value]) => value instanceof ModelMap && containsOrder(value));
}

function tomlScalar(value: string | number | boolean | DateTime, chooser: Chooser): string {
  if (value instanceof DateTime) return value.text;
  if (typeof value !== 'string') return String(value);
  return tomlText(value, chooser);
}

function tomlText(text: string, chooser: Chooser): string {
  const basic = JSON.stringify(text).replaceAll('\u007f', '\\u007F');
  return chooser.among(2) === 0 && !/['\p{Cc}]/u.test(text) ? `'${text}'` : basic;
}

function tomlKey(key: string, chooser: Chooser): string {
  return /^[A-Za-z0-9_-]+$/u.test(key) && chooser.among(3) > 0 ? key : tomlText(key, chooser);
}
