import { stepIdPattern } from '../../contract/ids';
import type { PlanInput } from '../../plan/types';
import { type DocumentNode, type DocumentPath, isEmpty, shorten, toPlainValue } from '../document';
import { FieldReader, readChoice, readDuration, reportBadValue } from '../fields';
import { type Field, hasFiniteNumbers, readFields } from '../keyed-map';
import { isUsersOwnKey, keysAt } from '../keys';

const inputTypes = ['string', 'number', 'boolean', 'list', 'duration', 'file'] as const;

/**
 * Declared run inputs: `{name: {type, default, required}}`, `{name: type}`, or a list of names. In the order of their names: that of
 * keys is not to change the plan.
 */
export function readInputs(reader: FieldReader): PlanInput[] {
  const field = reader.present('inputs');
  return field === undefined ? [] : readAll(reader, field).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readAll(reader: FieldReader, field: Field): PlanInput[] {
  if (field.node.kind !== 'map') {
    return (reader.words('inputs') ?? []).map((word) => {
      checkName(reader, { name: word.text, span: word.span, path: word.path });
      return { name: word.text, type: 'string', required: true };
    });
  }
  const entries = field.node.entries.filter((entry) => !isUsersOwnKey(entry.key));
  return entries.map((entry) => {
    const path = [...field.path, entry.key];
    checkName(reader, { name: entry.key, span: entry.keySpan, path });
    return readInput(reader, { name: entry.key, node: entry.value, path, keySpan: entry.keySpan });
  });
}

interface WrittenInput {
  name: string;
  node: DocumentNode;
  path: DocumentPath;
  keySpan: { start: number; end: number };
}

function readInput(reader: FieldReader, input: WrittenInput): PlanInput {
  const { context } = reader;
  const { name, node, path } = input;
  if (isEmpty(node)) return { name, type: 'string', required: true };
  if (node.kind === 'scalar') {
    const spec = keysAt('input').get('type');
    const field: Field | undefined = spec && { spec, written: name, keySpan: input.keySpan, node, path };
    return { name, type: (field && readChoice(context, field, inputTypes)) ?? 'string', required: true };
  }
  const fields = readFields(context, node, { level: 'input', path, what: `the input \`${shorten(name)}\``, span: input.keySpan });
  if (fields === undefined) return { name, type: 'string', required: true };
  const own = new FieldReader(context, fields);
  const written = fields.get('default');
  const type = own.choice('type', inputTypes) ?? typeOf(written?.node);
  const value = written === undefined || isEmpty(written.node) ? undefined : readDefault(reader, written, type);
  return { name, type, required: own.boolean('required') ?? value === undefined, ...(value === undefined ? {} : { default: value }) };
}

function typeOf(node: DocumentNode | undefined): PlanInput['type'] {
  if (node?.kind === 'list') return 'list';
  if (node?.kind !== 'scalar') return 'string';
  return typeof node.value === 'number' ? 'number' : typeof node.value === 'boolean' ? 'boolean' : 'string';
}

function readDefault(reader: FieldReader, field: Field, type: PlanInput['type']): unknown {
  const { context } = reader;
  const { node } = field;
  const refuse = (): undefined => {
    reportBadValue(context, { node, path: field.path, name: 'default', expected: `a value of type ${type}` });
  };
  if (!hasFiniteNumbers(context, field)) return undefined;
  switch (type) {
    case 'list':
      return node.kind === 'list' ? toPlainValue(node) : refuse();
    case 'number':
      return node.kind === 'scalar' && typeof node.value === 'number' ? node.value : refuse();
    case 'boolean':
      return node.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : refuse();
    case 'duration':
      return readDuration(context, node, { path: field.path, name: 'default' });
    case 'string':
    case 'file':
      return node.kind === 'scalar' ? node.text : refuse();
  }
}

function checkName(reader: FieldReader, input: { name: string; span: { start: number; end: number }; path: DocumentPath }): void {
  if (stepIdPattern.test(input.name)) return;
  reader.context.sink.report({
    code: 'bad_id',
    message: `\`${shorten(input.name)}\` cannot be the name of an input`,
    path: input.path,
    span: input.span,
  });
}
