import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliResult, entryOf, runInProcess } from '../test/support/cli-in-process';
import { command } from './graph';

const text = `Workflow: w
title: Ship
Steps:
  plan: {agent: architect}
  code: {agent: developer, depends_on: plan}
  docs: {agent: documenter, depends_on: plan}
  ship: {agent: devops, environment: production, depends_on: [code, docs], compensate: take_back, approval: before}
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vapora-graph-'));
  writeFileSync(join(folder, 'w.yaml'), text);
});
afterEach(() => rmSync(folder, { recursive: true }));

function graph(argv: string[], options: { stdin?: string; variables?: NodeJS.ProcessEnv } = {}): Promise<CliResult> {
  return runInProcess(['graph', ...argv], [entryOf('graph', command)], { cwd: folder, ...options });
}

test('on a terminal that can: rails from each step to those that wait for it', async () => {
  const { stdout, exitCode } = await graph(['w.yaml'], { variables: { LANG: 'C.UTF-8' } });
  expect(stdout).toBe(`Ship

── Planning
● plan  architect
│
│ ── Implementation
├─● code  developer
● │ docs  documenter
│ │
│ │ ── Release
◆─╯ ship  devops
   ◆ approval before the work
   ↩ undone by take_back

● step   ◆ needs an approval
`);
  expect(exitCode).toBe(0);
});

test('elsewhere in ASCII, at most 100 columns', async () => {
  const { stdout } = await graph(['-'], { stdin: `${text}  ${'x'.repeat(100)}: {agent: developer, depends_on: plan}\n` });
  expect(stdout).toContain("A-' ship  devops");
  // eslint-disable-next-line no-control-regex -- ASCII is what is asked for
  expect(stdout).toMatch(/^[\u0000-\u007f]*$/u);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('what no rail shows is told in words', async () => {
  const fan = Array.from({ length: 30 }, (_, index) => `  s${index}: {agent: developer}\n`).join('');
  const wide = `Workflow: w\nSteps:\n${fan}  last: {agent: tester, depends_on: [${Array.from({ length: 30 }, (_, index) => `s${index}`).join(', ')}]}\n`;
  const { stdout } = await graph(['-'], { stdin: wide });
  expect(stdout).toContain('- after s0, s1, s2');
});

test.each([
  ['mermaid', '---\ntitle: "Ship"\n---\nflowchart TB\n'],
  ['dot', 'digraph workflow {\n'],
  ['svg', '<svg xmlns="http://www.w3.org/2000/svg"'],
])('--format %s', async (format, start) => {
  const { stdout, exitCode } = await graph(['w.yaml', '--format', format]);
  expect(stdout.startsWith(start)).toBe(true);
  expect(stdout).toContain('ship');
  expect(exitCode).toBe(0);
  await graph(['w.yaml', '--format', format, '--output', 'drawing']);
  expect(readFileSync(join(folder, 'drawing'), 'utf8')).toBe(stdout);
});

test('--json is what is drawn', async () => {
  const { stdout } = await graph(['w.yaml', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, title: 'Ship', nodes: [{ name: 'plan' }, {}, {}, { name: 'ship' }] });
});

test.each([
  [['bad.yaml'], 'bad.yaml:1:'],
  [['w.yaml', '--format', 'png'], 'Allowed choices are ascii, mermaid, dot, svg'],
  [['w.yaml', '-o', 'none/x.svg'], 'cannot write none/x.svg'],
])('%j is refused', async (argv, message) => {
  writeFileSync(join(folder, 'bad.yaml'), 'Workflow: w\n');
  const result = await graph(argv);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain(message);
});
