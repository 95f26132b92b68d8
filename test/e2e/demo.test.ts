import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProjectFolder, environmentStartMs } from '../support/project-folder';
import type { ProjectFolder } from '../support/project-folder';

jest.setTimeout(180_000);

let project: ProjectFolder;
beforeEach(() => {
  project = createProjectFolder();
});
afterEach(() => project.remove());

test('the demo runs the feature, then real work and its rollback, and leaves nothing running', async () => {
  const { exitCode, stdout, stderr } = await project.vapora('demo', '--time-scale', '40000');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  for (const text of [
    '20 steps, 16 agents',
    'Web UI: http://127.0.0.1:',
    'vapora workflow approve --id feature-auth-mfa --gate 12_final_approval --by ana',
    'Status: completed (Phase 5/5: Release)',
    '13_deploy_production',
    'Estimated work',
    'the chain of hashes is whole',
    'ended completed',
    'tags: v1.0.0, v1.1.0, v1.1.0-rc.1',
    'ended rolled_back: step 4a_test failed: tests_passing && coverage > 85%: tests_passing is false',
  ]) {
    expect(stdout).toContain(text);
  }
  // After the rollback the branch and the tags are gone again.
  expect(stdout.slice(stdout.lastIndexOf('The repository now'))).toMatch(/branches: main\n {2}tags: v1\.0\.0\n/);
  expect(project.listProcesses()).toEqual([]);

  // The README goes on in the same folder, with a run by name that may use whoever is registered.
  const dev = project.start('dev');
  await dev.says('Ctrl-C stops everything', environmentStartMs);
  expect(JSON.parse((await project.vapora('agents', 'list', '--json')).stdout)).toMatchObject({
    agents: expect.not.arrayContaining([expect.objectContaining({ id: 'decision-clerk-1' })]),
  });
  dev.child.kill('SIGINT');
  expect(await dev.exited).toMatchObject({ exitCode: 0 });
});

test('a file of the user, interrupted in the middle, is cancelled, and the demo can be run again', async () => {
  writeFileSync(
    join(project.path, 'own.yaml'),
    'Workflow: own\nSteps:\n  a: { agent: developer }\n  b: { agent: tester, dependencies: [a] }\n',
  );
  const agents = (duration: string): void =>
    writeFileSync(
      join(project.path, 'agents.yaml'),
      `agents:\n  - {id: d, role: developer, executor: {kind: simulate, duration: 1s}}\n  - {id: t, role: tester, executor: {kind: simulate, duration: ${duration}}}\n`,
    );
  agents('9000h');
  const first = project.start('demo', 'own.yaml');
  await first.says('b running', environmentStartMs);
  first.child.kill('SIGINT');
  expect(await first.exited).toMatchObject({ exitCode: 130 });
  expect(project.listProcesses()).toEqual([]);

  agents('1h');
  const second = await project.vapora('demo', 'own.yaml');
  expect(second).toMatchObject({ exitCode: 0 });
  expect(second.stdout).toContain('Status: completed');
});
