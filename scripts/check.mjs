/**
 * `npm run check [-- PART…]`: types, lint, format, imports, unused code. The parts run two at a time (each is a process of its
 * own); every part's output is shown in one piece, and one failing part fails the whole.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const cache = 'node_modules/.cache';

/** What the import rules speak about; a folder that does not exist yet is no error. */
const findFolders = () =>
  ['core', 'workflows', 'activities', 'workers', 'db', 'embedded', 'client', 'cli', 'dashboard', 'scripts', 'test', 'examples'].filter(
    (folder) => existsSync(path.join(root, folder)),
  );

/** Slowest first, so that the short ones fill the gaps. */
const parts = {
  lint: [
    'eslint/bin/eslint.js',
    ['--cache', '--cache-strategy', 'content', '--cache-location', `${cache}/eslint/`, '--max-warnings', '0', '.'],
  ],
  types: [
    'typescript/bin/tsc',
    ['--noEmit', '-p', 'tsconfig.json', '--incremental', '--tsBuildInfoFile', `${cache}/tsc/check.tsbuildinfo`],
  ],
  imports: ['dependency-cruiser/bin/dependency-cruise.mjs', ['--config', '.dependency-cruiser.cjs', ...findFolders()]],
  unused: ['knip/bin/knip.js', ['--no-progress']],
  format: ['prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '--cache', '--cache-location', `${cache}/prettier/check`, '.']],
};

function run(name) {
  const [bin, args] = parts[name];
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules', bin), ...args], {
      cwd: root,
      env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ name, ok: false, output: String(error), ms: Date.now() - startedAt }));
    child.on('close', (code) => resolve({ name, ok: code === 0, output: Buffer.concat(chunks).toString(), ms: Date.now() - startedAt }));
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`check: unknown part ${unknown.join(', ')}; the parts are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}

const queue = Object.keys(parts).filter((name) => wanted.length === 0 || wanted.includes(name));
const failed = [];
const startedAt = Date.now();
async function drain() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const result = await run(name);
    if (!result.ok) failed.push(name);
    const output = result.ok ? '' : `\n${result.output.trimEnd()}\n`;
    console.log(`check: ${result.ok ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${(result.ms / 1000).toFixed(1)} s${output}`);
  }
}
await Promise.all(Array.from({ length: Math.max(2, Math.min(availableParallelism(), 5)) }, drain));

console.log(
  `check: ${failed.length === 0 ? 'all clean' : `failed: ${failed.join(', ')}`} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
