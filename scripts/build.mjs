/**
 * `npm run build`: compiles the product folders into dist/, copies the files they read at run time, and bundles the workflow code
 * once, so that a worker starts without webpack.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { dist, hashBuildInputs, hashFiles, listFiles, listSources, readStamp, removeStamp, root, writeStamp } from './build-state.mjs';
import { withFileLock } from './file-lock.mjs';

const bundleFile = path.join(dist, 'workflow-bundle.js');
/** Its `writeWorkflowBundle()` knows the workflow's entry and interceptors, and where a worker looks for the bundle. */
const bundler = path.join(dist, 'workers/bundle.js');

/** Builds into dist/. Throws with a message for people when something does not compile. */
export async function build() {
  await withFileLock(
    path.join(root, '.vapora/locks/build.lock'),
    async () => {
      const startedAt = Date.now();
      const before = readStamp();
      const inputs = hashBuildInputs();
      removeStamp();
      compile();
      const { code, assets } = listSources();
      for (const file of assets) copy(file);
      removeOrphans(code, assets);
      const bundle = await bundleWorkflowCode(before.bundle);
      writeStamp({ inputs, bundle });
      console.log(`build: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    },
    (pid) => console.log(`build: waiting for another build (process ${pid})`),
  );
}

function compile() {
  console.log('build: compiling');
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const pretty = process.stdout.isTTY ? ['--pretty'] : [];
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...pretty], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the sources do not compile (see above)');
}

function copy(file) {
  const target = path.join(dist, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(path.join(root, file), target);
}

/** What is left of sources that are gone: a module that no longer exists must not go on being importable. */
function removeOrphans(code, assets) {
  const expected = new Set(assets);
  for (const file of code) for (const ending of ['.js', '.js.map', '.d.ts']) expected.add(file.replace(/\.ts$/, ending));
  for (const file of listFiles('dist')) {
    const relative = path.relative('dist', file);
    const isOurs = relative.includes(path.sep);
    if (isOurs && !expected.has(relative)) fs.rmSync(path.join(root, file));
  }
}

/** Returns the hash of what the bundle was made of; the same as `before` leaves the bundle as it is. */
async function bundleWorkflowCode(before) {
  if (!fs.existsSync(bundler)) {
    fs.rmSync(bundleFile, { force: true });
    return undefined;
  }
  const inputs = ['dist/core', 'dist/workflows', 'dist/workers'].filter((folder) => fs.existsSync(path.join(root, folder)));
  const hash = hashFiles([...inputs.flatMap(listFiles).filter((file) => file.endsWith('.js')), 'package-lock.json']);
  if (hash === before && fs.existsSync(bundleFile)) return hash;
  console.log('build: bundling the workflow code');
  // A bundle of older code must not survive a bundling that fails.
  fs.rmSync(bundleFile, { force: true });
  await createRequire(import.meta.url)(bundler).writeWorkflowBundle();
  return hash;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build();
  } catch (error) {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
