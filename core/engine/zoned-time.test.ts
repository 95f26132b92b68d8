import { nextMonday } from './zoned-time';

test.each([
  ['a Monday, before nine', '2026-01-05T08:00:00Z', 'UTC', '2026-01-12T09:00:00Z'],
  ['a Monday, after nine', '2026-01-05T12:00:00Z', 'UTC', '2026-01-12T09:00:00Z'],
  ['a Sunday', '2026-01-11T23:59:59Z', 'UTC', '2026-01-12T09:00:00Z'],
  ['a Wednesday in Madrid', '2026-01-07T12:00:00Z', 'Europe/Madrid', '2026-01-12T08:00:00Z'],
  ['Monday in Auckland already, Sunday here', '2026-01-11T12:00:00Z', 'Pacific/Auckland', '2026-01-18T20:00:00Z'],
  ['over the change to summer time', '2026-03-27T12:00:00Z', 'Europe/Madrid', '2026-03-30T07:00:00Z'],
  ['over the change back', '2026-10-23T12:00:00Z', 'Europe/Madrid', '2026-10-26T08:00:00Z'],
  ['half an hour off', '2026-01-07T12:00:00Z', 'Asia/Kolkata', '2026-01-12T03:30:00Z'],
  ['an unknown zone counts as UTC', '2026-01-07T12:00:00Z', 'Nowhere/Atall', '2026-01-12T09:00:00Z'],
])('%s', (_, now, timezone, expected) => {
  expect(new Date(nextMonday(Date.parse(now), timezone)).toISOString()).toBe(new Date(expected).toISOString());
});
