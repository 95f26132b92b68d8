/** As much of JSON Schema (draft-07) as the language needs. */
export type JsonSchema = boolean | JsonSchemaObject;

export interface JsonSchemaObject {
  $schema?: string;
  $id?: string;
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | readonly string[];
  enum?: readonly string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  items?: JsonSchema;
  properties?: Readonly<Record<string, JsonSchema>>;
  patternProperties?: Readonly<Record<string, JsonSchema>>;
  additionalProperties?: JsonSchema;
  propertyNames?: JsonSchema;
  minProperties?: number;
  anyOf?: readonly JsonSchema[];
  allOf?: readonly JsonSchema[];
  not?: JsonSchema;
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
  definitions?: Readonly<Record<string, JsonSchema>>;
}

/** One schema where there is one, else any of them. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const [only] = schemas;
  return schemas.length === 1 && only !== undefined ? only : { anyOf: schemas };
}

/**
 * A pattern for all spellings of words: letters without case, `_` as `-` too. JSON Schema has no flag for that, so each letter
 * is a class of its own.
 */
export function spellingsOf(words: readonly string[]): string {
  const spelled = words.map((word) =>
    Array.from(word, (character) => {
      if (character === '_') return '[-_]';
      const upper = character.toUpperCase();
      return upper === character ? escapePattern(character) : `[${character}${upper}]`;
    }).join(''),
  );
  return `^(?:${spelled.join('|')})$`;
}

/** A map with at least one key of that pattern: draft-07 can only say so by a double negation. */
export function hasKey(pattern: string): JsonSchemaObject {
  return { not: { propertyNames: { not: { pattern } } } };
}

function escapePattern(character: string): string {
  return /[\w]/u.test(character) ? character : `\\${character}`;
}
