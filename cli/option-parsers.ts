import { InvalidArgumentError, type Command } from 'commander';

/** `--address`, `--namespace`, `--database-url`: for every command that talks to a service. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--address <host:port>', 'Temporal server (default: TEMPORAL_ADDRESS, .vapora/dev.json, 127.0.0.1:7233)')
    .option('--namespace <name>', 'Temporal namespace')
    .option('--database-url <url>', 'Postgres (default: DATABASE_URL, .vapora/dev.json)');
}

export function addIdOption(command: Command): Command {
  return command.requiredOption('--id <id>', "the run's id");
}

/** Parser of an option that is a positive number. */
export function parsePositiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

/** Parser of an option that is a whole number from 1. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.');
  return value;
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const timePattern = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Parser of an option that is a day (its beginning in UTC) or a time with its zone; gives epoch ms. */
export function parseTime(text: string): number {
  const day = dayPattern.test(text) ? text : timePattern.exec(text)?.[1];
  const atMs = day === undefined ? NaN : Date.parse(text);
  // The 30th of February would otherwise be a day in March.
  const isDay = day !== undefined && !Number.isNaN(Date.parse(day)) && new Date(Date.parse(day)).toISOString().startsWith(day);
  if (Number.isNaN(atMs) || !isDay)
    throw new InvalidArgumentError('Give a day, 2026-01-31, or a time with its zone, 2026-01-31T09:00:00Z.');
  return atMs;
}

/** Collects an option that may be given several times. */
export function collect(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), text];
}
