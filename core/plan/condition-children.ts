import type { Condition } from './condition';

/** The conditions directly inside one. */
export function childrenOf(condition: Condition): readonly Condition[] {
  switch (condition.op) {
    case 'list':
      return condition.items;
    case 'and':
    case 'or':
      return condition.args;
    case 'not':
    case 'negate':
      return [condition.arg];
    case 'literal':
    case 'metric':
    case 'stepMetric':
    case 'input':
    case 'quantifier':
    case 'predicate':
    case 'count':
    case 'aggregate':
      return [];
    default:
      return [condition.left, condition.right];
  }
}

/** The condition and everything inside it, outermost first. */
export function* walkCondition(condition: Condition): Generator<Condition, void> {
  const pending = [condition];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next;
    const children = childrenOf(next);
    for (let index = children.length - 1; index >= 0; index -= 1) {
      const child = children[index];
      if (child !== undefined) pending.push(child);
    }
  }
}
