import { pino, type Logger } from 'pino';
import type { CommandContext } from './command';

export interface WorkerLogOptions {
  defaultLevel: 'info' | 'warn';
  /** Where everything from info on goes too, when standard error shows less. */
  file?: string | undefined;
}

/** The worker's log: JSON lines on standard error from VAPORA_LOG_LEVEL on, and all of it in the file, where there is one. */
export function createWorkerLog({ io }: CommandContext, { defaultLevel, file }: WorkerLogOptions): Logger {
  const level = io.variables['VAPORA_LOG_LEVEL'] || defaultLevel;
  const stderr = pino.destination({ dest: 2, sync: true });
  if (file === undefined) return pino({ level }, stderr);
  const streams = [
    { level, stream: stderr },
    { level: 'info', stream: pino.destination({ dest: file, append: true, mkdir: true, sync: false }) },
  ];
  return pino({ level: 'trace' }, pino.multistream(streams as Parameters<typeof pino.multistream>[0]));
}
