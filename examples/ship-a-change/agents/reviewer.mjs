// Reads the diff: is what is new explained, tested, finished, and small enough to be read?
import { runAgent } from './agent.mjs';
import { addedLines, changedFiles } from './git.mjs';

const maxNewLines = 400;

await runAgent({
  default: ({ repo, settings: { base, branch } }) => {
    const lines = addedLines(repo, base, branch);
    const files = changedFiles(repo, base, branch);
    if (lines.length === 0) throw new Error(`there is nothing to review: ${branch} adds nothing to ${base}`);
    const remarks = [
      ...files.filter((file) => isUntested(file, files)).map((file) => `${file}: no test is added or changed with it`),
      ...lines.filter(({ text }) => /\b(?:TODO|FIXME|XXX)\b/.test(text)).map(({ file, line }) => `${file}:${line}: unfinished work`),
      ...lines.filter(isDebugging).map(({ file, line }) => `${file}:${line}: left over from debugging`),
      ...lines
        .filter((entry, n) => isUndocumented(entry, lines[n - 1]))
        .map(({ file, line }) => `${file}:${line}: exported without a word of explanation`),
      ...(lines.length > maxNewLines ? [`${lines.length} new lines are too many for one review: split it`] : []),
    ];
    const verdict = remarks.length === 0 ? 'approved' : 'changes_requested';
    const report = [
      `# Review of ${branch}`,
      '',
      `${lines.length} new lines in ${files.length} files: ${verdict}.`,
      '',
      ...remarks.map((remark) => `- ${remark}`),
      '',
    ];
    return {
      verdict,
      summary: `${verdict}: ${lines.length} new lines in ${files.length} files, ${remarks.length} remarks`,
      ...(remarks.length > 0 && { reasons: remarks }),
      outputs: { 'review.md': report.join('\n') },
      metrics: { comments: remarks.length },
    };
  },
});

function isUntested(file, files) {
  const [, name] = /^src\/(.+)\.m?js$/.exec(file) ?? [];
  return name !== undefined && !files.some((other) => other.startsWith('test/') && other.includes(name));
}

function isDebugging({ file, text }) {
  return file.startsWith('src/') && /\bconsole\.\w+\(|\bdebugger\b/.test(text);
}

function isUndocumented({ file, text }, before) {
  return file.startsWith('src/') && /^export /.test(text) && !/\*\/\s*$/.test(before?.text ?? '');
}
