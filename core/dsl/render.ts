import type { Diagnostic, Severity } from '../plan/diagnostic';

export interface RenderOptions {
  fileName: string;
  /** The text that was compiled: its lines are shown. */
  text?: string | undefined;
  color?: boolean | undefined;
}

const colors: Readonly<Record<Severity | 'dim' | 'bold', string>> = { error: '31', warning: '33', info: '36', dim: '2', bold: '1' };
const tabWidth = 2;
const maxLine = 160;

/**
 * Diagnostics as people read them: `file:line:col: severity: message [code]`, the line with a caret under the place, the hint, and
 * related places. Ends with a line break unless there is nothing to show.
 */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  const lines = new SourceLines(options.text ?? '');
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, options, lines)).join('');
}

/** Lines as characters, each split once: a thousand diagnostics may stand in one line of a mebibyte. */
class SourceLines {
  readonly #lines: readonly string[];
  readonly #split = new Map<number, readonly string[]>();

  constructor(text: string) {
    this.#lines = text.replace(/^\ufeff/u, '').split('\n');
  }

  /** Undefined where nothing is worth showing. `line` counts from 1. */
  charactersOf(line: number): readonly string[] | undefined {
    const known = this.#split.get(line);
    if (known !== undefined) return known;
    const text = this.#lines[line - 1];
    if (text === undefined || text.trim() === '') return undefined;
    const characters = Array.from(text.replace(/\r$/u, ''));
    this.#split.set(line, characters);
    return characters;
  }
}

/** How many of each severity. */
export function countBySeverity(diagnostics: readonly Diagnostic[]): Record<Severity, number> {
  const counts: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  for (const { severity } of diagnostics) counts[severity] += 1;
  return counts;
}

function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions, lines: SourceLines): string {
  const paint = (style: keyof typeof colors, text: string): string =>
    options.color === true ? `\u001b[${colors[style]}m${text}\u001b[0m` : text;
  const { range, severity } = diagnostic;
  const place = `${options.fileName}:${range.line}:${range.column}`;
  const parts = [`${paint('bold', place)}: ${paint(severity, severity)}: ${diagnostic.message} ${paint('dim', `[${diagnostic.code}]`)}`];
  const line = lines.charactersOf(range.line);
  if (line !== undefined) {
    const { shown, from, to } = cutLine(line, range.column, range.endLine === range.line ? range.endColumn : Number.POSITIVE_INFINITY);
    const gutter = String(range.line);
    parts.push(`${paint('dim', `${gutter} |`)} ${shown}`);
    parts.push(
      `${paint('dim', `${' '.repeat(gutter.length)} |`)} ${' '.repeat(from)}${paint(severity, '^'.repeat(Math.max(1, to - from)))}`,
    );
  }
  if (diagnostic.hint !== undefined) parts.push(`  ${paint('dim', 'hint:')} ${diagnostic.hint}`);
  const related = diagnostic.related ?? [];
  for (const { message, range: at } of related) {
    parts.push(`  ${paint('dim', 'see:')} ${options.fileName}:${at.line}:${at.column}: ${message}`);
  }
  return `${parts.join('\n')}\n`;
}

/** A window of the line around the place, and the place's columns in it (from 0). */
function cutLine(characters: readonly string[], column: number, endColumn: number): { shown: string; from: number; to: number } {
  const first = column - 1 > maxLine - 40 ? column - 1 - 40 : 0;
  const window = characters
    .slice(first, first + maxLine)
    .map((character) => (character === '\t' ? ' '.repeat(tabWidth) : isControl(character) ? '·' : character));
  const widthOf = (end: number): number => window.slice(0, Math.max(0, end)).reduce((sum, text) => sum + Array.from(text).length, 0);
  return { shown: window.join(''), from: widthOf(column - 1 - first), to: widthOf(Math.min(endColumn - 1 - first, window.length)) };
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 32 || (code >= 127 && code < 160);
}
