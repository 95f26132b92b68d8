// Writes the change and its tests on the branch. Which change is a matter of taste: see ../changes.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pace, runAgent } from './agent.mjs';
import { changedFiles, checkOut, findCommit, git } from './git.mjs';

await runAgent({
  default: async ({ document, repo, workspace, settings: { base, branch, pace_ms: paceMs }, key }) => {
    const variant = document.inputs.variant?.text ?? 'good';
    const changes = join(dirname(repo), 'changes');
    const known = readdirSync(changes);
    if (!known.includes(variant)) throw new Error(`there is no variant "${variant}": take one of ${known.join(', ')}`);
    const folder = checkOut(repo, workspace, branch);
    await pace(document.tasks, paceMs, [
      () => copyChange(join(changes, variant, 'src'), join(folder, 'src')),
      () => copyChange(join(changes, variant, 'test'), join(folder, 'test')),
      () => commit(folder, branch, key),
    ]);
    const files = changedFiles(folder, `origin/${base}`, 'HEAD');
    const stat = git(folder, 'diff', '--shortstat', `origin/${base}...HEAD`);
    const lines = ['# Add truncate()', '', `On \`${branch}\`, ${stat}:`, '', ...files.map((file) => `- ${file}`), ''];
    return {
      summary: `add truncate(): ${stat}`,
      outputs: { 'change_summary.md': lines.join('\n') },
      metrics: { files_changed: files.length },
    };
  },

  discard_change: ({ repo, settings: { base, branch } }) => {
    if (findCommit(repo, branch) === undefined) return { summary: `there is no branch ${branch}` };
    git(repo, 'update-ref', `refs/heads/${branch}`, git(repo, 'merge-base', base, branch));
    return { summary: `the commits on ${branch} are discarded` };
  },
});

function copyChange(from, to) {
  cpSync(from, to, { recursive: true });
  for (const name of readdirSync(from)) {
    const file = join(to, name);
    if (!existsSync(file)) continue;
    // Put together only here: this example itself should pass a secret scan.
    const accessKey = ['AK', 'IA', 'Z7Q4', 'N2WK', 'XJ5T', 'R3MP'].join('');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('@@ACCESS_KEY@@', accessKey));
  }
}

function commit(folder, branch, key) {
  git(folder, 'add', '--all');
  // A killed attempt may have pushed already: then there is nothing left to commit.
  if (git(folder, 'status', '--porcelain') === '') return;
  git(folder, 'commit', '--quiet', `--message=Add truncate()\n\nShip-Key: ${key}`);
  git(folder, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
}
