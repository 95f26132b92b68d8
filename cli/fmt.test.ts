import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliResult, entryOf, runInProcess } from '../test/support/cli-in-process';
import { command } from './fmt';

const messy = `Steps:   {a: {agent: 'developer'}} # one\nWorkflow: w\n`;
const neat = `Workflow: w\nSteps: {a: {agent: developer}} # one\n`;
const invalid = 'Steps: {a: {agent: developer, depends_on: b}}\nWorkflow: w\n';

let folder: string;
const file = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(file(name), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vapora-fmt-'));
  writeFileSync(file('messy.yaml'), messy);
  writeFileSync(file('neat.yaml'), neat);
});
afterEach(() => rmSync(folder, { recursive: true }));

function fmt(argv: string[], stdin?: string): Promise<CliResult> {
  return runInProcess(['fmt', ...argv], [entryOf('fmt', command)], { cwd: folder, ...(stdin === undefined ? {} : { stdin }) });
}

test('rewrites what is not in the layout, and leaves the rest alone', async () => {
  const before = statSync(file('neat.yaml')).mtimeMs;
  expect(await fmt(['messy.yaml', 'neat.yaml'])).toEqual({
    exitCode: 0,
    stdout: 'messy.yaml: formatted\nneat.yaml: unchanged\n',
    stderr: '',
  });
  expect(read('messy.yaml')).toBe(neat);
  expect(statSync(file('neat.yaml')).mtimeMs).toBe(before);
  expect(readdirSync(folder).sort()).toEqual(['messy.yaml', 'neat.yaml']);
});

test('a folder', async () => {
  expect((await fmt(['.'])).stdout).toBe('messy.yaml: formatted\nneat.yaml: unchanged\n');
});

test('a file with errors stays as it is, and the others are formatted', async () => {
  writeFileSync(file('bad.yaml'), invalid);
  const result = await fmt(['bad.yaml', 'messy.yaml']);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain('bad.yaml:1:43: error: ');
  expect(result.stderr).toContain('bad.yaml: left as it is: it has errors');
  expect(read('bad.yaml')).toBe(invalid);
  expect(read('messy.yaml')).toBe(neat);
});

test('a link stays a link, and the permissions stay', async () => {
  symlinkSync('messy.yaml', file('link.yaml'));
  chmodSync(file('messy.yaml'), 0o640);
  expect((await fmt(['link.yaml'])).exitCode).toBe(0);
  expect(lstatSync(file('link.yaml')).isSymbolicLink()).toBe(true);
  expect(read('messy.yaml')).toBe(neat);
  expect(statSync(file('messy.yaml')).mode & 0o777).toBe(0o640);
});

test.each([
  ['--check', 2, 'messy.yaml: not in the canonical layout; mend it with: vapora fmt\n'],
  ['--stdout', 0, neat],
  ['--diff', 0, expect.stringContaining(`-Steps:   {a: {agent: 'developer'}} # one\n Workflow: w\n+Steps: {a: {agent: developer}} # one`)],
])('%s changes nothing', async (option, exitCode, stdout) => {
  expect(await fmt(['messy.yaml', option])).toEqual({ exitCode, stdout, stderr: '' });
  expect(read('messy.yaml')).toBe(messy);
});

test('--check and --diff together: what would change, and that it would', async () => {
  const result = await fmt(['messy.yaml', '--check', '--diff']);
  expect(result.exitCode).toBe(2);
  expect(result.stdout).toContain('+++ messy.yaml');
  expect(await fmt(['neat.yaml', '--check', '--diff'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

test('standard input goes to standard output', async () => {
  expect(await fmt(['-'], messy)).toEqual({ exitCode: 0, stdout: neat, stderr: '' });
  expect(await fmt(['-', '--format', 'toml'], "Workflow='w'\nSteps.a.agent='developer'")).toMatchObject({
    stdout: 'Workflow = "w"\nSteps.a.agent = "developer"\n',
  });
  expect(await fmt(['-', 'neat.yaml'], messy)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('formatted alone') });
});

test('--json tells what happened to each', async () => {
  writeFileSync(file('bad.yaml'), invalid);
  const { stdout } = await fmt(['.', '--json', '--check']);
  const { files } = JSON.parse(stdout) as {
    files: { file: string; outcome: string; diff: string | null; diagnostics: { code: string }[] }[];
  };
  expect(
    files.map(({ file: name, outcome, diff, diagnostics }) => [name, outcome, diff === null, diagnostics.map(({ code }) => code)]),
  ).toEqual([
    ['bad.yaml', 'invalid', true, ['unknown_step']],
    ['messy.yaml', 'changed', false, []],
    ['neat.yaml', 'unchanged', true, []],
  ]);
});
