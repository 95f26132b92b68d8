/** Recorded histories as files: JSON as Temporal's own tools write it, one event a line. */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { History } from '@temporalio/common/lib/proto-utils';

const checkout = join(__dirname, '..', '..');

export const historiesFolder = join(__dirname, '..', 'histories');

export interface RecordedHistory {
  /** `<version>/<scenario>` */
  name: string;
  history: History;
}

export function readHistories(): RecordedHistory[] {
  return readdirSync(historiesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: version }) =>
      readdirSync(join(historiesFolder, version))
        .filter((file) => file.endsWith('.json'))
        .map((file) => ({
          name: `${version}/${file.replace(/\.json$/, '')}`,
          history: historyFromJSON(JSON.parse(readFileSync(join(historiesFolder, version, file), 'utf8'))),
        })),
    );
}

/**
 * The history as text, without what only says where it was recorded: who worked on it becomes `worker`, and `folder` an invented one,
 * in payloads too. Nothing of that is compared or decided on when the history is replayed.
 */
export function printHistory(history: History, folder: string): string {
  // The worker's sticky queue is named by it.
  const process = new RegExp(`\\b\\d+@${hostname().replaceAll('.', '\\.')}\\b`, 'g');
  const plain = JSON.parse(historyToJSON(history), (key, value: unknown) => {
    if (key === 'identity') return 'worker';
    if (key === 'data' && typeof value === 'string') return moveData(value, folder);
    // Stack traces name the checkout.
    return typeof value === 'string'
      ? value.replaceAll(folder, '/srv/recorded').replaceAll(checkout, '').replaceAll(process, 'worker')
      : value;
  }) as { events: unknown[] };
  return `{"events":[\n${plain.events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
}

/** Bytes stay bytes: only where the folder stands in them are they read as text. */
function moveData(base64: string, folder: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.includes(folder) ? Buffer.from(bytes.toString('utf8').replaceAll(folder, '/srv/recorded')).toString('base64') : base64;
}
