import type { RunStatus } from '../../core/contract/states';
import { formatAge, formatDuration } from './duration';
import { colorStatus } from './status';
import { colorsFor, fitLine, plainText, tableLines, type RenderOptions } from './style';

export interface RunListEntry {
  id: string;
  definition: string;
  status: RunStatus;
  phase: string | null;
  startedAt: string;
  endedAt: string | null;
}

/** A table of runs. Ages and lengths are real time. */
export function renderRunList(runs: readonly RunListEntry[], options: RenderOptions): string {
  if (runs.length === 0) return 'No runs. Start one: vapora workflow run FILE';
  const colors = colorsFor(options);
  const nowMs = options.nowMs ?? 0;
  const rows = runs.map((run) => [
    plainText(run.id),
    plainText(run.definition),
    colorStatus(run.status, colors),
    plainText(run.phase ?? '-'),
    formatAge(run.startedAt, nowMs),
    run.endedAt === null ? '-' : formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt)),
  ]);
  return tableLines([['ID', 'DEFINITION', 'STATUS', 'PHASE', 'STARTED', 'TOOK'], ...rows])
    .map((line) => fitLine(line.trimEnd(), options))
    .join('\n');
}
