import { jsonBytes, shortenText } from '../contract/text-size';

/** How much of each thing a view may show. */
export interface ViewBounds {
  textLength: number;
  /** Of ids, people and votes in one list. */
  names: number;
  outputs: number;
  lines: number;
  alerts: number;
  gates: number;
  steps: number;
  /** Of a timeline. */
  entries: number;
}

/** Temporal gives no answer to a query beyond 2 MiB. */
const maxViewBytes = 1_900_000;

export const widestBounds: ViewBounds = {
  textLength: 4_000,
  names: 1_000,
  outputs: 1_000,
  lines: 10_000,
  alerts: 200,
  gates: 10_000,
  steps: 100_000,
  entries: 100_000,
};

const everySize: readonly ViewBounds[] = [
  widestBounds,
  { textLength: 400, names: 50, outputs: 50, lines: 1_000, alerts: 100, gates: 1_000, steps: 100_000, entries: 10_000 },
  { textLength: 60, names: 10, outputs: 5, lines: 1_000, alerts: 50, gates: 500, steps: 5_000, entries: 5_000 },
  { textLength: 40, names: 5, outputs: 2, lines: 200, alerts: 20, gates: 100, steps: 1_000, entries: 1_000 },
];

/** Not even tried where every step could say so much: making and measuring it would take too long for a query. */
const maxTriedLength = 8_000_000;

/** A view as large as fits into one answer: what is long is cut, the newest and what goes on stay. */
export function fitView<View>(stepCount: number, create: (bounds: ViewBounds) => View): View {
  for (const bounds of everySize.slice(0, -1)) {
    if (bounds.textLength * stepCount > maxTriedLength) continue;
    const view = create(bounds);
    if (fitsAnswer(view)) return view;
  }
  return create(everySize.at(-1) as ViewBounds);
}

/** Whether an answer to a query may be so large. */
export function fitsAnswer(view: unknown): boolean {
  return jsonBytes(view) <= maxViewBytes;
}

/** The first names; how many more there are stands in place of the rest. */
export function boundNames(names: readonly string[], { names: max }: ViewBounds): string[] {
  return names.length <= max ? [...names] : [...names.slice(0, max), `+${names.length - max} more`];
}

/** Texts cut, wherever they stand in a value of an agent's making. */
export function boundTexts(value: unknown, bounds: ViewBounds): unknown {
  if (typeof value === 'string') return shortenText(value, bounds.textLength);
  if (Array.isArray(value)) return value.slice(0, bounds.outputs).map((item) => boundTexts(item, bounds));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, bounds.outputs)
      .map(([key, item]) => [shortenText(key, 100), boundTexts(item, bounds)]),
  );
}

/** As many as may be shown, those first that matter most (the lowest rank), in the order in which they stand. */
export function boundList<Item>(items: readonly Item[], max: number, rankOf: (item: Item) => number): Item[] {
  if (items.length <= max) return [...items];
  const ranked = items.map((item, at) => ({ at, rank: rankOf(item) })).sort((a, b) => a.rank - b.rank || a.at - b.at);
  const kept = new Set(ranked.slice(0, max).map(({ at }) => at));
  return items.filter((_, at) => kept.has(at));
}
