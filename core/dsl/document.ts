/**
 * What a reader (YAML or TOML) hands on: a tree that no longer knows its syntax, each node with its place in the text.
 * Offsets are UTF-16 code units in the text without its BOM.
 */
export interface Span {
  start: number;
  /** Exclusive. */
  end: number;
}

export type DocumentNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  kind: 'scalar';
  value: string | number | boolean | null;
  /** As written where the value is a plain number, date or boolean (`1.10` may be an id), else the string's value. */
  text: string;
  span: Span;
}

export interface ListNode {
  kind: 'list';
  items: DocumentNode[];
  span: Span;
}

export interface MapNode {
  kind: 'map';
  entries: MapEntry[];
  span: Span;
}

export interface MapEntry {
  key: string;
  keySpan: Span;
  value: DocumentNode;
}

export type DocumentPath = (string | number)[];

/** True for a value left empty (`key:`) or written `null`. */
export function isEmpty(node: DocumentNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** What kind of value it is, for messages. */
export function describeNode(node: DocumentNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return 'a list';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `"${shorten(node.value)}"`;
  return shorten(node.text);
}

const isShortAndPlain = /^[!-~]{0,60}$/u;

/** At most 60 characters of a user's text, on one line, for messages. */
export function shorten(text: string): string {
  if (isShortAndPlain.test(text)) return text;
  // eslint-disable-next-line no-control-regex -- messages go to terminals
  const line = text.slice(0, 200).replace(/[\u0000-\u001f\u007f-\u009f\s]+/gu, ' ');
  const characters = Array.from(line);
  return characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : line;
}

/** How much a tree holds: its characters and its values, keys included. */
export function weightOf(node: DocumentNode): number {
  if (node.kind === 'scalar') return 1 + node.text.length;
  if (node.kind === 'list') return node.items.reduce((sum, item) => sum + weightOf(item), 1);
  return node.entries.reduce((sum, entry) => sum + entry.key.length + weightOf(entry.value), 1);
}

/** The plain JSON value of a tree (its depth is limited by the readers). */
export function toPlainValue(node: DocumentNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlainValue);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, toPlainValue(entry.value)]));
}

/** The first number in a tree that JSON has no word for: infinity, NaN. */
export function findInfinite(node: DocumentNode): DocumentNode | undefined {
  const pending: DocumentNode[] = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === 'list') for (const item of next.items) pending.push(item);
    else if (next.kind === 'map') for (const entry of next.entries) pending.push(entry.value);
    else if (typeof next.value === 'number' && !Number.isFinite(next.value)) return next;
  }
  return undefined;
}
