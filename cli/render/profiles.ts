import type { LearningProfile } from '../../core/learning/profile';
import { formatDuration, formatPercent } from './duration';
import { fitLines, plainText, tableLines, type RenderOptions } from './style';

/** What the execution history says of each agent, a row for each kind of task. */
export function renderProfiles(profiles: readonly LearningProfile[], options: RenderOptions): string {
  const rows = profiles.flatMap(({ agentId, expertise }) =>
    Object.values(expertise)
      .filter(({ n }) => n > 0)
      .map((known) => [
        plainText(agentId),
        plainText(known.taskType),
        `${known.successes}/${known.n}`,
        formatPercent(known.recentSuccessRate),
        known.confidence.toFixed(2),
        known.averageDurationMs === null ? '-' : formatDuration(known.averageDurationMs),
      ]),
  );
  if (rows.length === 0) return 'Nothing has been learned yet.';
  return fitLines(tableLines([['agent', 'task type', 'succeeded', 'recently', 'confidence', 'mean duration'], ...rows]), options);
}
