import { describeNode } from '../document';
import type { DraftStep } from '../draft';
import { FieldReader, nameOf, readWords } from '../fields';
import { type CompileContext, type Fields, readFields } from '../keyed-map';

/** `depends_on`: ids of steps or phases, one or many, or `{step, when}` among them. */
export function readDependencies(context: CompileContext, fields: Fields): DraftStep['dependencies'] {
  const field = fields.get('depends_on');
  if (field === undefined) return [];
  const { node, path } = field;
  const items = node.kind === 'list' ? node.items.map((item, index) => ({ item, path: [...path, index] })) : [{ item: node, path }];
  return items.flatMap(({ item, path: itemPath }): DraftStep['dependencies'] => {
    if (item.kind === 'map') {
      const own = readFields(context, item, { level: 'dependency', path: itemPath, what: 'a dependency' });
      if (own === undefined) return [];
      const reader = new FieldReader(context, own);
      const step = own.get('step');
      const text = reader.text('step');
      const when = reader.choice('when', ['passed', 'failed', 'skipped', 'done', 'holds']) ?? 'holds';
      if (step !== undefined && text !== undefined) return [{ word: { text, span: step.node.span, path: step.path }, when }];
      if (step === undefined)
        context.sink.report({
          code: 'missing_key',
          message: 'a dependency needs a `step`',
          hint: 'write `{step: build, when: passed}`',
          path: itemPath,
          span: item.span,
        });
      return [];
    }
    const isNothing = item.kind === 'scalar' && item.text.trim() === '' && node.kind === 'list';
    if (item.kind === 'list' || isNothing) {
      context.sink.report({
        code: 'bad_value',
        message: `an item of ${nameOf(path)} is a name, not ${describeNode(item)}`,
        path: itemPath,
        span: item.span,
      });
      return [];
    }
    // Only a value of its own may be a comma string: in a list each item is one name.
    const words = readWords(context, item, itemPath, { split: node.kind !== 'list' }) ?? [];
    return words.map((word) => ({ word, when: 'holds' as const }));
  });
}
