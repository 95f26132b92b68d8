const units: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A duration for people, by its two largest units: `3d 4h`, `1h 30min`, `45s`, `1.5s`, `320ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  if (durationMs < 1_000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 9_950) return `${Number((durationMs / 1_000).toFixed(1))}s`;
  let first = units.findIndex(([, sizeMs]) => durationMs >= sizeMs);
  const smallest = units[Math.min(first + 1, units.length - 1)]?.[1] ?? 1_000;
  const rounded = Math.round(durationMs / smallest) * smallest;
  // Rounding up can reach the next unit: 59min 59.9s is 1h, not 60min.
  first = units.findIndex(([, sizeMs]) => rounded >= sizeMs);
  const [firstName, firstMs] = units[first] ?? ['s', 1_000];
  const count = Math.floor(rounded / firstMs);
  const second = units[first + 1];
  const rest = second === undefined ? 0 : Math.floor((rounded - count * firstMs) / second[1]);
  return second === undefined || rest === 0 ? `${count}${firstName}` : `${count}${firstName} ${rest}${second[0]}`;
}

/** `45%`; the argument is 0..1. Never 100% before it is complete. */
export function formatPercent(fraction: number): string {
  return `${fraction >= 1 ? 100 : Math.min(99, Math.round(fraction * 100))}%`;
}

/** How long ago, for lists: `3min ago`. */
export function formatAge(iso: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(iso);
  if (Number.isNaN(ageMs)) return iso;
  if (ageMs < 1_000) return 'just now';
  const [name, sizeMs] = units.find(([, size]) => ageMs >= size) ?? ['s', 1_000];
  return `${Math.floor(ageMs / sizeMs)}${name} ago`;
}

/** Local date and time to the second, sortable: `2025-11-09 10:00:00`. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
