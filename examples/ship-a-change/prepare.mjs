#!/usr/bin/env node
// Makes a folder with a small git repository (a library, its tests), the agents beside it, and prints the repository's path:
//   node prepare.mjs [folder]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gitEnvironment } from './agents/git.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const given = process.argv[2];
if (given !== undefined) mkdirSync(given, { recursive: true });
const folder = given === undefined ? mkdtempSync(join(realpathSync(tmpdir()), 'ship-a-change-')) : resolve(given);
const repo = join(folder, 'repo');
if (existsSync(repo)) {
  console.error(`${repo} exists already: name another folder, or remove it`);
  process.exit(2);
}

cpSync(join(here, 'agents'), join(folder, 'agents'), { recursive: true });
cpSync(join(here, 'changes'), join(folder, 'changes'), { recursive: true });
cpSync(join(here, 'library'), repo, { recursive: true });
const git = (...args) => execFileSync('git', ['-C', repo, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: gitEnvironment() });
git('init', '--quiet', '--initial-branch=main');
// The agents push from clones of their own; the working copy here follows.
git('config', 'receive.denyCurrentBranch', 'updateInstead');
git('add', '.');
git('commit', '--quiet', '--message=A library of text tools');
git('tag', '--annotate', 'v1.0.0', '--message=The first release');
console.log(repo);
