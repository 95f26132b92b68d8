import {
  Composer,
  type CST,
  Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  Parser,
  Scalar,
  type ScalarTag,
  Schema,
  visit,
  type Tags,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { holdsSteps, type Place, placeOfItem, placeOfValue, rootPlace, sortByKey } from './key-order';
import type { SourceKind } from '../source-kind';

const olderSchema = new Schema({ schema: 'yaml-1.1' });
/** Longer flow collections become blocks. */
const flowWidth = 120;
const foldWidth = 120;

/** YAML that compiles, in its canonical layout: order of keys, indentation, quotes. Comments stay with the key they stand above. */
export function formatYaml(text: string, kind: SourceKind): string {
  const document = compose(text);
  const header = firstKeyOf(document.contents);
  keepLineComments(document, text);
  arrange(document.contents, rootPlace(kind), text);
  // What a file begins with is about the file, not about the key that happened to come first.
  const isMoved = header !== undefined && firstKeyOf(document.contents) !== header;
  if (isMoved && typeof header.commentBefore === 'string') giveToFile(document, header);
  return document.toString({ lineWidth: 0, indentSeq: true, flowCollectionPadding: false });
}

/** Below a `---` the comment stays below it: what is above belongs to the other side, and would be read so the next time. */
function giveToFile(document: Document, header: Scalar): void {
  const comment = header.commentBefore?.trimEnd();
  header.commentBefore = undefined;
  const first = firstKeyOf(document.contents);
  if (document.directives?.docStart === true && first !== undefined) {
    first.commentBefore = [comment, first.commentBefore].filter(Boolean).join('\n\n');
  } else {
    document.commentBefore = [document.commentBefore, comment].filter(Boolean).join('\n\n');
  }
}

/** The comments of YAML that compiles, as written. */
export function yamlComments(text: string): string[] {
  const comments: string[] = [];
  const collect = (tokens: CST.SourceToken | readonly CST.SourceToken[] | undefined): void => {
    for (const token of [tokens ?? []].flat()) if (token.type === 'comment') comments.push(token.source);
  };
  const pending: CST.Token[] = [...new Parser().parse(text)];
  for (let token = pending.pop(); token !== undefined; token = pending.pop()) {
    if (token.type === 'comment') comments.push(token.source);
    if ('start' in token) collect(token.start);
    if ('props' in token) for (const part of token.props) pending.push(part);
    if ('end' in token) collect(token.end);
    if (token.type === 'document' && token.value !== undefined) pending.push(token.value);
    if (!('items' in token)) continue;
    const items: readonly CST.CollectionItem[] = token.items;
    for (const item of items) {
      collect(item.start);
      collect(item.sep);
      if (item.key !== undefined && item.key !== null) pending.push(item.key);
      if (item.value !== undefined) pending.push(item.value);
    }
  }
  return comments;
}

function compose(text: string): Document {
  const composer = new Composer({
    schema: 'core',
    customTags: keepSources,
    merge: false,
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const [document] = [...composer.compose(new Parser().parse(text), true, text.length)];
  return document ?? new Document();
}

/** Numbers stay as they are written: `1.10` may be a name. Only folded blocks are wrapped. */
function keepSources(tags: Tags): Tags {
  return tags.map((tag): Tags[number] => {
    if (typeof tag === 'string' || !('identify' in tag) || tag.collection !== undefined) return tag;
    const scalarTag: ScalarTag = tag;
    const { stringify } = scalarTag;
    if (/:(?:int|float)$/u.test(scalarTag.tag)) {
      return {
        ...scalarTag,
        stringify: (item, context, ...rest) => item.source ?? stringify?.(item, context, ...rest) ?? String(item.value),
      };
    }
    if (!scalarTag.tag.endsWith(':str') || stringify === undefined) return tag;
    return {
      ...scalarTag,
      stringify: (item, context, ...rest) => {
        const lineWidth = item.type === Scalar.BLOCK_FOLDED ? foldWidth : 0;
        return stringify(item, { ...context, options: { ...context.options, lineWidth } }, ...rest);
      },
    };
  });
}

/** Recursion is safe: the depth of what compiles is limited. */
function arrange(node: unknown, place: Place, text: string): void {
  if (isMap(node)) arrangeMap(node, place, text);
  else if (isSeq(node)) for (const item of node.items) arrange(item, placeOfItem(place), text);
  else if (isScalar(node)) requote(node);
  if (isMap(node) || isSeq(node)) unfoldLong(node, text);
}

function arrangeMap(map: YAMLMap, place: Place, text: string): void {
  giveCommentToFirstKey(map);
  const sorted = sortByKey(place, map.items, keyTextOf);
  if (sorted.some((pair, index) => pair !== map.items[index])) spaceAnew(place, sorted);
  map.items = sorted;
  const first = firstKeyOf(map);
  if (first !== undefined) first.spaceBefore = false;
  for (const pair of map.items) {
    if (isScalar(pair.key)) requote(pair.key);
    arrange(pair.value, placeOfValue(place, keyTextOf(pair)), text);
  }
}

/** Blank lines made groups of the old order. In the new one, only what holds the steps is set apart. */
function spaceAnew(place: Place, pairs: readonly Pair[]): void {
  const keys = pairs.map(({ key }) => key).filter(isScalar);
  const wasSpaced = keys.some(({ spaceBefore }) => spaceBefore === true);
  for (const key of keys) key.spaceBefore = wasSpaced && holdsSteps(place, String(key.value));
}

/** `step: # comment` is read as a comment above the step's first key; it stays on its line. */
function keepLineComments(document: Document, text: string): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !(isMap(value) || isSeq(value)) || value.flow === true || typeof value.commentBefore !== 'string') return;
      const afterKey = text.slice(key.range?.[1] ?? text.length, value.range?.[0]);
      if (!/^[ \t]*:[ \t]+#/u.test(afterKey)) return;
      const [first = '', ...rest] = value.commentBefore.split('\n');
      key.comment = first;
      value.commentBefore = rest.length === 0 ? undefined : rest.join('\n');
    },
  });
}

