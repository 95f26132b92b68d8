import { readEnvironmentFile } from '../../embedded/environment-file';
import { createProjectFolder, environmentStartMs } from '../support/project-folder';
import type { ProjectFolder } from '../support/project-folder';
import { writeHangingWork } from '../support/hanging-work';

jest.setTimeout(120_000);

let project: ProjectFolder;
beforeEach(() => {
  project = createProjectFolder();
});
afterEach(() => project.remove());

test.each(['SIGINT', 'SIGTERM'] as const)(
  'vapora workflow run --local, interrupted by %s in the middle of an agent, leaves nothing',
  async (signal) => {
    const work = writeHangingWork(project);
    const run = project.start('workflow', 'run', 'work.yaml', '--local');
    await work.isAtWork(environmentStartMs);
    run.child.kill(signal);
    expect(await run.exited).toMatchObject({ exitCode: 130 });
    expect(project.listProcesses()).toEqual([]);
    expect(readEnvironmentFile(project.path)).toBeUndefined();
  },
);
