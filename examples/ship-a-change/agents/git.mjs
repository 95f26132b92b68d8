import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The machine's own git settings (signing, hooks, templates) must not decide what the example does. */
export function gitEnvironment() {
  const who = { NAME: 'ship-a-change', EMAIL: 'ship-a-change@example.org' };
  const identity = ['AUTHOR', 'COMMITTER'].flatMap((part) => Object.entries(who).map(([key, value]) => [`GIT_${part}_${key}`, value]));
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
    ...Object.fromEntries(identity),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Runs git in a folder and gives its output; throws with git's own words. */
export function git(folder, ...args) {
  try {
    return execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: gitEnvironment(),
      maxBuffer: 64 * 1024 * 1024,
    }).trim();
  } catch (error) {
    throw new Error(`git ${args[0]}: ${String(error.stderr ?? error.message).trim()}`, { cause: error });
  }
}

/** The commit that a name means, or undefined. */
export function findCommit(folder, name) {
  try {
    return git(folder, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  } catch {
    return undefined;
  }
}

/** A fresh clone in the step's workspace: whatever a killed attempt left there is gone. */
export function checkOut(repo, workspace, ref) {
  const folder = join(workspace, 'checkout');
  rmSync(folder, { recursive: true, force: true });
  git(dirname(folder), 'clone', '--quiet', '--branch', ref, repo, folder);
  return folder;
}

/** Files that the branch adds or changes. */
export function changedFiles(folder, base, branch) {
  return git(folder, 'diff', '--name-only', '--diff-filter=AMR', `${base}...${branch}`).split('\n').filter(Boolean);
}

/** Lines that the branch adds: `[{file, line, text}]`. */
export function addedLines(folder, base, branch) {
  const added = [];
  let file = '';
  let line = 0;
  for (const row of git(folder, 'diff', '--unified=0', '--no-color', `${base}...${branch}`).split('\n')) {
    const hunk = /^@@ -\S+ \+(\d+)/.exec(row);
    if (row.startsWith('+++ ')) file = row.replace(/^\+\+\+ (b\/)?/, '');
    else if (hunk) line = Number(hunk[1]);
    else if (row.startsWith('+')) added.push({ file, line: line++, text: row.slice(1) });
  }
  return added;
}
