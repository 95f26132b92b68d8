/**
 * `npm run setup`, and the first half of `npm run demo` and `npm test`: makes a checkout runnable. Installs the dependencies when
 * they are not what package-lock.json says and builds when dist/ is not the build of the present sources. With nothing to do it
 * takes a moment; `--quiet-if-done` then prints nothing. Uses nothing but Node, since it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Not import.meta.dirname: the check of Node's version must itself run on an old Node.
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const progressEveryMs = 15_000;

const isQuietIfDone = process.argv.includes('--quiet-if-done');
const say = (line) => console.log(`setup: ${line}`);

class SetupError extends Error {}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function checkNode() {
  const wanted = /(\d+)\.(\d+)/.exec(readJson('package.json').engines.node);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > Number(wanted[1]) || (major === Number(wanted[1]) && minor >= Number(wanted[2]))) return;
  throw new SetupError(
    `Node ${wanted[0]} or newer is needed, this is ${process.versions.node} (${process.execPath}); install it from nodejs.org`,
  );
}

/**
 * Compares what npm installed (its own record in node_modules) with the lock. An optional package may rightly be absent; the native
 * part for this very system may not, unless only the C library decides between two of them.
 */
function isInstalled() {
  const locked = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (installed === undefined) return false;
  for (const [where, entry] of Object.entries(locked)) {
    if (where === '') continue;
    const present = installed[where];
    if (present === undefined ? !entry.optional || isForThisSystem(entry) : present.version !== entry.version) return false;
  }
  return Object.keys(installed).every((where) => where in locked);
}

function isForThisSystem({ os, cpu, libc }) {
  return libc === undefined && os?.includes(process.platform) === true && cpu?.includes(process.arch) === true;
}

async function install() {
  say('installing the dependencies (npm ci; about a minute the first time)');
  const startedAt = Date.now();
  const timer = setInterval(() => say(`still installing, ${Math.round((Date.now() - startedAt) / 1000)} s`), progressEveryMs);
  // The npm that runs us, when one does: the same Node, and no search of PATH.
  const npm = process.env.npm_execpath?.endsWith('.js') === true ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command, ...args] = [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
      child.on('error', (error) => reject(new SetupError(`cannot run npm: ${error.message}`)));
      child.on('exit', (code, signal) =>
        code === 0
          ? resolve()
          : reject(
              new SetupError(`'npm ci' failed (${signal ?? `exit ${code}`}); its message is above. Is the package registry reachable?`),
            ),
      );
    });
  } finally {
    clearInterval(timer);
  }
  say(`dependencies installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function setUp() {
  checkNode();
  const { isBuilt } = await import('./build-state.mjs');
  if (isInstalled() && isBuilt()) {
    if (!isQuietIfDone) say('dependencies and build are up to date');
    return;
  }
  const { withFileLock } = await import('./file-lock.mjs');
  await withFileLock(
    path.join(root, '.vapora/locks/setup.lock'),
    async () => {
      // Looked at again: another process may have done it while this one waited.
      if (!isInstalled()) await install();
      if (!isBuilt()) {
        const { build } = await import('./build.mjs');
        await build();
      }
    },
    (pid) => say(`waiting for another setup (process ${pid})`),
  );
}

try {
  await setUp();
} catch (error) {
  const isExpected = error instanceof SetupError || error.message.startsWith('the sources do not compile');
  console.error(`setup: ${isExpected ? error.message : error.stack}`);
  process.exitCode = 1;
}
