/** 1-based line and column (in characters), end exclusive. */
export interface SourceRange {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export type Severity = 'error' | 'warning' | 'info';

/** One mistake in what a user wrote. Collected, never thrown; rendered at the edge. */
export interface Diagnostic {
  /** Stable: documented, with a fixture. */
  code: string;
  severity: Severity;
  message: string;
  /** What to write instead. */
  hint?: string;
  /** Key path in the document, e.g. `['Steps', '4_backend_dev', 'parallel_with', 1]`. */
  path: (string | number)[];
  range: SourceRange;
  related?: { message: string; range: SourceRange }[];
}