/** A comment between `step:` and its first key is read as the map's; it goes where that key goes. */
function giveCommentToFirstKey(map: YAMLMap): void {
  const first = firstKeyOf(map);
  if (first === undefined || map.flow === true || typeof map.commentBefore !== 'string') return;
  first.commentBefore = [map.commentBefore, first.commentBefore].filter(Boolean).join('\n');
  map.commentBefore = undefined;
}

/** Plain where that reads the same, also to readers of YAML 1.1 (`"on"`, `"12:30"`), else quoted; blocks stay blocks. */
function requote(scalar: Scalar): void {
  const { value, type } = scalar;
  if (typeof value !== 'string' || value.includes('\n') || (type !== Scalar.QUOTE_DOUBLE && type !== Scalar.QUOTE_SINGLE)) return;
  const isOther = olderSchema.tags.some((tag) => tag.default === true && !tag.tag.endsWith(':str') && tag.test?.test(value) === true);
  scalar.type = isOther ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN;
}

/** A flow collection that is long, or has comments inside, reads better as a block. */
function unfoldLong(collection: YAMLMap | YAMLSeq, text: string): void {
  if (collection.flow !== true || collection.items.length === 0) return;
  // Most are short: the new layout adds at most a space for each comma and colon.
  const [start = 0, end = 0] = collection.range ?? [];
  const source = text.slice(start, end);
  if (source.length <= flowWidth / 2 && !source.includes('\n')) return;
  const sample = new Document(null, { schema: 'core', customTags: keepSources });
  sample.contents = collection;
  const { comment, commentBefore, spaceBefore } = collection;
  Object.assign(collection, { comment: undefined, commentBefore: undefined, spaceBefore: undefined });
  const written = sample.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
  Object.assign(collection, { comment, commentBefore, spaceBefore });
  if (written.length > flowWidth || written.includes('\n')) collection.flow = false;
}

function firstKeyOf(node: unknown): Scalar | undefined {
  const key = isMap(node) ? node.items[0]?.key : undefined;
  return isScalar(key) ? key : undefined;
}

function keyTextOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}
