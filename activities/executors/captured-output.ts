import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

export interface CapturedOutput {
  /** Waits for the disk where it must: the agent is then slowed down, memory is not filled. */
  push(chunk: Buffer): Promise<void>;
  end(): Promise<{ bytes: Buffer; file?: undefined } | { file: string }>;
}

/** Holds output up to a limit in memory; beyond it, all of it goes to a file. */
export function createCapturedOutput({ limitBytes, file }: { limitBytes: number; file: string }): CapturedOutput {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  let spill: WriteStream | undefined;
  let spillError: Error | undefined;

  async function write(chunk: Buffer): Promise<void> {
    if (spillError) throw spillError;
    if (spill && !spill.write(chunk)) await once(spill, 'drain');
  }

  return {
    async push(chunk) {
      sizeBytes += chunk.length;
      if (spill) return write(chunk);
      chunks.push(chunk);
      if (sizeBytes <= limitBytes) return;
      spill = createWriteStream(file, { mode: 0o600 }).on('error', (error) => (spillError = error));
      for (const held of chunks) await write(held);
      chunks = [];
    },
    async end() {
      if (!spill) return { bytes: Buffer.concat(chunks) };
      spill.end();
      await finished(spill);
      return { file };
    },
  };
}
