import type { AlertRecord, AuditEntry, RunChanges } from '../core/contract/local-activities';

export interface RecordingMarks {
  /** The changes with what the database needs to know what it has been told before. `historyLength`: of the present workflow task. */
  mark(changes: RunChanges, historyLength: number): RunChanges;
  /** A recording came back, in the present workflow task. `audited`: the run's last audit line then. */
  recorded(audited: number | undefined, historyLength: number): void;
}

/**
 * A local activity runs at least once, and a workflow task that was lost after its recordings (a killed worker; a task that the server
 * closed because more than 100 signals had piled up) is done again with all that has arrived since: other recordings, at another time,
 * of which most was said before. So each line says which time it is said, and each recording after which line of the audit a lost
 * task may have said it: after the last one that was known when the present task began, for then all tasks before were completed.
 */
export function createRecordingMarks(): RecordingMarks {
  const count = createLineCounter();
  let task = 0;
  let auditAfter = 0;
  let latest = 0;
  const enter = (historyLength: number): void => {
    if (historyLength === task) return;
    task = historyLength;
    auditAfter = latest;
  };
  return {
    mark(changes, historyLength) {
      enter(historyLength);
      return { ...changes, historyLength, auditAfter, audit: count(changes.audit), alerts: count(changes.alerts) };
    },
    recorded(audited, historyLength) {
      enter(historyLength);
      latest = Math.max(latest, audited ?? 0);
    },
  };
}

function createLineCounter() {
  /** By a hash of the content: a run may have tens of thousands of lines. What collides is numbered needlessly, no more. */
  const counts = new Map<number, number>();
  return <Line extends AuditEntry | AlertRecord>(lines: Line[]): Line[] =>
    lines.map((line) => {
      const hash = hashOf(JSON.stringify({ ...line, atMs: 0 }));
      const occurrence = (counts.get(hash) ?? 0) + 1;
      counts.set(hash, occurrence);
      return occurrence === 1 ? line : { ...line, occurrence };
    });
}

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
