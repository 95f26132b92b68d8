// Makes, merges and tags, and takes each of them back. Everything it makes is signed with the key of the step: asked again it
// finds its own work; asked to undo, it touches nobody else's.
import { runAgent } from './agent.mjs';
import { checkOut, findCommit, git } from './git.mjs';

await runAgent({
  create_branch: ({ repo, settings: { base, branch }, key }) => {
    if (findCommit(repo, branch) === undefined) git(repo, 'branch', branch, base);
    else if (ownerOf(repo, branch) !== undefined && ownerOf(repo, branch) !== key)
      throw new Error(`the branch ${branch} belongs to another run`);
    else if (git(repo, 'rev-parse', branch) !== git(repo, 'rev-parse', base) && ownerOf(repo, branch) === undefined) {
      throw new Error(`there is a branch ${branch} already, with work on it`);
    }
    git(repo, 'config', ownerKey(branch), key);
    return { summary: `branch ${branch} at ${shortHash(repo, branch)}` };
  },

  delete_branch: ({ repo, settings: { branch }, key }) => {
    if (findCommit(repo, branch) === undefined) return { summary: `there is no branch ${branch}` };
    if (ownerOf(repo, branch) !== key) return { summary: `the branch ${branch} is not ours and stays` };
    git(repo, 'branch', '--quiet', '--delete', '--force', branch);
    return { summary: `branch ${branch} deleted` };
  },

  tag_candidate: ({ repo, settings, key }) => tag(repo, settings.candidate_tag, settings.branch, key),
  delete_candidate_tag: ({ repo, settings, key }) => deleteTag(repo, settings.candidate_tag, key),
  tag_release: ({ repo, settings, key }) => tag(repo, settings.release_tag, settings.base, key),
  delete_release_tag: ({ repo, settings, key }) => deleteTag(repo, settings.release_tag, key),

  merge_to_base: ({ repo, workspace, settings: { base, branch }, key }) => {
    const done = findSigned(repo, base, key);
    if (done !== undefined) return { summary: `${branch} is merged already, as ${done.slice(0, 9)}` };
    const folder = checkOut(repo, workspace, base);
    git(folder, 'merge', '--quiet', '--no-ff', `--message=Merge ${branch}\n\nShip-Key: ${key}`, `origin/${branch}`);
    git(folder, 'push', '--quiet', 'origin', `HEAD:${base}`);
    return { summary: `${branch} merged into ${base} as ${shortHash(repo, base)}` };
  },

  revert_merge: ({ repo, workspace, settings: { base }, key }) => {
    const merge = findSigned(repo, base, key);
    if (merge === undefined) return { summary: `nothing of ours is merged into ${base}` };
    const folder = checkOut(repo, workspace, base);
    // Nobody has built on it: as if it had never been. Somebody has: a revert on top.
    if (merge === git(folder, 'rev-parse', 'HEAD')) {
      git(folder, 'push', '--quiet', `--force-with-lease=${base}:${merge}`, 'origin', `${merge}^1:${base}`);
      return { summary: `${base} is back at ${shortHash(repo, base)}` };
    }
    if (git(folder, 'log', '--format=%H', `--grep=This reverts commit ${merge}`, '--max-count=1') !== '') {
      return { summary: `the merge ${merge.slice(0, 9)} is reverted already` };
    }
    git(folder, 'revert', '--no-edit', '--mainline=1', merge);
    git(folder, 'push', '--quiet', 'origin', `HEAD:${base}`);
    return { summary: `the merge ${merge.slice(0, 9)} is reverted on ${base}` };
  },
});

function tag(repo, name, ref, key) {
  const commit = git(repo, 'rev-parse', `${ref}^{commit}`);
  const existing = findCommit(repo, `refs/tags/${name}`);
  if (existing !== undefined && !isOurTag(repo, name, key)) throw new Error(`there is a tag ${name} already`);
  // A rework moves the candidate: the tag follows the branch.
  if (existing !== commit) git(repo, 'tag', '--annotate', '--force', name, commit, `--message=${name}\n\nShip-Key: ${key}`);
  return { summary: `${name} is ${commit.slice(0, 9)}`, outputs: { tag: name } };
}

function deleteTag(repo, name, key) {
  if (findCommit(repo, `refs/tags/${name}`) === undefined) return { summary: `there is no tag ${name}` };
  if (!isOurTag(repo, name, key)) return { summary: `the tag ${name} is not ours and stays` };
  git(repo, 'tag', '--delete', name);
  return { summary: `tag ${name} deleted` };
}

/** The same run and step; a later generation may replace and remove what an earlier one made. */
function isOurTag(repo, name, key) {
  const stem = key.replace(/#[^#]*$/, '#');
  return git(repo, 'for-each-ref', '--format=%(contents)', `refs/tags/${name}`).includes(`Ship-Key: ${stem}`);
}

function findSigned(repo, ref, key) {
  return git(repo, 'log', '--format=%H', '--fixed-strings', `--grep=Ship-Key: ${key}`, '--max-count=1', ref) || undefined;
}

function ownerKey(branch) {
  return `branch.${branch}.shipkey`;
}

function ownerOf(repo, branch) {
  try {
    return git(repo, 'config', '--get', ownerKey(branch)) || undefined;
  } catch {
    return undefined;
  }
}

function shortHash(repo, ref) {
  return git(repo, 'rev-parse', '--short=9', ref);
}
