// Runs the library's tests on the candidate and measures which lines of its sources they ran.
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pace, runAgent } from './agent.mjs';
import { checkOut } from './git.mjs';

const reporter = join(dirname(fileURLToPath(import.meta.url)), 'test-reporter.mjs');

await runAgent({
  default: async ({ document, repo, workspace, settings: { candidate_tag: candidate, pace_ms: paceMs } }) => {
    const folder = realpathSync(checkOut(repo, workspace, candidate));
    let ran;
    await pace(document.actions, paceMs, [async () => void (ran = await runTests(folder, join(workspace, 'tests.json')))]);
    const sources = ran.files.filter(({ path }) => relative(folder, path).startsWith(`src${sep}`));
    const total = sum(sources, 'totalLineCount');
    if (total === 0) throw new Error('no source line was measured: are there tests?');
    const coverage = Math.round((sum(sources, 'coveredLineCount') / total) * 1000) / 10;
    const failed = ran.failed.length;
    const count = ran.passed + failed;
    return {
      summary: `${ran.passed} of ${count} tests passed, ${coverage} % of the lines covered`,
      ...(failed > 0 && { reasons: ran.failed.map(({ name, message }) => `${name}: ${firstLine(message)}`) }),
      outputs: { 'test_report.md': reportOf({ ran, sources, folder, candidate, coverage, count }) },
      metrics: { tests_passing: failed === 0, tests_total: count, tests_failed: failed, coverage: { value: coverage, unit: '%' } },
    };
  },
});

/** The tests decide by what they report: an exit code of 1 says no more than that one failed. */
function runTests(folder, destination) {
  const args = ['--test', '--experimental-test-coverage', `--test-reporter=${reporter}`, `--test-reporter-destination=${destination}`];
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(readFileSync(destination, 'utf8')));
      } catch {
        reject(new Error(`the tests could not be run: ${stderr || error?.message || stdout}`));
      }
    });
  });
}

function reportOf({ ran, sources, folder, candidate, coverage, count }) {
  return [
    `# Tests of ${candidate}`,
    '',
    `${ran.passed} of ${count} passed; line coverage ${coverage} %.`,
    '',
    ...ran.failed.map(({ name, message }) => `- failed: ${name}: ${firstLine(message)}`),
    ...sources.map(
      ({ path, totalLineCount, coveredLineCount }) => `- ${relative(folder, path)}: ${coveredLineCount} of ${totalLineCount} lines`,
    ),
    '',
  ].join('\n');
}

function firstLine(message) {
  return String(message ?? 'no message')
    .replace(/\s+/g, ' ')
    .slice(0, 160);
}

function sum(rows, key) {
  return rows.reduce((total, row) => total + row[key], 0);
}
