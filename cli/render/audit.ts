import type { AuditEntry } from '../../core/contract/local-activities';
import { formatTime } from './duration';
import { colorsFor, fitLine, plainText, type RenderOptions } from './style';

/** A line of the trail, as Postgres keeps it. */
export interface AuditLine {
  seq: number;
  event: Omit<AuditEntry, 'atMs'> & { at: string };
}

/** One line per event: number, when, who, what, on what, why. */
export function renderAudit(lines: readonly AuditLine[], options: RenderOptions): string {
  if (lines.length === 0) return 'Nothing is recorded.';
  const colors = colorsFor(options);
  const digits = String(lines.at(-1)?.seq ?? 0).length;
  return lines
    .map(({ seq, event }) => {
      const generation = event.generation !== undefined && event.generation > 1 ? `#${event.generation}` : '';
      const outcome = event.outcome === undefined ? '' : ` -> ${plainText(event.outcome)}`;
      const reason = event.reason === undefined || event.reason === '' ? '' : `: ${plainText(event.reason)}`;
      const what = `${colors.bold(plainText(event.action))} ${plainText(event.object)}${generation}${outcome}${reason}`;
      return fitLine(`${String(seq).padStart(digits)}  ${formatTime(event.at)}  ${whoText(event)}  ${what}`, options);
    })
    .join('\n');
}

/** `ana (person, local)`; engine and timer need no name. */
function whoText({ actor }: AuditLine['event']): string {
  if (actor.kind === 'engine' || actor.kind === 'timer' || actor.kind === 'temporal') return actor.kind;
  return `${plainText(actor.id)} (${actor.kind}${actor.assurance === undefined ? '' : `, ${actor.assurance}`})`;
}
