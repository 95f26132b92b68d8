#!/usr/bin/env node
'use strict';
// Loads the compiled command line. In a checkout it also notices a missing or outdated build: running yesterday's code by
// accident costs more than the few milliseconds of looking.
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const main = path.join(root, 'dist/cli/main.js');
const stamp = path.join(root, 'dist/.build.json');

/** The first product source changed after `timeMs`, or undefined. Tests are not part of the build. */
function findNewerSource(folder, timeMs) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      const newer = findNewerSource(file, timeMs);
      if (newer !== undefined) return newer;
    } else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') && fs.statSync(file).mtimeMs > timeMs) {
      return file;
    }
  }
  return undefined;
}

/** Why the build in a checkout cannot be trusted, or undefined. Installed packages carry no sources and are never outdated. */
function findBuildProblem() {
  const config = path.join(root, 'tsconfig.build.json');
  if (!fs.existsSync(config)) return undefined;
  if (!fs.existsSync(stamp)) return 'the last build did not finish';
  const builtMs = fs.statSync(stamp).mtimeMs;
  for (const folder of JSON.parse(fs.readFileSync(config, 'utf8')).include) {
    const newer = fs.existsSync(path.join(root, folder)) ? findNewerSource(path.join(root, folder), builtMs) : undefined;
    if (newer !== undefined) return `${path.relative(root, newer)} changed since the last build`;
  }
  return undefined;
}

if (!fs.existsSync(main)) {
  process.stderr.write("vapora: not built yet. Run 'npm run build' first (or 'npm run setup' in a fresh clone).\n");
  process.exit(1);
}
const problem = findBuildProblem();
if (problem !== undefined) process.stderr.write(`vapora: ${problem}; run 'npm run build'\n`);
require(main);
