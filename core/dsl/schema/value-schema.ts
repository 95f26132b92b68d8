import type { KeySpec, ValueType } from '../key-spec';
import { unitNames } from '../values';
import { anyOf, type JsonSchema, spellingsOf } from './json-schema';

/** Any scalar: ids and texts may look like numbers. */
export const scalar: JsonSchema = { type: ['string', 'number', 'boolean'] };

const number = String.raw`\d+(?:\.\d+)?`;
const units = Object.values(unitNames)
  .flat()
  .map((name) => spellingsOf([name]).slice(1, -1))
  .join('|');
const isoDuration = `[pP](?:${number}[a-zA-Z]|[tT])+`;

/** Referred to by every key that is a duration. The order of the units is left to the compiler. */
export const valueDefinitions = {
  duration: { type: 'string', pattern: String.raw`^\s*(?:(?:${number}\s*(?:${units})\s*)+|${isoDuration})\s*$` },
} as const satisfies Record<string, JsonSchema>;
const duration: JsonSchema = { $ref: '#/definitions/duration' };
const money: JsonSchema = anyOf([
  { type: 'number', minimum: 0 },
  { type: 'string', pattern: String.raw`^\s*\$\s*${number}\s*$` },
]);

/**
 * What a key's value may look like. It is as strict as a pattern can be without refusing what the compiler takes; what needs the
 * rest of the file (names, cycles, conditions) is the compiler's business.
 */
export function valueSchema(spec: KeySpec, mapAt: (level: string) => JsonSchema): JsonSchema {
  const maps = spec.mapOf === undefined ? [] : [mapAt(spec.mapOf)];
  const variants = [spec.type, ...(spec.bare ?? [])].flatMap((type) => schemasOf(type, spec, maps));
  return anyOf(variants);
}

function schemasOf(type: ValueType, spec: KeySpec, maps: readonly JsonSchema[]): JsonSchema[] {
  switch (type) {
    case 'text':
    case 'id':
    case 'condition':
      return [scalar];
    case 'boolean':
      return [{ type: 'boolean' }];
    case 'integer':
      return [{ type: 'integer', minimum: 0 }];
    case 'number':
      return [{ type: 'number' }];
    case 'hours':
      return [{ type: 'number', minimum: 0 }, duration];
    case 'duration':
      return [duration];
    case 'money':
      return [money];
    case 'choice':
      return [...choiceSchemas(spec.choices ?? []), ...maps];
    case 'list':
    case 'conditions':
      // An empty list may be left out: `output:` alone is one.
      return [{ type: 'null' }, scalar, ...maps, { type: 'array', items: anyOf([scalar, ...maps]) }];
    case 'map':
      return maps.length > 0 ? [...maps] : [{ type: ['object', 'null'] }];
    case 'steps':
      return [{ type: ['object', 'array'] }];
    case 'any':
      return [true];
  }
}

/** The words themselves, for completion, and every other spelling of them. */
export function choiceSchemas(choices: readonly string[]): JsonSchema[] {
  if (choices.length === 0) return [scalar];
  return [{ enum: choices }, { type: 'string', pattern: spellingsOf(choices.map((choice) => choice.toLowerCase())) }];
}
