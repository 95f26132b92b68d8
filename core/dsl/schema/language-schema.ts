import { definitionIdPattern, stepIdPattern } from '../../contract/ids';
import type { KeyLevel, KeySpec } from '../key-spec';
import { keySpecs, keysAt, snapshotKeys } from '../keys';
import { anyOf, hasKey, type JsonSchema, type JsonSchemaObject, spellingsOf } from './json-schema';
import { choiceSchemas, scalar, valueDefinitions, valueSchema } from './value-schema';

/** The files that have a schema. */
export const schemaNames = ['workflow', 'agents'] as const;
export type SchemaName = (typeof schemaNames)[number];

const draft = 'http://json-schema.org/draft-07/schema#';
const usersOwn = '^[xX][-_]';
const snapshotDescription = 'A key of a running document: kept as metadata, a run never starts from it.';
const reservedIds = '^(?:default$|vapora-)';
const unbuiltNote = ' (Accepted and kept in the plan, but without effect in this version.)';

/**
 * The JSON Schema (draft-07) of a workflow or agents file, made from the key tables: what an editor completes, explains and
 * underlines. Keys are offered by their canonical names; every other spelling the compiler takes is accepted.
 */
export function languageSchema(name: SchemaName): JsonSchemaObject {
  return name === 'workflow' ? workflowSchema() : agentsSchema();
}

function workflowSchema(): JsonSchemaObject {
  const workflow = spellingsOf(['workflow']);
  const form = (key: string): JsonSchema => hasKey(spellingsOf([key]));
  const oneForm: JsonSchema[] = [
    anyOf([form('steps'), form('agents'), form('phases')]),
    { not: { allOf: [form('steps'), form('agents')] } },
    { not: { allOf: [form('agents'), form('phases')] } },
  ];
  const flat = keyProperties('workflow', (spec) => ({ $ref: pointerTo('workflow', spec) }));
  const isNested: JsonSchema = { allOf: [hasKey(workflow), { patternProperties: { [workflow]: { type: 'object' } } }] };
  const snapshots = `^(?:${[...snapshotKeys].map((key) => spellingsOf([key]).slice(1, -1)).join('|')})$`;
  const id: JsonSchema = {
    type: ['string', 'number'],
    description: 'The id of the workflow: the keys stand beside it.',
    pattern: definitionIdPattern.source,
    not: { pattern: reservedIds },
  };
  const nested: JsonSchema = {
    description: 'The workflow, with all its keys inside.',
    allOf: [refTo('workflow'), hasKey(spellingsOf(['id'])), ...oneForm],
  };
  const inside: JsonSchema = { anyOf: [id, nested] };
  return {
    $schema: draft,
    title: 'vapora workflow',
    description: 'A workflow of many agents: steps, agents or phases.',
    type: 'object',
    properties: { workflow: inside, ...flat.properties, ...snapshotProperties() },
    patternProperties: { [workflow]: inside, ...flat.patternProperties, [snapshots]: true, [usersOwn]: true },
    additionalProperties: false,
    if: isNested,
    then: { propertyNames: anyOf([{ pattern: workflow }, { pattern: snapshots }, { pattern: usersOwn }]) },
    else: { allOf: [anyOf([hasKey(workflow), hasKey(spellingsOf(['id']))]), ...oneForm] },
    definitions: definitionsFrom('workflow'),
  };
}

function agentsSchema(): JsonSchemaObject {
  const root = keyProperties('agents_file', (spec) => specSchema(spec));
  return {
    $schema: draft,
    title: 'vapora agents',
    description: 'The agents that a workflow may use.',
    type: 'object',
    ...root,
    additionalProperties: false,
    allOf: [hasKey(spellingsOf(['agents']))],
    definitions: definitionsFrom('agents_file'),
  };
}

