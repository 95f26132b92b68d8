import { cpus, release, totalmem, type as systemName } from 'node:os';
import { version as sdkVersion } from '@temporalio/worker/package.json';

/** What the numbers were measured on, as Markdown list items. */
export function describeMachine(versions: Record<string, string>, settings: string[]): string[] {
  const processors = cpus();
  return [
    `${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, ${systemName()} ${release()}`,
    `Node ${process.versions.node}, Temporal SDK ${sdkVersion}, Temporal CLI ${versions['temporal'] ?? 'unknown'} (dev server), PostgreSQL ${versions['postgres'] ?? 'unknown'}`,
    ...settings,
  ];
}
