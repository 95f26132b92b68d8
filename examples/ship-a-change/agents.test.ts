import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { checkResult } from '../../activities/result-contract';
import type { AgentResult } from '../../core/contract/agent-document';

/** Each agent run by hand, from a document on its standard input: no engine, no server. */

interface WorkflowFile {
  defaults: { with: Record<string, unknown> };
  Steps: Record<string, { agent: string; actions?: string[]; action?: string; tasks?: string[]; output?: string; compensate?: string }>;
}
const workflow = parse(readFileSync(join(__dirname, 'workflow.yaml'), 'utf8')) as WorkflowFile;
const { agents } = parse(readFileSync(join(__dirname, 'agents.yaml'), 'utf8')) as {
  agents: { role: string; executor: { argv: string[] } }[];
};

let folder: string;
let repo: string;
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'vapora-ship-'));
  repo = execFileSync('node', [join(__dirname, 'prepare.mjs'), join(folder, 'work')], { encoding: 'utf8' }).trim();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]): string => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).trim();
const lines = (text: string): string[] => text.split('\n').filter(Boolean);

interface CallOptions {
  mode?: 'do' | 'undo';
  variant?: string;
  inputs?: Record<string, { text: string }>;
  runId?: string;
}

function call(step: string, { mode = 'do', variant = 'good', inputs = {}, runId = 'run-1' }: CallOptions = {}): AgentResult {
  const { agent, actions, action, tasks = [], output, compensate } = workflow.Steps[step]!;
  const workspace = join(folder, 'workspaces', `${step}-${mode}`);
  mkdirSync(workspace, { recursive: true });
  const document = {
    schemaVersion: 1,
    step: { id: step, role: agent },
    attempt: 1,
    idempotencyKey: `${runId}/${step}#1${mode === 'undo' ? '!undo' : ''}`,
    mode,
    ...(mode === 'undo' && { action: compensate }),
    tasks,
    actions: actions ?? (action === undefined ? [] : [action]),
    outputs: output === undefined || mode === 'undo' ? [] : [output],
    inputs: { repo: { text: repo }, variant: { text: variant }, ...inputs },
    with: { ...workflow.defaults.with, pace_ms: 0 },
    workspace,
  };
  const argv = agents.find(({ role }) => role === agent)!.executor.argv.map((part) => part.replace('{{inputs.repo}}', repo));
  const { stdout, stderr, status } = spawnSync(argv[0]!, argv.slice(1), {
    cwd: workspace,
    input: JSON.stringify(document),
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const checked = checkResult(JSON.parse(lines(stdout).at(-1)!));
  if (!checked.ok) throw new Error(checked.problem);
  const { result } = checked;
  if (result.status === 'success') expect(Object.keys(result.outputs ?? {})).toEqual(expect.arrayContaining(document.outputs));
  return result;
}

const prepared = (variant: string): void =>
  ['1_create_branch', '2_implement', '3_tag_candidate'].forEach((step) => void call(step, { variant }));

test('a good change goes all the way, each step twice without a second effect', () => {
  prepared('good');
  prepared('good');
  expect(lines(git('log', '--format=%s', 'change/truncate'))).toEqual(['Add truncate()', 'A library of text tools']);
  const tests = call('4a_test');
  expect(tests.metrics).toMatchObject({ tests_passing: true, tests_failed: 0, coverage: { unit: '%' } });
  expect((tests.metrics?.['coverage'] as { value: number }).value).toBeGreaterThan(95);
  expect(call('4b_secret_scan')).toMatchObject({ verdict: 'approved', metrics: { critical_vulns: 0 } });
  expect(call('4c_lint')).toMatchObject({ verdict: 'approved', metrics: { lint_errors: 0 } });
  const review = call('5_review');
  expect(review).toMatchObject({ verdict: 'approved', metrics: { comments: 0 } });
  const brief = call('6_approve', {
    inputs: {
      change_summary: { text: 'the change' },
      test_report: { text: tests.outputs?.['test_report.md'] as string },
      review: { text: 'the review' },
    },
  });
  expect(brief.outputs?.['decision_brief.md']).toMatch(/^# Merge change\/truncate into main\?\n[^]*\n## Tests of v1\.1\.0-rc\.1\n/);
  for (let n = 1; n <= 2; n += 1) {
    expect(call('7_merge').status).toBe('success');
    expect(call('8_tag_release').status).toBe('success');
  }
  expect(lines(git('log', '--format=%s', '--first-parent', 'main'))).toEqual(['Merge change/truncate', 'A library of text tools']);
  expect(git('rev-parse', 'v1.1.0^{commit}')).toBe(git('rev-parse', 'main'));
  // The working copy follows, and the library works there.
  expect(existsSync(join(repo, 'src/truncate.mjs'))).toBe(true);
  expect(git('status', '--porcelain')).toBe('');
  const journal = lines(readFileSync(join(dirname(repo), 'journal.log'), 'utf8'));
  expect(journal.filter((line) => line === 'run-1/7_merge#1 1')).toHaveLength(2);
});

test('undo, repeated or not, leaves the repository as it was', () => {
  const before = git('for-each-ref', '--format=%(refname) %(objectname)');
  prepared('good');
  call('7_merge');
  call('8_tag_release');
  for (let round = 1; round <= 2; round += 1) {
    for (const step of ['8_tag_release', '7_merge', '3_tag_candidate', '2_implement', '1_create_branch']) {
      expect(call(step, { mode: 'undo' }).status).toBe('success');
    }
    expect(git('for-each-ref', '--format=%(refname) %(objectname)')).toBe(before);
    expect(git('status', '--porcelain')).toBe('');
    expect(existsSync(join(repo, 'src/truncate.mjs'))).toBe(false);
  }
});

test('undo of what was never done changes nothing', () => {
  const before = git('for-each-ref');
  for (const [step, { compensate }] of Object.entries(workflow.Steps)) {
    if (compensate !== undefined) expect(call(step, { mode: 'undo' }).status).toBe('success');
  }
  expect(git('for-each-ref')).toBe(before);
});

test('a merge that others have built on is reverted, not removed', () => {
  prepared('good');
  call('7_merge');
  git('-c', 'user.name=other', '-c', 'user.email=other@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'Work on top');
  call('7_merge', { mode: 'undo' });
  call('7_merge', { mode: 'undo' });
  expect(lines(git('log', '--format=%s', '--first-parent', 'main'))).toEqual([
    expect.stringMatching(/^Revert "Merge change\/truncate"/),
    'Work on top',
    'Merge change/truncate',
    'A library of text tools',
  ]);
  expect(existsSync(join(repo, 'src/truncate.mjs'))).toBe(false);
});

test("another run's branch and tags are not touched", () => {
  prepared('good');
  expect(call('1_create_branch', { runId: 'run-2' })).toMatchObject({
    status: 'failure',
    summary: expect.stringContaining('belongs to another run'),
  });
  expect(call('3_tag_candidate', { runId: 'run-2' })).toMatchObject({ status: 'failure', summary: 'there is a tag v1.1.0-rc.1 already' });
  const before = git('for-each-ref');
  call('3_tag_candidate', { runId: 'run-2', mode: 'undo' });
  call('1_create_branch', { runId: 'run-2', mode: 'undo' });
  expect(git('for-each-ref')).toBe(before);
});

test('a failing test is found, and named', () => {
  prepared('broken');
  expect(call('4a_test')).toMatchObject({
    status: 'success',
    metrics: { tests_passing: false },
    reasons: expect.arrayContaining([expect.stringContaining('a long text is cut at a word')]),
  });
});

test('untested lines show in the coverage', () => {
  prepared('uncovered');
  const { metrics } = call('4a_test');
  expect(metrics).toMatchObject({ tests_passing: true });
  expect((metrics?.['coverage'] as { value: number }).value).toBeLessThan(85);
});

test('a key in the code is found, with its place', () => {
  prepared('leaky');
  expect(call('4b_secret_scan')).toMatchObject({
    verdict: 'blocked',
    metrics: { critical_vulns: 1 },
    reasons: [expect.stringMatching(/^src\/truncate\.mjs:\d+: an AWS access key$/)],
  });
});

test('an unknown variant is refused with the known ones', () => {
  call('1_create_branch');
  expect(call('2_implement', { variant: '../..' })).toMatchObject({
    status: 'failure',
    summary: expect.stringContaining('take one of broken, good, leaky, uncovered'),
  });
});
