import type { DiagnosticSink } from './diagnostic-sink';
import { didYouMean } from './diagnostic-sink';
import {
  describeNode,
  type DocumentNode,
  type DocumentPath,
  findInfinite,
  isEmpty,
  type MapEntry,
  shorten,
  type Span,
  toPlainValue,
} from './document';
import type { KeyLevel, KeySpec } from './key-spec';
import { isUsersOwnKey, keyCalledElsewhere, keysAt, normalizeKey, snapshotKeys } from './keys';

/** What all stages share while one text is compiled. */
export interface CompileContext {
  /** Without its BOM. */
  text: string;
  sink: DiagnosticSink;
  /** Places of accepted keys that have no effect yet: reported once per key. */
  unbuilt: Map<string, Span[]>;
  /** Snapshot keys found, normalised. */
  metadata: Map<string, unknown>;
}

/** One key of a map with its value. */
export interface Field {
  spec: KeySpec;
  written: string;
  keySpan: Span;
  node: DocumentNode;
  path: DocumentPath;
}

/** The known keys of one map by their canonical names. */
export class Fields {
  readonly span: Span;
  readonly path: DocumentPath;
  readonly #byName: ReadonlyMap<string, Field>;
  readonly #defaults: Fields | undefined;

  constructor(span: Span, path: DocumentPath, byName: ReadonlyMap<string, Field>, defaults?: Fields) {
    this.span = span;
    this.path = path;
    this.#byName = byName;
    this.#defaults = defaults;
  }

  /** The field as written, else the workflow's default for it. */
  get(name: string): Field | undefined {
    return this.#byName.get(name) ?? this.#defaults?.get(name);
  }

  /** The first of several keys for one thing; a default for any of them gives way to any that is written. */
  firstOf(...names: string[]): Field | undefined {
    for (const name of names) {
      const field = this.#byName.get(name);
      if (field !== undefined) return field;
    }
    return this.#defaults?.firstOf(...names);
  }

  /** Written here, not a default. */
  own(name: string): Field | undefined {
    return this.#byName.get(name);
  }

  withDefaults(defaults: Fields | undefined): Fields {
    return new Fields(this.span, this.path, this.#byName, defaults);
  }
}

export const emptyFields = new Fields({ start: 0, end: 0 }, [], new Map());

/**
 * The fields of a map: unknown and repeated keys are reported, `x-…` keys skipped, snapshot keys put aside, unbuilt ones
 * noted. Anything but a map is reported as a bad value and gives undefined.
 */
export function readFields(
  context: CompileContext,
  node: DocumentNode,
  options: { level: KeyLevel; path: DocumentPath; what: string; span?: Span; ignore?: ReadonlySet<string> },
): Fields | undefined {
  const { level, path, what } = options;
  const { sink } = context;
  if (isEmpty(node)) return new Fields(options.span ?? node.span, path, new Map());
  if (node.kind !== 'map') {
    sink.report({ code: 'bad_value', message: `${what} is a map of keys, not ${describeNode(node)}`, path, span: node.span });
    return undefined;
  }
  const specs = keysAt(level);
  const found = new Map<string, Field>();
  for (const entry of node.entries) {
    const name = normalizeKey(entry.key);
    const spec = specs.get(name);
    if (isUsersOwnKey(entry.key) || options.ignore?.has(name) === true) continue;
    const entryPath = [...path, entry.key];
    if (spec === undefined) {
      if (level === 'workflow' && snapshotKeys.has(name)) keepSnapshot(context, entry, entryPath);
      else reportUnknownKey(context, { entry, path: entryPath, level, what });
      continue;
    }
    const earlier = found.get(spec.name);
    if (earlier !== undefined) {
      sink.report({
        code: 'duplicate_key',
        message:
          earlier.written === entry.key
            ? `\`${entry.key}\` stands here twice`
            : `\`${entry.key}\` is the same key as \`${earlier.written}\``,
        path: entryPath,
        span: entry.keySpan,
        related: [{ message: 'the first one', span: earlier.keySpan }],
      });
      continue;
    }
    if (!spec.built) noteUnbuilt(context, spec.name, entry.keySpan);
    found.set(spec.name, { spec, written: entry.key, keySpan: entry.keySpan, node: entry.value, path: entryPath });
  }
  return new Fields(options.span ?? node.span, path, found);
}

/** One info per key without effect, its other places as related. */
export function reportUnbuilt(context: CompileContext): void {
  for (const [name, spans] of context.unbuilt) {
    const [first, ...others] = spans;
    if (first === undefined) continue;
    context.sink.report({
      code: 'not_built_yet',
      severity: 'info',
      message: `\`${name}\` is accepted and kept in the plan, but has no effect in this version`,
      span: first,
      related: others.map((span) => ({ message: 'also here', span })),
    });
  }
}

/** A snapshot key of a running document goes to the plan's metadata. */
export function keepSnapshot(context: CompileContext, entry: MapEntry, path: DocumentPath): void {
  if (hasFiniteNumbers(context, { node: entry.value, path })) context.metadata.set(normalizeKey(entry.key), toPlainValue(entry.value));
  context.sink.report({
    code: 'snapshot_key',
    severity: 'info',
    message: `\`${entry.key}\` describes a running workflow: kept as metadata, a run never starts from it`,
    path,
    span: entry.keySpan,
  });
}

/** JSON has no `.inf` and `.nan`: reports the first one in free data and is then false. */
export function hasFiniteNumbers(context: CompileContext, { node, path }: { node: DocumentNode; path: DocumentPath }): boolean {
  const found = findInfinite(node);
  if (found === undefined) return true;
  context.sink.report({ code: 'bad_value', message: 'infinity and NaN are not JSON', path, span: found.span });
  return false;
}

function noteUnbuilt(context: CompileContext, name: string, span: Span): void {
  const spans = context.unbuilt.get(name);
  if (spans === undefined) context.unbuilt.set(name, [span]);
  else spans.push(span);
}

function reportUnknownKey(context: CompileContext, unknown: { entry: MapEntry; path: DocumentPath; level: KeyLevel; what: string }): void {
  const { entry, path, level, what } = unknown;
  const name = normalizeKey(entry.key);
  const suggestion = keyCalledElsewhere(level, name) ?? context.sink.suggest(name, keysAt(level).keys());
  context.sink.report({
    code: 'unknown_key',
    severity: suggestion === undefined ? 'warning' : 'error',
    message: `unknown key \`${shorten(entry.key)}\` in ${what}`,
    hint: didYouMean(suggestion) ?? 'remove it, or begin it with `x-` to keep it for yourself',
    path,
    span: entry.keySpan,
  });
}
