import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  folder: string;
  version: string;
}

/** The version in the nearest package.json: the same file whether this runs from sources or from the build. */
export function vaporaVersion(): string {
  return findManifest().version;
}

/** The folder of the package: examples lie below it. */
export function packageFolder(): string {
  return findManifest().folder;
}

function findManifest(): Manifest {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string; version?: string };
      if (manifest.name === 'vapora' && manifest.version !== undefined) return { folder, version: manifest.version };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (dirname(folder) === folder) return { folder: process.cwd(), version: '0.0.0' };
  }
}
