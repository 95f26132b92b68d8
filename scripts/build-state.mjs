import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');
export const dist = path.join(root, 'dist');
const stampFile = path.join(dist, '.build.json');

/** Files other than TypeScript that the compiled product reads beside its modules. */
const assetPattern = /\.(sql|json|css|html)$/;

/** The product's folders: what `tsconfig.build.json` compiles. */
export function findProductFolders() {
  const { include } = JSON.parse(fs.readFileSync(path.join(root, 'tsconfig.build.json'), 'utf8'));
  return include.filter((folder) => fs.existsSync(path.join(root, folder)));
}

/** Every file below `folder`, as paths relative to the project, sorted. */
export function listFiles(folder) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The product's sources and assets: tests are not built. */
export function listSources() {
  const files = findProductFolders().flatMap(listFiles);
  return {
    code: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')),
    assets: files.filter((file) => assetPattern.test(file)),
  };
}

export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/** Everything that decides what a build produces. */
export function hashBuildInputs() {
  const { code, assets } = listSources();
  const configs = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs', 'scripts/build-state.mjs'];
  return hashFiles([...code, ...assets, ...configs]);
}

export function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(stampFile, 'utf8'));
  } catch {
    return {}; // absent or cut short: the same as not built
  }
}

export function writeStamp(stamp) {
  fs.writeFileSync(stampFile, `${JSON.stringify(stamp, null, 2)}\n`);
}

export function removeStamp() {
  fs.rmSync(stampFile, { force: true });
}

/** True when `dist/` is the build of the present sources. A touched file with the same content does not count as a change. */
export function isBuilt() {
  const stamp = readStamp();
  if (stamp.inputs === undefined || stamp.inputs !== hashBuildInputs()) return false;
  const now = new Date();
  fs.utimesSync(stampFile, now, now);
  return true;
}
