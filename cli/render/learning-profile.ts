import type { LearningCurve } from '../../core/learning/curve';
import { confidentAfter, type TaskTypeExpertise } from '../../core/learning/expertise';
import type { LearningProfile } from '../../core/learning/profile';
import { formatDuration, formatPercent } from './duration';
import { renderSparkline } from './sparkline';
import { fitLines, plainText, type RenderOptions, symbolOf } from './style';

/** What the history says of one agent, a paragraph for each kind of task. */
export function renderLearningProfile({ agentId, overall, expertise, curves }: LearningProfile, options: RenderOptions): string {
  const known = Object.values(expertise)
    .filter(({ n }) => n > 0)
    .sort((a, b) => (a.taskType < b.taskType ? -1 : 1));
  const record = overall.n === 0 ? 'no history yet' : `${overall.successes} of its newest ${overall.n} executions succeeded`;
  const lines = [`${plainText(agentId)}: ${record}`];
  for (const one of known) lines.push('', ...taskTypeLines(one, curves[one.taskType], options));
  if (known.length === 0 && overall.n > 0) lines.push('', 'Nothing of this kind of task.');
  return fitLines(lines, options);
}

function taskTypeLines(known: TaskTypeExpertise, curve: LearningCurve | undefined, options: RenderOptions): string[] {
  const { n, successes, successRate, recentSuccessRate, confidence, averageDurationMs, averageCostUsd } = known;
  const row = (name: string, text: string): string => `  ${name.padEnd(11)} ${text}`;
  const lines = [
    plainText(known.taskType),
    row('succeeded', `${successes} of ${n} (${formatPercent(successRate)}), recently ${formatPercent(recentSuccessRate)}`),
    row('confidence', confidence.toFixed(2) + (confidence < 1 ? ` (full from ${confidentAfter} executions on)` : '')),
  ];
  const means = [
    averageDurationMs === null ? [] : [formatDuration(averageDurationMs)],
    averageCostUsd === null ? [] : [`$${averageCostUsd.toFixed(2)}`],
  ].flat();
  if (means.length > 0) lines.push(row('on average', means.join(', ')));
  if (curve !== undefined) lines.push(row('trend', trendText(curve.trendPerDay)), row('by day', curveText(curve, options)));
  if (known.clockSkew) lines.push(row('note', 'some executions ended in the future: the clock of a worker is wrong'));
  return lines;
}

function trendText(trendPerDay: number | null): string {
  if (trendPerDay === null) return 'not known before 3 days and 10 executions';
  const points = trendPerDay * 100;
  if (Math.abs(points) < 0.05) return 'steady';
  return `${points > 0 ? '+' : '-'}${Math.abs(points).toFixed(1)} points a day`;
}

/** Room for the name of the row, the first and the last day. */
const beside = 42;

function curveText({ days }: LearningCurve, options: RenderOptions): string {
  const shown = days.slice(-Math.max(7, Math.min(days.length, options.width - beside)));
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return '-';
  const line = renderSparkline(
    shown.map(({ rate }) => rate),
    options,
  );
  const dash = options.unicode ? '–' : '-';
  const period = first === last ? first.day : `${first.day} ${dash} ${last.day}`;
  return `${line}  ${period}${first.rate === null || last.rate === null ? '' : `, ${formatPercent(first.rate)} ${symbolOf('then', options)} ${formatPercent(last.rate)}`}`;
}
