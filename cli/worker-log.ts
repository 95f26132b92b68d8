import { pino, type Logger } from 'pino';
import type { CliOutput, CommandContext } from './command';
import { formatTime } from './render/duration';
import { plainText } from './render/style';

export interface WorkerLogOptions {
  /** Gets everything from info on as JSON lines; a person reads standard error then. Without it standard error is the log. */
  file?: string | undefined;
}

/**
 * The worker's log, as JSON lines: on standard error, or in a file, where standard error shows no more than errors, each as one
 * readable line. VAPORA_LOG_LEVEL sets what standard error shows.
 */
export function createWorkerLog({ io }: Pick<CommandContext, 'io'>, { file }: WorkerLogOptions = {}): Logger {
  const wanted = io.variables['VAPORA_LOG_LEVEL'] || undefined;
  if (file === undefined) return pino({ level: wanted ?? 'info' }, pino.destination({ dest: 2, sync: true }));
  const streams = [
    { level: wanted ?? 'error', stream: readableLines(io.stderr) },
    { level: 'info', stream: pino.destination({ dest: file, append: true, mkdir: true, sync: true }) },
  ];
  return pino({ level: 'trace' }, pino.multistream(streams as Parameters<typeof pino.multistream>[0]));
}

function readableLines(output: CliOutput): { write(line: string): void } {
  return { write: (line) => void output.write(`${readableLine(line)}\n`) };
}

/** `12:03:04 ERROR the worker stopped (run x, step deploy): connection refused` */
export function readableLine(json: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return plainText(json.trim());
  }
  const text = (...keys: string[]): string | undefined => keys.map((key) => entry[key]).find((value) => typeof value === 'string');
  const at = typeof entry['time'] === 'number' ? `${formatTime(new Date(entry['time']).toISOString()).slice(11)} ` : '';
  const level = (pino.levels.labels[Number(entry['level'])] ?? 'log').toUpperCase();
  const where = [
    ['run', text('run', 'workflowId')],
    ['step', text('step', 'activityId')],
  ].flatMap(([what, name]) => (name === undefined ? [] : [`${what} ${name}`]));
  const cause = text('cause') ?? (entry['err'] as { message?: unknown } | undefined)?.message;
  const message = `${text('msg') ?? ''}${where.length === 0 ? '' : ` (${where.join(', ')})`}`;
  return plainText(`${at}${level} ${message}${typeof cause === 'string' && cause !== '' ? `: ${cause}` : ''}`);
}
