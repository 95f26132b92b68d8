import type { DiagnosticCode } from './codes';
import { DiagnosticSink, type Report } from './diagnostic-sink';
import type { ReadResult } from './read/read-result';

/**
 * What one line says by itself, whatever comes after it. Names are not among it: what they mean may stand behind the break, as may a key
 * that is missing.
 */
const local: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'unknown_key',
  'bad_value',
  'bad_unit',
  'bad_id',
  'duplicate_key',
  'condition_syntax',
]);

const breaking: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>(['syntax', 'unsupported_syntax']);

/** A text up to where its syntax breaks, so that mistakes before that place are told at once with the broken syntax. */
export interface BeforeBreak {
  text: string;
  sink: DiagnosticSink;
}

/**
 * The lines before the first broken one, or undefined where there are none or nothing is broken. What is found in them goes on to
 * `sink`, but for what hangs on more than its own lines: the last line may be the beginning of what is broken.
 */
export function beforeBreak({ text, root, problems }: ReadResult & { text: string }, sink: DiagnosticSink): BeforeBreak | undefined {
  if (root !== null || !problems.every(({ code }) => code === 'duplicate_key' || breaking.has(code))) return undefined;
  const breaks = problems.filter(({ code }) => breaking.has(code));
  const first = breaks.reduce((least, { span }) => Math.min(least, span.start), text.length);
  const end = text.lastIndexOf('\n', first - 1) + 1;
  const before = text.slice(0, end).trimEnd();
  const lastLine = before.lastIndexOf('\n') + 1;
  return lastLine === 0 ? undefined : { text: text.slice(0, end), sink: new LocalSink(sink, lastLine) };
}

class LocalSink extends DiagnosticSink {
  readonly #sink: DiagnosticSink;
  readonly #end: number;

  constructor(sink: DiagnosticSink, end: number) {
    super(sink.lines);
    this.#sink = sink;
    this.#end = end;
  }

  override report(report: Report): void {
    if (local.has(report.code) && report.span.end <= this.#end) this.#sink.report(report);
  }
}
