import { limits } from './limits';

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
export const unitNames: Readonly<Record<string, readonly string[]>> = {
  ms: ['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'],
  s: ['s', 'sec', 'secs', 'second', 'seconds'],
  m: ['m', 'min', 'mins', 'minute', 'minutes'],
  h: ['h', 'hr', 'hrs', 'hour', 'hours'],
  d: ['d', 'day', 'days'],
  w: ['w', 'week', 'weeks'],
};
const msByName = new Map(Object.entries(unitNames).flatMap(([unit, names]) => names.map((name) => [name, unitMs[unit] ?? 1] as const)));

export const durationHint = 'write a number with a unit, like `90s`, `45min`, `1h30m`, `4days` or `PT1H30M`';

/** Milliseconds in one unit of time (`min`, `hours`…), if it is one. */
export function unitToMs(name: string): number | undefined {
  return msByName.get(name.toLowerCase());
}

/**
 * `45min`, `4days`, `1h30m`, `1.5h`, `500ms`, `PT1H30M` to whole milliseconds. Undefined for anything else: a bare number has
 * no unit, a negative or absurdly long time is no duration.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length === 0 || trimmed.length > 60) return undefined;
  const ms = /^p/iu.test(trimmed) ? parseIsoDuration(trimmed) : parseUnits(trimmed);
  return ms === undefined || !(ms <= limits.durationMs) ? undefined : Math.round(ms);
}

function parseUnits(text: string): number | undefined {
  const part = /(\d+(?:\.\d+)?)\s*([a-z]+)\s*/giuy;
  let total = 0;
  let end = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const unit = unitToMs(match[2] ?? '');
    // `30m1h` and `1h1h` are slips, not durations.
    if (unit === undefined || unit >= smallest) return undefined;
    smallest = unit;
    total += Number(match[1]) * unit;
    end = part.lastIndex;
  }
  return end === text.length && end > 0 ? total : undefined;
}

function parseIsoDuration(text: string): number | undefined {
  const number = '(\\d+(?:\\.\\d+)?)';
  const pattern = new RegExp(`^P(?:${number}W)?(?:${number}D)?(?:T(?:${number}H)?(?:${number}M)?(?:${number}S)?)?$`, 'iu');
  const match = pattern.exec(text);
  if (match === null || /[PT]$/iu.test(text)) return undefined;
  const units = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000];
  return units.reduce((total, unit, index) => total + Number(match[index + 1] ?? 0) * unit, 0);
}

/** `85%`, `12.5 %` to 85, 12.5. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*%$/u.exec(text.trim());
  return match === null ? undefined : Number(match[1]);
}

/** `$2.50` to 2.5. */
export function parseMoney(text: string): number | undefined {
  const match = /^\$\s*(\d+(?:\.\d+)?)$/u.exec(text.trim());
  return match === null ? undefined : Number(match[1]);
}
