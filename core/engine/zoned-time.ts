const dayMs = 86_400_000;

/** The next Monday 09:00 of a time zone after `nowMs` (IANA name; an unknown one counts as UTC). */
export function nextMonday(nowMs: number, timezone: string): number {
  const offset = offsetAt(nowMs, timezone);
  const local = new Date(nowMs + offset);
  const midnight = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate());
  const daysAhead = (8 - local.getUTCDay()) % 7 || 7;
  // On a Monday before nine, "next week" is still the Monday after.
  const localTarget = midnight + daysAhead * dayMs + 9 * 3_600_000;
  // The offset at the target may differ from today's (summer time): one correction is enough, changes happen at night.
  return localTarget - offsetAt(localTarget - offset, timezone);
}

/** How far the zone's wall clock is ahead of UTC. */
function offsetAt(atMs: number, timezone: string): number {
  let parts: Intl.DateTimeFormatPart[];
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    parts = format.formatToParts(atMs);
  } catch {
    return 0;
  }
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0);
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(atMs / 1000) * 1000;
}
