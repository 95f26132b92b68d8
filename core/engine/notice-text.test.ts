import type { NoticeDocument, NoticeGate } from '../contract/notice';
import { quote } from './decide-command';
import { describeNotice, duration } from './notice-text';

const run: NoticeDocument['run'] = {
  id: 'mfa-1',
  definition: 'mfa',
  status: 'in_progress',
  phase: 'Review',
  initiator: 'ivo',
  timeScale: 1,
};
const base = { schemaVersion: 1 as const, key: 'k', at: '2026-01-05T12:00:00.000Z', people: [], run };
const gate: NoticeGate = {
  id: '12_final_approval',
  kind: 'approval',
  step: '12_final_approval',
  isOverride: false,
  approvers: ['ana', 'ben'],
  barred: ['ivo'],
  quorum: 2,
  deadline: '2026-01-06T12:00:00.000Z',
  summary: 'ready',
  commands: { approve: 'vapora workflow approve …', reject: 'vapora workflow reject …' },
};
const context = 'Run mfa-1 of mfa, started by ivo';

test.each<[string, Omit<NoticeDocument, 'title' | 'text'>, string, string[]]>([
  [
    'a gate',
    { ...base, event: 'waiting', kind: 'opened', gate },
    'mfa: waits for a decision about 12_final_approval',
    [
      'Result: ready',
      'Who may decide: ana, ben (2 approvals are needed)',
      'Not: ivo',
      'Until: 2026-01-06 12:00 UTC',
      'Approve: vapora workflow approve …',
      'Reject: vapora workflow reject …',
      context,
    ],
  ],
  [
    'what is held back, for anyone, without a deadline',
    {
      ...base,
      event: 'blocked',
      kind: 'reminded',
      gate: {
        ...gate,
        kind: 'blocked',
        step: 'test',
        isOverride: true,
        approvers: [],
        barred: [],
        quorum: 1,
        deadline: null,
        reason: 'coverage 71 %',
      },
    },
    'mfa: still test is held back',
    [
      'coverage 71 %',
      'Result: ready',
      'Who may decide: anyone',
      'Approve: vapora workflow approve …',
      'Reject: vapora workflow reject …',
      context,
    ],
  ],
  [
    'an alert',
    {
      ...base,
      event: 'alert',
      kind: 'raised',
      alert: { step: 'watch', name: 'p99 > 300ms', severity: 'critical', message: 'p99 is 512 ms', state: 'raised' },
    },
    'mfa: critical alert in watch: p99 > 300ms',
    ['p99 is 512 ms', context],
  ],
  [
    'an alert that is over',
    {
      ...base,
      event: 'alert',
      kind: 'cleared',
      alert: { step: '', name: 'disk', severity: 'warning', message: 'empty', state: 'cleared' },
    },
    'mfa: alert cleared: disk',
    ['empty', context],
  ],
  [
    'late',
    {
      ...base,
      event: 'late',
      kind: 'projected',
      people: ['ana'],
      late: { plannedMs: 172_800_000, projectedMs: 187_200_000, elapsedMs: 90_000_000 },
    },
    'mfa: late: projected to take 2d 4h, planned were 2d',
    ['1d 1h have passed, in phase Review.', 'Look: vapora workflow status --id mfa-1', 'For: ana', context],
  ],
  [
    'completed',
    {
      ...base,
      event: 'completed',
      kind: 'completed',
      run: { ...run, title: 'Two factors' },
      end: { steps: { passed: 4, skipped: 1 }, tookMs: 90_000 },
    },
    'Two factors: completed',
    ['After 1min 30s; steps: 4 passed, 1 skipped', context],
  ],
  [
    'failed, in a run with a time scale',
    {
      ...base,
      event: 'failed',
      kind: 'rollback_failed',
      run: { ...run, reason: 'step a failed', timeScale: 3600 },
      end: { steps: { compensation_failed: 1 }, tookMs: 1_000 },
    },
    'mfa: failed, and not everything could be undone',
    ['step a failed', 'After 1h; steps: 1 compensation failed', 'Look: vapora workflow status --id mfa-1', `${context}, time scale ×3600`],
  ],
])('%s', (_, notice, title, lines) => {
  expect(describeNotice(notice)).toEqual({ title, text: lines.join('\n') });
});

test('a title is one line, and what a terminal would obey is left out', () => {
  const alert = { step: '', name: 'a\nb\u001b[31mred\u0007', severity: 'x', message: 'm', state: 'raised' as const };
  expect(describeNotice({ ...base, event: 'alert', kind: 'raised', alert }).title).toBe('mfa: x alert: a bred');
  const long = describeNotice({ ...base, run: { ...run, title: 'long '.repeat(100) }, event: 'completed', kind: 'completed' });
  expect(long.title.length).toBeLessThanOrEqual(200);
});

test('of many people some are named, the others counted', () => {
  const approvers = Array.from({ length: 25 }, (_, k) => `p${k}`);
  expect(describeNotice({ ...base, event: 'waiting', kind: 'opened', gate: { ...gate, approvers } }).text).toContain('p19 and 5 more');
});

test.each([
  [0, '0ms'],
  [400, '400ms'],
  [1_000, '1s'],
  [61_000, '1min 1s'],
  [3_600_000, '1h'],
  [90_061_000, '1d 1h'],
])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  ['mfa-1', 'mfa-1'],
  ['7a_review:blocked', '7a_review:blocked'],
  ['función', 'función'],
  ['two words', `'two words'`],
  [`it's $(rm)`, `'it'\\''s $(rm)'`],
  ['-x', `'-x'`],
  ['', `''`],
])('%s is quoted for a shell as %s', (word, quoted) => expect(quote(word)).toBe(quoted));
