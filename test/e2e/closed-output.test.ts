import { existsSync, openSync, closeSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { environmentStartMs, createProjectFolder } from '../support/project-folder';
import type { ProjectFolder } from '../support/project-folder';

jest.setTimeout(180_000);

/** `vapora … | head`: whoever reads the output may leave at any moment, and that is no failure. */
let project: ProjectFolder;
beforeEach(() => {
  project = createProjectFolder();
  writeFileSync(
    join(project.path, 'flow.yaml'),
    `Workflow: flow\nSteps:\n${[1, 2, 3, 4, 5, 6].map((n) => `  s${n}: { agent: developer, dependencies: [${n === 1 ? '' : `s${n - 1}`}] }\n`).join('')}`,
  );
  writeFileSync(join(project.path, 'agents.yaml'), 'agents: [{ id: d, role: developer, executor: { kind: simulate, duration: 1s } }]\n');
});
afterEach(() => project.remove());

test.each([[['plan', 'flow.yaml']], [['validate', 'flow.yaml', '--json']], [['doctor']], [['--help']]])(
  'vapora %j whose reader has gone ends well and says nothing',
  async (words) => {
    const { child, exited, output } = project.start(...words);
    child.stdout?.destroy();
    expect(await exited).toEqual({ exitCode: 0, signal: null });
    expect(output.stderr).toBe('');
  },
);

test('an error is told all the same', async () => {
  const { child, exited, output } = project.start('validate', 'nowhere.yaml');
  child.stdout?.destroy();
  expect((await exited).exitCode).toBe(2);
  expect(output.stderr).toContain('nowhere.yaml');
});

test('a demo whose reader has gone is put away like an interrupted one', async () => {
  const demo = project.start('demo', 'flow.yaml', '--time-scale', '1');
  await demo.says('s1 passed', environmentStartMs);
  demo.child.stdout?.destroy();
  expect(await demo.exited).toEqual({ exitCode: 0, signal: null });
  expect(demo.output.stderr).not.toMatch(/EPIPE|error/);
  expect(demo.output.stdout).not.toContain('s6 passed');
  expect(project.listProcesses()).toEqual([]);
});

const full = '/dev/full';
(existsSync(full) ? test : test.skip)('output that is lost for another reason is an error', async () => {
  const device = openSync(full, 'w');
  try {
    const bin = join(__dirname, '..', '..', 'bin', 'vapora.js');
    const child = spawn(process.execPath, [bin, 'plan', 'flow.yaml'], { cwd: project.path, stdio: ['ignore', device, 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await once(child, 'close')).toEqual([4, null]);
    expect(stderr).toMatch(/^error: standard output cannot be written: ENOSPC/m);
  } finally {
    closeSync(device);
  }
});
