import type { Plan } from '../../plan/types';
import { shorten } from '../document';
import { FieldReader } from '../fields';
import { type Field, readFields } from '../keyed-map';
import { parseDuration } from '../values';

/** `{cron | every, timezone, overlap, catchup}`, or a bare cron expression or interval. */
export function readSchedule(reader: FieldReader): Plan['schedule'] {
  const field = reader.present('schedule');
  if (field === undefined) return undefined;
  if (field.node.kind === 'scalar') {
    const text = field.node.text.trim();
    if (!/^@|\s/u.test(text) || parseDuration(text) !== undefined) {
      const everyMs = reader.duration('schedule', { min: 1_000 });
      return everyMs === undefined ? undefined : { everyMs };
    }
    return checkCron(reader, field, text) ? { cron: text } : undefined;
  }
  const fields = readFields(reader.context, field.node, { level: 'schedule', path: field.path, what: '`schedule`', span: field.keySpan });
  if (fields === undefined) return undefined;
  const own = new FieldReader(reader.context, fields);
  const cron = own.text('cron')?.trim();
  const everyMs = own.duration('every', { min: 1_000 });
  const timezone = readTimezone(own);
  const overlap = own.choice('overlap', ['skip', 'buffer_one', 'buffer_all', 'cancel_other', 'terminate_other', 'allow_all']);
  const catchupMs = own.duration('catchup', { min: 1 });
  const cronField = fields.get('cron');
  if (cron !== undefined && cronField !== undefined) checkCron(own, cronField, cron);
  if ((cronField === undefined) === (fields.get('every') === undefined)) {
    reader.context.sink.report({
      code: 'contradiction',
      message: '`schedule` needs either `cron` or `every`',
      hint: cronField === undefined ? 'write `every: 1day`, or `cron: "0 9 * * 1"`' : 'keep one of them',
      path: field.path,
      span: field.keySpan,
    });
  }
  return {
    ...(cron === undefined ? {} : { cron }),
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(catchupMs === undefined ? {} : { catchupMs }),
  };
}

function checkCron(reader: FieldReader, field: Field, text: string): boolean {
  const message = findCronProblem(text);
  if (message === undefined) return true;
  const hint = 'five fields, like `0 9 * * 1` (Mondays at 9:00), or `@daily`';
  reader.context.sink.report({ code: 'bad_value', message, hint, path: field.path, span: field.node.span });
  return false;
}

/** A name of the IANA database. */
export function readTimezone(reader: FieldReader): string | undefined {
  const name = reader.text('timezone');
  const field = reader.fields.get('timezone');
  if (name === undefined || field === undefined || isTimezone(name)) return name;
  reader.context.sink.report({
    code: 'bad_value',
    message: `\`${shorten(name)}\` is no timezone`,
    hint: 'a name of the IANA database, like `Europe/Madrid`',
    path: field.path,
    span: field.node.span,
  });
  return undefined;
}

function isTimezone(name: string): boolean {
  if (name.length > 60) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const cronFields: readonly { name: string; min: number; max: number; words?: readonly string[] }[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, words: months },
  // 7 is Sunday too.
  { name: 'weekday', min: 0, max: 7, words: weekdays },
];

/** What is wrong with a cron expression as Temporal reads it, if anything is. */
function findCronProblem(text: string): string | undefined {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/u.test(text)) return undefined;
  const written = text.split(/\s+/u);
  if (text.length > 200 || written.length !== cronFields.length) return 'a cron expression has five fields';
  const wrong = cronFields.findIndex((field, index) => !(written[index] ?? '').split(',').every((part) => isCronPart(part, field)));
  return wrong < 0 ? undefined : `\`${shorten(written[wrong] ?? '')}\` is no ${cronFields[wrong]?.name ?? ''} of a cron expression`;
}

/** `*`, `5`, `1-5`, `mon-fri`, each perhaps with a step: `*\/15`. */
function isCronPart(part: string, field: (typeof cronFields)[number]): boolean {
  const match = /^(?:[*?]|([a-z]+|\d{1,2})(?:-([a-z]+|\d{1,2}))?)(?:\/([1-9]\d?))?$/u.exec(part.toLowerCase());
  if (match === null) return false;
  const [, from, to = from] = match;
  if (from === undefined || to === undefined) return true;
  const [first, last] = [numberOf(from, field), numberOf(to, field)];
  return first !== undefined && last !== undefined && first <= last;
}

function numberOf(end: string, { min, max, words }: (typeof cronFields)[number]): number | undefined {
  const place = words?.indexOf(end) ?? -1;
  const value = place >= 0 ? place + min : /^\d/u.test(end) ? Number(end) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