/** Every level that can be reached from one, as a definition. */
function definitionsFrom(root: KeyLevel): Record<string, JsonSchema> {
  const found = new Map<KeyLevel, JsonSchema>();
  const pending: KeyLevel[] = [root];
  for (let level = pending.pop(); level !== undefined; level = pending.pop()) {
    if (found.has(level)) continue;
    found.set(level, levelSchema(level));
    pending.push(...levelsBelow(level));
  }
  return { ...valueDefinitions, ...Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function levelsBelow(level: KeyLevel): KeyLevel[] {
  const below = keySpecs.filter((spec) => spec.level === level).flatMap(({ mapOf, mapsOf }) => [mapOf, mapsOf]);
  const kinds: KeyLevel[] = level === 'executor' ? [...executorLevels] : [];
  return [...below.filter((next) => next !== undefined), ...kinds];
}

function levelSchema(level: KeyLevel): JsonSchema {
  if (level === 'executor') return executorSchema();
  const { properties, patternProperties } = keyProperties(level, specSchema);
  const isWorkflow = level === 'workflow';
  const snapshots = isWorkflow ? { [spellingsOf([...snapshotKeys])]: true } : {};
  return {
    type: mayBeEmpty.has(level) ? ['object', 'null'] : 'object',
    properties: { ...properties, ...(isWorkflow ? snapshotProperties() : {}) },
    patternProperties: { ...patternProperties, ...snapshots, [usersOwn]: true },
    additionalProperties: false,
    ...(requiredKeys[level] === undefined ? {} : { allOf: requiredKeys[level].map((keys) => hasKey(spellingsOf(keys))) }),
  };
}

/** `defaults:` and the like without a value are empty maps. */
const mayBeEmpty: ReadonlySet<KeyLevel> = new Set(['phase', 'step', 'input']);

/** Keys a map cannot do without; of several spellings any. */
const requiredKeys: Readonly<Partial<Record<KeyLevel, readonly (readonly string[])[]>>> = {
  dependency: [['step']],
  escalation: [['after'], ['to']],
  notification: [['channel']],
  if_blocked: [['defer']],
  agent: [['role'], ['executor']],
  command: [['argv']],
  worker: [['task_queue']],
};

/** What one of several maps by name may be instead of a map. */
const insteadOfMap: Readonly<Partial<Record<KeyLevel, readonly JsonSchema[]>>> = {
  phase: [scalar],
  input: choiceSchemas(keysAt('input').get('type')?.choices ?? []),
  simulated_range: [scalar],
};

const executorLevels = ['command', 'worker', 'simulate'] as const;

/** The kind decides the keys; kinds without a level of their own check them when they are called. */
function executorSchema(): JsonSchema {
  const kind = keysAt('executor').get('kind');
  const isKind = (level: string): JsonSchema => ({
    patternProperties: { [spellingsOf(['kind'])]: { type: 'string', pattern: spellingsOf([level]) } },
  });
  return {
    type: 'object',
    properties: Object.fromEntries(keySpecs.filter(({ level }) => level === 'executor').map((spec) => [spec.name, specSchema(spec)])),
    patternProperties: { [spellingsOf(['kind'])]: anyOf(choiceSchemas(kind?.choices ?? [])) },
    allOf: [hasKey(spellingsOf(['kind'])), ...executorLevels.map((level): JsonSchema => ({ if: isKind(level), then: refTo(level) }))],
  };
}

/** The keys of a level by canonical name and alias, and patterns for all their other spellings. */
function keyProperties(
  level: KeyLevel,
  schemaOf: (spec: KeySpec) => JsonSchema,
): Required<Pick<JsonSchemaObject, 'properties' | 'patternProperties'>> {
  const properties: Record<string, JsonSchema> = {};
  const patternProperties: Record<string, JsonSchema> = {};
  for (const spec of keySpecs) {
    if (spec.level !== level) continue;
    const names = [spec.name, ...(spec.aliases ?? [])];
    properties[spec.name] = schemaOf(spec);
    for (const alias of spec.aliases ?? []) properties[alias] = { $ref: pointerTo(level, spec) };
    patternProperties[spellingsOf(names)] = { $ref: pointerTo(level, spec) };
  }
  return { properties, patternProperties };
}

function pointerTo(level: KeyLevel, { name }: KeySpec): string {
  return `#/definitions/${level}/properties/${name}`;
}

function specSchema(spec: KeySpec): JsonSchema {
  const value = spec.mapsOf === undefined ? valueSchema(spec, refTo) : anyOf([...namedMaps(spec.mapsOf), ...bareSchemas(spec)]);
  const description = `${spec.effect.charAt(0).toUpperCase()}${spec.effect.slice(1)}.${spec.built ? '' : unbuiltNote}`;
  return { description, ...(typeof value === 'boolean' ? {} : specialSchema(spec, value)) };
}

function specialSchema(spec: KeySpec, value: JsonSchemaObject): JsonSchemaObject {
  if (spec.level !== 'workflow' || spec.name !== 'id') return value;
  return { type: ['string', 'number'], pattern: definitionIdPattern.source, not: { pattern: reservedIds } };
}

function bareSchemas(spec: KeySpec): JsonSchema[] {
  if (spec.bare === undefined) return [];
  const [type, ...bare] = spec.bare;
  return type === undefined ? [] : [valueSchema({ ...withoutMaps(spec), type, bare }, refTo)];
}

function withoutMaps({ level, name, effect, built, choices = [] }: KeySpec): Omit<KeySpec, 'type'> {
  return { level, name, effect, built, choices };
}

/** One map for each name; steps, phases and agents may also be a list of maps that have a name. */
function namedMaps(level: KeyLevel): JsonSchema[] {
  const one = anyOf([refTo(level), ...(insteadOfMap[level] ?? [])]);
  const isListable = ['step', 'phase', 'agent'].includes(level);
  const listed: JsonSchema = {
    type: 'array',
    items: anyOf([
      { allOf: [{ type: 'object' }, refTo(level), hasKey(spellingsOf(level === 'agent' ? ['id'] : ['name', 'id']))] },
      ...bareItems(level),
    ]),
  };
  const byName: JsonSchema = {
    type: 'object',
    ...(isListable ? { propertyNames: anyOf([{ pattern: stepIdPattern.source }, { pattern: usersOwn }]) } : {}),
    ...(level === 'step' ? snapshotEntries() : { patternProperties: { [usersOwn]: true } }),
    additionalProperties: level === 'simulated_outcome' ? anyOf([one, { type: 'array', items: one }]) : one,
  };
  return isListable ? [byName, listed] : [byName];
}

/** A phase in a list may be its bare name. */
function bareItems(level: KeyLevel): JsonSchema[] {
  return level === 'phase' ? [{ type: ['string', 'number'] }] : [];
}

/** Among steps, snapshot keys with a plain value belong to a running document; with a map they are ids of steps. */
function snapshotEntries(): Pick<JsonSchemaObject, 'patternProperties'> {
  const entry = anyOf([refTo('step'), scalar, { type: 'array' }]);
  return { patternProperties: { [usersOwn]: true, [spellingsOf([...snapshotKeys])]: entry } };
}

function snapshotProperties(): Record<string, JsonSchema> {
  return Object.fromEntries([...snapshotKeys].map((key) => [key, { description: snapshotDescription }]));
}

function refTo(level: string): JsonSchema {
  return { $ref: `#/definitions/${level}` };
}
