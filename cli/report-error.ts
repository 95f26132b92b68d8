import { isAppError, type AppError } from '../core/contract/errors';
import { exitCodeOfError, exitCodes, type ExitCode } from './exit-codes';
import { colorsFor, type RenderOptions } from './render/style';

export interface ReportOptions {
  isJson: boolean;
  /** Show stacks and causes. */
  isDebug: boolean;
  render: RenderOptions;
}

/** An error as text for standard error (or JSON with `--json`), and what to exit with. */
export function reportError(error: unknown, options: ReportOptions): { text: string; exitCode: ExitCode } {
  if (isAppError(error)) {
    const text = options.isJson
      ? jsonOf({ code: error.code, message: error.message, hint: error.hint, details: error.details })
      : textOf(error, options);
    return { text: text + stackOf(error, options), exitCode: exitCodeOfError(error.code) };
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  const hint = options.isDebug ? undefined : 'this is a bug; --debug (or VAPORA_DEBUG=1) shows where';
  const text = options.isJson
    ? jsonOf({ code: 'internal', message, hint })
    : `${colorsFor(options.render).red('error:')} ${joinHint(firstLine(message), hint)}`;
  return { text: text + stackOf(error, options), exitCode: exitCodes.runFailed };
}

function jsonOf(error: { code: string; message: string; hint?: string | undefined; details?: unknown }): string {
  return JSON.stringify({ schemaVersion: 1, error });
}

function textOf(error: AppError, { render }: ReportOptions): string {
  const text = joinHint(error.message, error.hint);
  // What a user asked for is no error.
  return error.code === 'interrupted' ? text : `${colorsFor(render).red('error:')} ${text}`;
}

const maxLineColumns = 180;

/** `what: what to do next`, on one line where it fits. Hints written as sentences lose their capital and full stop. */
export function joinHint(message: string, hint: string | undefined): string {
  const what = message.trimEnd().replace(/[.:]$/, '');
  if (hint === undefined || hint === '') return what;
  const next = asClause(hint);
  const line = `${what}: ${next}`;
  return what.includes('\n') || line.length > maxLineColumns ? `${what}\n  ${next}` : line;
}

function asClause(sentence: string): string {
  const text = sentence.trim().replace(/\.$/, '');
  // A first word that is a name (TEMPORAL_ADDRESS, Node.js) keeps its capital.
  return /^[A-Z][a-z]*[ ,']/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function stackOf(error: unknown, { isDebug }: ReportOptions): string {
  if (!isDebug || !(error instanceof Error)) return '';
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 10 && current instanceof Error; depth += 1) {
    parts.push(current.stack ?? current.message);
    current = current.cause;
  }
  return `\n${parts.join('\ncaused by: ')}`;
}
