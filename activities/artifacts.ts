import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isText } from '../db/media-type';

export interface Artifact {
  /** `sha256:<64 hex digits>`. */
  ref: string;
  mediaType: string;
  bytes: Buffer;
}

/** Bytes by the hash of their content. */
export interface ArtifactStore {
  insert(artifacts: Artifact[]): Promise<void>;
  find(ref: string): Promise<{ bytes: Buffer; mediaType: string } | null>;
}

export function artifactOf(bytes: Buffer, mediaType: string): Artifact {
  return { ref: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, mediaType, bytes };
}

/** For runs without recording: a folder of this machine, because a large output fits no payload. */
export function createFolderArtifactStore(dataDir: string): ArtifactStore {
  const pathOf = (ref: string): string => join(dataDir, 'artifacts', ref.replace('sha256:', ''));
  return {
    async insert(artifacts) {
      for (const { ref, bytes } of artifacts) {
        await mkdir(join(dataDir, 'artifacts'), { recursive: true, mode: 0o700 });
        // Renamed into place: a reader never sees half of it.
        const partial = `${pathOf(ref)}.${process.pid}.partial`;
        await writeFile(partial, bytes);
        await rename(partial, pathOf(ref));
      }
    },
    async find(ref) {
      const bytes = await readFile(pathOf(ref)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      });
      return bytes && { bytes, mediaType: isText(bytes) ? 'text/plain' : 'application/octet-stream' };
    },
  };
}
