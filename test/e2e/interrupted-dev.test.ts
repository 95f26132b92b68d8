import { createProjectFolder, environmentStartMs } from '../support/project-folder';
import type { ProjectFolder } from '../support/project-folder';
import { writeHangingWork } from '../support/hanging-work';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let project: ProjectFolder;
beforeEach(() => {
  project = createProjectFolder();
});
afterEach(() => project.remove());

test('vapora dev, its run and its agents: Ctrl-C, SIGTERM and kill -9 leave nothing, and the next start goes on where it was', async () => {
  const work = writeHangingWork(project);
  const first = project.start('dev');
  await first.says('Ctrl-C stops everything', environmentStartMs);
  expect(await project.vapora('workflow', 'run', 'work.yaml', '--detach')).toMatchObject({ exitCode: 0 });
  await work.isAtWork(environmentStartMs);

  first.child.kill('SIGKILL');
  await first.exited;
  await waitFor('everything to have ended with it', async () => project.listProcesses().length === 0);

  // The same folder: both servers recover, the lost agent is noticed and tried again.
  const second = project.start('dev');
  await second.says('Ctrl-C stops everything', environmentStartMs);
  expect(await project.vapora('workflow', 'result', '--id', 'work', '--wait', '--json')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('"completed"'),
  });
  expect(work.attempts()).toBe(2);
  expect(await project.vapora('audit', 'verify', '--id', 'work')).toMatchObject({ exitCode: 0 });
  second.child.kill('SIGINT');
  expect(await second.exited).toMatchObject({ exitCode: 0 });
  expect(project.listProcesses()).toEqual([]);

  const third = project.start('dev');
  await third.says('Ctrl-C stops everything', environmentStartMs);
  expect(await project.vapora('workflow', 'status', '--id', 'work')).toMatchObject({ exitCode: 0 });
  third.child.kill('SIGTERM');
  expect(await third.exited).toMatchObject({ exitCode: 0 });
  expect(project.listProcesses()).toEqual([]);
});
