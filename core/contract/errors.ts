/**
 * Errors are data. What a user wrote badly is a `Diagnostic` (core/plan/diagnostic.ts); every other expected failure is an
 * `AppError` with a stable code, so that no caller needs `instanceof` (which lies across the workflow sandbox).
 */
export const appErrorCodes = [
  'bad_usage', // the command line or an argument is wrong
  'invalid_workflow', // the workflow file has errors; `details` holds the diagnostics
  'invalid_agents', // the agents file has errors
  'not_found', // no such run, definition, gate or agent
  'already_running', // a second start of a running id
  'refused', // not allowed, or does not apply now
  'unavailable', // a service cannot be reached
  'not_registered', // search attributes, tables: the environment is not set up
  'interrupted', // the user pressed Ctrl-C
  'internal', // a bug
] as const;
export type AppErrorCode = (typeof appErrorCodes)[number];

export interface AppErrorOptions {
  /** What to do next, as one imperative sentence. */
  hint?: string;
  cause?: unknown;
  /** Structured extras, JSON-able. */
  details?: unknown;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: AppErrorCode;
  readonly hint: string | undefined;
  readonly details: unknown;

  constructor(code: AppErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** True for an AppError from any realm or bundle: decided by shape, never by prototype. */
export function isAppError(error: unknown): error is AppError {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as { name?: unknown }).name === 'AppError' &&
    appErrorCodes.includes((error as { code?: AppErrorCode }).code as AppErrorCode)
  );
}
