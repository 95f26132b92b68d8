// Checks syntax (with node itself) and style of the files that the change touches.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAgent } from './agent.mjs';
import { changedFiles, checkOut } from './git.mjs';

const maxLineLength = 140;
const rules = [
  ['`var` instead of `let` or `const`', /^\s*var\s/],
  ['a tab', /\t/],
  ['white space at the end', /\s+$/],
  ['`==` instead of `===`', /[^=!<>]==[^=]/],
  [`more than ${maxLineLength} characters`, new RegExp(`^.{${maxLineLength + 1},}$`)],
];

await runAgent({
  default: ({ repo, workspace, settings: { base, branch } }) => {
    const folder = checkOut(repo, workspace, branch);
    const files = changedFiles(folder, `origin/${base}`, 'HEAD').filter((file) => /\.m?js$/.test(file));
    const found = files.flatMap((file) => [...syntaxErrors(join(folder, file), file), ...styleErrors(join(folder, file), file)]);
    return {
      verdict: found.length === 0 ? 'approved' : 'changes_requested',
      summary: `${found.length} errors in ${files.length} files`,
      ...(found.length > 0 && { reasons: found }),
      metrics: { lint_errors: found.length },
    };
  },
});

function syntaxErrors(path, file) {
  try {
    execFileSync(process.execPath, ['--check', path], { stdio: 'pipe' });
    return [];
  } catch (error) {
    return [`${file}: ${/\w*Error: .*/.exec(String(error.stderr))?.[0] ?? 'does not parse'}`];
  }
}

function styleErrors(path, file) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((text, n) => rules.filter(([, pattern]) => pattern.test(text)).map(([what]) => `${file}:${n + 1}: ${what}`));
}
