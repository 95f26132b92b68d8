import type { TimelineEntry } from '../../core/contract/views';
import { renderTimeline } from './timeline';
import { plainOptions, textWidth } from './style';

const start = Date.parse('2025-11-09T10:00:00Z');
const at = (minutes: number): string => new Date(start + minutes * 60_000).toISOString();

function anEntry(step: string, from: number, to: number | null, more: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    step,
    generation: 1,
    slot: 1,
    agent: 'dev-1',
    startedAt: at(from),
    endedAt: to === null ? null : at(to),
    outcome: to === null ? null : 'success',
    mode: 'do',
    ...more,
  };
}

const context = { timeScale: 1, nowMs: start + 60 * 60_000 };

test('a Gantt chart with estimate against actual', () => {
  const steps = [
    anEntry('design', 0, 30, { agent: 'arch-1', estimateMs: 30 * 60_000 }),
    anEntry('frontend', 30, 50, { estimateMs: 40 * 60_000 }),
    anEntry('backend', 30, 45, { agent: 'dev-2', outcome: 'failure' }),
    anEntry('deploy', 45, null, { subStep: 'traffic_switch', generation: 2, slot: 2, agent: null }),
    anEntry('backend', 50, 60, { agent: 'dev-2', mode: 'undo', estimateMs: 40 * 60_000 }),
  ];
  expect(`\n${renderTimeline({ steps }, context, { ...plainOptions, width: 100 })}\n`).toBe(`
design                       ###################                    30min (est. 30min, +0%)   arch-1
backend                                        ##########           15min failure             dev-2
frontend                                       #############        20min (est. 40min, -50%)  dev-1
deploy/traffic_switch#2 (2)                             #########.  15min so far              -
backend undo                                               <<<<<<<  10min                     dev-2

Span 1h: work of 1h 30min, 1.5 at once on average, 2 at most
Estimated work 1h 10min, actual 50min (-28.6%)
`);
});

test('durations are in plan time under a time scale, and say so', () => {
  const text = renderTimeline(
    { steps: [anEntry('a', 0, 1, { estimateMs: 60 * 3_600_000 })] },
    { ...context, timeScale: 3_600 },
    plainOptions,
  );
  expect(text).toContain('2d 12h (est. 2d 12h, +0%)');
  expect(text).toContain('(time scale x3600)');
});

test('steps that follow one another at once do not overlap', () => {
  const text = renderTimeline({ steps: [anEntry('a', 0, 10), anEntry('b', 10, 20)] }, context, plainOptions);
  expect(text).toContain('1 at most');
});

test('nothing yet, and an effect without length', () => {
  expect(renderTimeline({ steps: [] }, context, plainOptions)).toBe('Nothing has started yet.');
  expect(renderTimeline({ steps: [anEntry('a', 0, 0)] }, context, plainOptions)).toContain('0ms');
});

test.each([60, 80, 120])('lines fit %d columns', (width) => {
  const steps = Array.from({ length: 20 }, (_, n) => anEntry(`a_step_with_quite_a_long_name_${n}`, n, n + 5));
  for (const line of renderTimeline({ steps }, context, { ...plainOptions, unicode: true, width }).split('\n'))
    expect(textWidth(line)).toBeLessThanOrEqual(width);
});
