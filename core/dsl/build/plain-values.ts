import type { DocumentNode } from '../document';
import type { CompileContext, Field } from '../keyed-map';

/** JSON has no `.inf` and `.nan`: reports the first one in free data and is then false. */
export function hasFiniteNumbers(context: CompileContext, field: Field): boolean {
  const found = findInfinite(field.node);
  if (found === undefined) return true;
  context.sink.report({ code: 'bad_value', message: 'infinity and NaN are not JSON', path: field.path, span: found.span });
  return false;
}

function findInfinite(node: DocumentNode): DocumentNode | undefined {
  const pending: DocumentNode[] = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === 'list') for (const item of next.items) pending.push(item);
    else if (next.kind === 'map') for (const entry of next.entries) pending.push(entry.value);
    else if (typeof next.value === 'number' && !Number.isFinite(next.value)) return next;
  }
  return undefined;
}
