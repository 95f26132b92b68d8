import { rolePattern } from '../../contract/ids';
import type { Plan } from '../../plan/types';
import { describeNode, type DocumentNode, type DocumentPath } from '../document';
import { FieldReader, type Word } from '../fields';
import { type Field, readFields } from '../keyed-map';
import type { KeyLevel } from '../key-spec';
import { normalizeRole } from '../roles';

/** `[{after: 4h, to: [group or person]}…]`. */
export function readEscalation(reader: FieldReader): { levels: Plan['escalation']; people: Word[] } {
  const levels: Plan['escalation'] = [];
  const people: Word[] = [];
  for (const own of readItems(reader, 'escalation', 'escalation')) {
    const to = own.words('to') ?? [];
    const after = own.duration('after', { min: 1 });
    if (to.length === 0 || own.fields.get('after') === undefined) {
      const span = own.fields.span;
      reader.context.sink.report({
        code: 'missing_key',
        message: 'an escalation level needs `after` and `to`',
        hint: 'write `{after: 4h, to: [ana]}`',
        path: own.fields.path,
        span,
      });
    }
    people.push(...to);
    if (after !== undefined) levels.push({ afterMs: after, to: to.map((word) => word.text) });
  }
  return { levels, people };
}

/** `{usd, tokens, on_exceed}`, or an amount of money. */
export function readBudget(reader: FieldReader): Plan['budget'] {
  const field = reader.present('budget');
  if (field === undefined) return undefined;
  if (field.node.kind === 'scalar') {
    const usd = reader.money('budget');
    return usd === undefined ? undefined : { usd, onExceed: 'block' };
  }
  const own = readMap(reader, field, 'budget');
  if (own === undefined) return undefined;
  const usd = own.money('usd');
  const tokens = own.integer('tokens', { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (own.fields.get('usd') === undefined && own.fields.get('tokens') === undefined) {
    reader.context.sink.report({
      code: 'missing_key',
      message: 'a budget needs `usd` or `tokens`',
      hint: 'write `budget: {usd: 12.5}`',
      path: field.path,
      span: field.keySpan,
    });
  }
  return {
    ...(usd === undefined ? {} : { usd }),
    ...(tokens === undefined ? {} : { tokens }),
    onExceed: own.choice('on_exceed', ['block', 'fail']) ?? 'block',
  };
}

/** `{add_agent: {role, count}, notify: […], escalate: true}`. */
export function readOnLate(reader: FieldReader): { plan?: Plan['onLate']; people: Word[] } {
  const field = reader.present('on_late');
  if (field === undefined) return { people: [] };
  const own = readMap(reader, field, 'on_late');
  if (own === undefined) return { people: [] };
  const people = own.words('notify') ?? [];
  const escalate = own.boolean('escalate');
  const addField = own.present('add_agent');
  const add = addField === undefined ? undefined : readMap(own, addField, 'add_agent');
  const written = add?.text('role');
  const role = written === undefined ? undefined : normalizeRole(written);
  if (addField !== undefined && add !== undefined && (role === undefined || !rolePattern.test(role))) {
    reader.context.sink.report({
      code: 'missing_key',
      message: '`add_agent` needs a `role`',
      hint: 'write `{role: developer, count: 2}`',
      path: addField.path,
      span: addField.keySpan,
    });
  }
  return {
    plan: {
      ...(role === undefined ? {} : { addAgent: { role, count: add?.integer('count', { min: 1, max: 1_000 }) ?? 1 } }),
      ...(people.length === 0 ? {} : { notify: people.map((word) => word.text) }),
      ...(escalate === undefined ? {} : { escalate }),
    },
    people,
  };
}

function readMap(reader: FieldReader, field: Field, level: KeyLevel): FieldReader | undefined {
  const fields = readFields(reader.context, field.node, { level, path: field.path, what: `\`${field.written}\``, span: field.keySpan });
  return fields === undefined ? undefined : new FieldReader(reader.context, fields);
}

/**
 * A list of maps, or a single one. `bareKeyOf` turns a bare word into a map of one key (`notify: log`); other words are refused.
 */
export function readItems(
  reader: FieldReader,
  name: string,
  level: KeyLevel,
  bareKeyOf: (word: string) => string | undefined = () => undefined,
): FieldReader[] {
  const field = reader.present(name);
  if (field === undefined) return [];
  const items: { node: DocumentNode; path: DocumentPath }[] =
    field.node.kind === 'list'
      ? field.node.items.map((node, index) => ({ node, path: [...field.path, index] }))
      : [{ node: field.node, path: field.path }];
  return items.flatMap(({ node, path }): FieldReader[] => {
    const key = node.kind === 'scalar' ? bareKeyOf(node.text) : undefined;
    const map: DocumentNode =
      key === undefined ? node : { kind: 'map', entries: [{ key, keySpan: node.span, value: node }], span: node.span };
    if (map.kind !== 'map') {
      reader.context.sink.report({
        code: 'bad_value',
        message: `an item of \`${field.written}\` is a map, not ${describeNode(node)}`,
        path,
        span: node.span,
      });
      return [];
    }
    const fields = readFields(reader.context, map, { level, path, what: `\`${field.written}\`` });
    return fields === undefined ? [] : [new FieldReader(reader.context, fields)];
  });
}
