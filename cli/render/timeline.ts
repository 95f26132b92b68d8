import type { TimelineEntry, TimelineView } from '../../core/contract/views';
import { formatDuration } from './duration';
import { colorsFor, fitLine, padText, plainText, symbolOf, textWidth, type Colors, type RenderOptions } from './style';

export interface TimelineContext {
  /** Shown where times are shown; durations are in plan time (real time × scale). */
  timeScale: number;
  /** The end of what still runs. Milliseconds since the epoch. */
  nowMs: number;
}

const minBarColumns = 12;
const maxBarColumns = 60;
const maxLabelColumns = 36;

/** A Gantt chart: one row per effect, its bar in the run's whole span, what it took against the estimate. */
export function renderTimeline(view: TimelineView, context: TimelineContext, options: RenderOptions): string {
  if (view.steps.length === 0) return 'Nothing has started yet.';
  const colors = colorsFor(options);
  const rows = view.steps
    .map((entry) => toRow(entry, context))
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs || (a.label < b.label ? -1 : 1));
  const fromMs = Math.min(...rows.map((row) => row.startMs));
  const toMs = Math.max(...rows.map((row) => row.endMs));
  const labelColumns = Math.min(maxLabelColumns, Math.max(...rows.map((row) => textWidth(row.label))));
  const agentColumns = Math.max(...rows.map((row) => textWidth(row.agent)));
  const numberColumns = Math.max(...rows.map((row) => textWidth(row.numbers)));
  const room = options.width - labelColumns - agentColumns - numberColumns - 6;
  const barColumns = Math.max(minBarColumns, Math.min(maxBarColumns, room));
  const cut = (text: string): string => fitLine(text, { ...options, width: labelColumns });
  const lines = rows.map((row) => {
    const bar = colorBar(drawBar(row, { fromMs, toMs, barColumns }, options), row, colors);
    return `${padText(cut(row.label), labelColumns)}  ${bar}  ${padText(row.numbers, numberColumns)}  ${row.agent}`;
  });
  return [...lines, ...summaryLines(rows, { fromMs, toMs }, context, options)].map((line) => fitLine(line.trimEnd(), options)).join('\n');
}

interface Row {
  label: string;
  agent: string;
  numbers: string;
  startMs: number;
  endMs: number;
  entry: TimelineEntry;
  /** In plan time. */
  actualMs: number;
}

function toRow(entry: TimelineEntry, { timeScale, nowMs }: TimelineContext): Row {
  const startMs = Date.parse(entry.startedAt);
  const endMs = Math.max(startMs, entry.endedAt === null ? nowMs : Date.parse(entry.endedAt));
  const actualMs = (endMs - startMs) * timeScale;
  const subStep = entry.subStep === undefined ? '' : `/${entry.subStep}`;
  const generation = entry.generation > 1 ? `#${entry.generation}` : '';
  const slot = entry.slot > 1 ? ` (${entry.slot})` : '';
  const undo = entry.mode === 'undo' ? ' undo' : '';
  return {
    label: plainText(`${entry.step}${subStep}${generation}${slot}${undo}`),
    agent: plainText(entry.agent ?? '-'),
    numbers: numbersOf(entry, actualMs),
    startMs,
    endMs,
    entry,
    actualMs,
  };
}

function numbersOf(entry: TimelineEntry, actualMs: number): string {
  const actual = formatDuration(actualMs);
  const outcome = entry.endedAt === null ? ' so far' : entry.outcome === null || entry.outcome === 'success' ? '' : ` ${entry.outcome}`;
  // The estimate is of the work, not of taking it back.
  const estimate =
    entry.mode === 'undo' || entry.estimateMs === undefined || entry.estimateMs === null
      ? ''
      : ` (est. ${formatDuration(entry.estimateMs)}${share(entry, actualMs)})`;
  return `${actual}${outcome}${estimate}`;
}

function share(entry: TimelineEntry, actualMs: number): string {
  if (entry.endedAt === null || !entry.estimateMs) return '';
  const percent = Math.round((actualMs / entry.estimateMs - 1) * 100);
  return `, ${percent >= 0 ? '+' : ''}${percent}%`;
}

function drawBar(row: Row, span: { fromMs: number; toMs: number; barColumns: number }, options: RenderOptions): string {
  const { fromMs, toMs, barColumns } = span;
  const scale = toMs > fromMs ? barColumns / (toMs - fromMs) : 0;
  const start = Math.min(barColumns - 1, Math.floor((row.startMs - fromMs) * scale));
  const end = Math.max(start + 1, Math.min(barColumns, Math.round((row.endMs - fromMs) * scale)));
  const block = symbolOf(row.entry.mode === 'undo' ? 'undoBar' : 'barDone', options);
  const tail = row.entry.endedAt === null ? symbolOf('barOpen', options) : block;
  return `${' '.repeat(start)}${block.repeat(end - start - 1)}${tail}${' '.repeat(barColumns - end)}`;
}

function colorBar(bar: string, { entry }: Row, colors: Colors): string {
  if (entry.endedAt === null) return colors.cyan(bar);
  if (entry.mode === 'undo') return colors.yellow(bar);
  return entry.outcome === null || entry.outcome === 'success' ? colors.green(bar) : colors.red(bar);
}

function summaryLines(
  rows: Row[],
  span: { fromMs: number; toMs: number },
  { timeScale }: TimelineContext,
  options: RenderOptions,
): string[] {
  const spanMs = (span.toMs - span.fromMs) * timeScale;
  const busyMs = rows.reduce((sum, row) => sum + row.actualMs, 0);
  const scale = timeScale === 1 ? '' : ` (time scale ${symbolOf('times', options)}${timeScale})`;
  const overlap = spanMs === 0 ? '' : `, ${(busyMs / spanMs).toFixed(1)} at once on average, ${mostAtOnce(rows)} at most`;
  const estimated = rows.filter((row) => row.entry.endedAt !== null && row.entry.mode === 'do' && row.entry.estimateMs);
  const estimateMs = estimated.reduce((sum, row) => sum + (row.entry.estimateMs ?? 0), 0);
  const actualMs = estimated.reduce((sum, row) => sum + row.actualMs, 0);
  const against =
    estimateMs === 0
      ? []
      : [`Estimated work ${formatDuration(estimateMs)}, actual ${formatDuration(actualMs)} (${signed(actualMs / estimateMs - 1)})`];
  return ['', `Span ${formatDuration(spanMs)}${scale}: work of ${formatDuration(busyMs)}${overlap}`, ...against];
}

function signed(fraction: number): string {
  const percent = (fraction * 100).toFixed(1);
  return `${fraction >= 0 ? '+' : ''}${percent}%`;
}

/** The largest number of effects that ran at one moment. An end and a start at one moment do not overlap. */
function mostAtOnce(rows: Row[]): number {
  const changes = rows.flatMap((row): [number, number][] => [
    [row.startMs, 1],
    [row.endMs, -1],
  ]);
  changes.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let now = 0;
  let most = 0;
  for (const [, change] of changes) most = Math.max(most, (now += change));
  return most;
}
