import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CliResult, entryOf, runInProcess } from '../test/support/cli-in-process';
import { command as plan } from './plan';
import { command as validate } from './validate';

const valid = 'Workflow: w\nSteps: {a: {agent: developer}}\n';
const invalid = 'Workflow: w\nSteps: {a: {agent: developer, depends_on: [b, c]}}\n';
const warned = 'Workflow: w\nSteps: {a: {agent: developer, input: x}}\n';
const agents = 'agents: [{id: d, role: developer, executor: {kind: simulate}}]\n';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'vapora-validate-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function run(argv: string[], stdin?: string): Promise<CliResult> {
  const table = [entryOf('validate', validate), entryOf('plan', plan)];
  return runInProcess(argv, table, { cwd: folder, ...(stdin === undefined ? {} : { stdin }) });
}

test.each([
  ['a file that compiles', 'w.yaml', [], 0, 'w.yaml: ok: 1 step, 0 errors, 0 warnings'],
  ['errors', 'bad.yaml', [], 2, 'bad.yaml: invalid: 2 errors, 0 warnings'],
  ['warnings', 'warned.yaml', [], 0, 'warned.yaml: ok: 1 step, 0 errors, 1 warning'],
  ['warnings under --strict', 'warned.yaml', ['--strict'], 2, 'warned.yaml: invalid: 1 error, 0 warnings'],
  ['an agents file', 'team/agents.yaml', [], 0, 'team/agents.yaml: ok: agents, 0 errors, 0 warnings'],
])('%s', async (_, file, options, exitCode, summary) => {
  write({ 'w.yaml': valid, 'bad.yaml': invalid, 'warned.yaml': warned, 'team/agents.yaml': agents });
  const result = await run(['validate', file, ...options]);
  expect(result).toMatchObject({ exitCode, stderr: '' });
  expect(result.stdout.trimEnd().split('\n').at(-1)).toBe(summary);
});

test('every mistake of every file, and an agents file beside several once', async () => {
  write({ 'a.yaml': valid, 'b.yaml': invalid, 'agents.yaml': agents });
  const result = await run(['validate', 'a.yaml', 'b.yaml', '--json']);
  const { files } = JSON.parse(result.stdout) as { files: { file: string; ok: boolean; diagnostics: { code: string; line: number }[] }[] };
  expect(files.map(({ file, ok, diagnostics }) => [file, ok, diagnostics.map(({ code }) => code)])).toEqual([
    ['a.yaml', true, []],
    ['agents.yaml', true, []],
    ['b.yaml', false, ['unknown_step', 'unknown_step']],
  ]);
  expect(result.exitCode).toBe(2);
});

test('a folder: what is ours, also with a mistake; the rest is noted', async () => {
  write({
    'flows/a.yaml': valid,
    'flows/deep/b.toml': 'Workflow = "b"\n[Steps.a]\nagent = "developer"\n',
    'flows/deep/broken.yml': 'Workflow: [\n',
    'flows/deep/agents.yaml': agents,
    'flows/compose.yaml': 'services: {}\n',
    'flows/.hidden/c.yaml': invalid,
    'flows/node_modules/d.yaml': invalid,
    'flows/notes.md': 'no',
  });
  const result = await run(['validate', 'flows']);
  expect(result.stdout.split('\n').filter((line) => /: (?:ok|invalid): /u.test(line))).toEqual([
    'flows/a.yaml: ok: 1 step, 0 errors, 0 warnings',
    'flows/deep/agents.yaml: ok: agents, 0 errors, 0 warnings',
    'flows/deep/b.toml: ok: 1 step, 0 errors, 0 warnings',
    expect.stringMatching(/^flows\/deep\/broken.yml: invalid: \d errors?, 0 warnings$/u),
  ]);
  expect(result.stderr).toBe('flows/compose.yaml: skipped: neither a workflow nor an agents file\n');
  expect(result.exitCode).toBe(2);
});

test.each([
  [['validate', '-'], valid, 0, '<stdin>: ok: 1 step, 0 errors, 0 warnings\n'],
  [
    ['validate', '-', '--format', 'toml'],
    'Workflow = "b"\n[Steps.a]\nagent = "developer"\n',
    0,
    '<stdin>: ok: 1 step, 0 errors, 0 warnings\n',
  ],
  [['validate', '-', '--format', 'toml'], valid, 2, expect.stringContaining('<stdin>:1:9: error:')],
])('standard input: %j', async (argv, stdin, exitCode, stdout) => {
  expect(await run(argv, stdin)).toMatchObject({ exitCode, stdout, stderr: '' });
});

test('plan takes standard input too, and gives the same plan', async () => {
  write({ 'w.yaml': valid });
  const [piped, named] = [await run(['plan', '-'], valid), await run(['plan', 'w.yaml'])];
  expect(piped.stdout).toBe(named.stdout);
  expect(JSON.parse(piped.stdout)).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/u), plan: { id: 'w' } });
});

test('--sarif has a result for each diagnostic, in the file that it is in', async () => {
  write({ 'bad.yaml': invalid, 'agents.yaml': 'agents: {a: {role: developer}}\n' });
  const result = await run(['validate', 'bad.yaml', '--sarif']);
  const log = JSON.parse(result.stdout) as { version: string; runs: { results: { ruleId: string; locations: unknown[] }[] }[] };
  expect(log.version).toBe('2.1.0');
  expect(log.runs[0]?.results.map(({ ruleId, locations }) => [ruleId, JSON.stringify(locations).match(/"uri":"([^"]+)"/u)?.[1]])).toEqual([
    ['unknown_step', 'bad.yaml'],
    ['unknown_step', 'bad.yaml'],
    ['missing_key', 'agents.yaml'],
  ]);
  expect(result.exitCode).toBe(2);
});

test.each([
  [['validate', 'none.yaml'], 'cannot read none.yaml: no such file'],
  [['validate', 'w.yaml', '--json', '--sarif'], 'cannot be used with'],
  [['validate', 'w.txt'], 'cannot tell the format of w.txt'],
])('%j is refused', async (argv, message) => {
  write({ 'w.yaml': valid, 'w.txt': valid });
  const result = await run(argv);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain(message);
});
