import type { Diagnostic, Severity } from '../plan/diagnostic';
import type { DocumentPath, Span } from './document';
import type { DiagnosticCode } from './codes';
import { findClosest } from './did-you-mean';
import { limits } from './limits';
import type { LineIndex } from './line-index';
import { remedies } from './remedies';

export interface Report {
  code: DiagnosticCode;
  severity?: Severity;
  message: string;
  hint?: string | undefined;
  path?: DocumentPath;
  span: Span;
  related?: { message: string; span: Span }[];
}

/** Collects diagnostics: all of them up to a limit, so that a hostile file cannot make an endless report. */
export class DiagnosticSink {
  readonly lines: LineIndex;
  readonly #found: { diagnostic: Diagnostic; offset: number }[] = [];
  /** One mistake in `defaults` is met once per step. */
  readonly #seen = new Set<string>();
  #dropped = 0;
  #errors = 0;
  #suggestions = 0;

  constructor(lines: LineIndex) {
    this.lines = lines;
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  report(report: Report): void {
    const severity = report.severity ?? 'error';
    const message = cut(report.message);
    const key = `${report.span.start} ${report.code} ${message}`;
    if (this.#seen.has(key)) return;
    if (severity === 'error') this.#errors += 1;
    if (this.#found.length >= limits.diagnostics) {
      this.#dropped += 1;
      return;
    }
    this.#seen.add(key);
    const hint = report.hint ?? remedies[report.code];
    const related = report.related
      ?.slice(0, limits.related)
      .map(({ message: text, span }) => ({ message: cut(text), range: this.lines.rangeOf(span) }));
    const diagnostic: Diagnostic = {
      code: report.code,
      severity,
      message,
      ...(hint === undefined ? {} : { hint: cut(hint) }),
      path: report.path?.map((part) => (typeof part === 'string' ? cut(part) : part)) ?? [],
      range: this.lines.rangeOf(report.span),
      ...(related === undefined || related.length === 0 ? {} : { related }),
    };
    this.#found.push({ diagnostic, offset: report.span.start });
  }

  /** The closest of the candidates, if it is close, while the budget for such courtesies lasts. */
  suggest(name: string, candidates: Iterable<string> | (() => Iterable<string>)): string | undefined {
    if (this.#suggestions >= limits.suggestions) return undefined;
    this.#suggestions += 1;
    return findClosest(name, typeof candidates === 'function' ? candidates() : candidates);
  }

  /** In the order of the text. */
  finish(): Diagnostic[] {
    const sorted = [...this.#found].sort((a, b) => a.offset - b.offset).map(({ diagnostic }) => diagnostic);
    if (this.#dropped > 0) {
      sorted.push({
        code: 'too_many_diagnostics',
        severity: this.hasErrors ? 'error' : 'info',
        message: `${this.#dropped} more are not shown`,
        hint: 'mend these first',
        path: [],
        range: { line: 1, column: 1, endLine: 1, endColumn: 1 },
      });
    }
    return sorted;
  }
}

/** Messages may quote names of a mebibyte, a thousand times over. */
function cut(text: string): string {
  return text.length <= limits.message ? text : `${text.slice(0, limits.message - 1).replace(/[\ud800-\udbff]$/u, '')}…`;
}

/** `did you mean "x"?` as a hint. */
export function didYouMean(suggestion: string | undefined): string | undefined {
  return suggestion === undefined ? undefined : `did you mean \`${suggestion}\`?`;
}
