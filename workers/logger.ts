import type { Logger as TemporalLogger } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** A run that does not complete is what its plan asked for: the status and the audit say so, and the log raises no alarm. */
const quietMessages: readonly string[] = ['Workflow failed'];

/** The SDK's logger interface over pino: one log, one format. */
export function toTemporalLogger(log: Pino): TemporalLogger {
  const write =
    (level: Level) =>
    (message: string, meta: Record<string | symbol, unknown> = {}): void => {
      const { error, ...fields } = meta;
      // Pino shows an exception's message and stack under this name only.
      log[quietMessages.includes(message) ? 'debug' : level]({ ...fields, ...(error !== undefined && { err: error }) }, message);
    };
  const methods = { trace: write('trace'), debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return {
    ...methods,
    log(level, message, meta) {
      methods[level.toLowerCase() as Level](message, meta);
    },
  };
}

let installed = false;

/** Once per process, before the first connection: the SDK logs through ours, and leaves signals to whoever started us. */
export function installRuntime(log: Pino): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: toTemporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}
