import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProjectFolder, environmentStartMs, isServer } from '../support/project-folder';
import type { ProjectFolder } from '../support/project-folder';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let project: ProjectFolder;
beforeEach(() => {
  project = createProjectFolder();
});
afterEach(() => project.remove());

test('servers that stand still for a while, both at once, only delay a run', async () => {
  const dev = project.start('dev');
  await dev.says('Ctrl-C stops everything', environmentStartMs);
  const journal = join(project.path, 'journal');
  const steps = Array.from({ length: 12 }, (_, n) => `  s${n}: { agent: developer${n === 0 ? '' : `, dependencies: [s${n - 1}]`} }`);
  writeFileSync(join(project.path, 'chain.yaml'), `Workflow: chain\nSteps:\n${steps.join('\n')}\n`);
  writeFileSync(
    join(project.path, 'agents.yaml'),
    `agents:\n  - {id: d, role: developer, executor: {kind: command, plain: true, argv: [sh, -c, ${JSON.stringify(`echo {{step.id}} >> ${journal}; sleep 0.3`)}]}}\n`,
  );
  expect(await project.vapora('workflow', 'run', 'chain.yaml', '--detach')).toMatchObject({ exitCode: 0 });
  const done = (): string[] => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : []);
  await waitFor('some steps to be done', async () => done().length >= 3);

  const servers = project.listProcesses().filter(isServer);
  const signalServers = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const { pid } of servers) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // A backend may have ended meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  };
  signalServers('SIGSTOP');
  try {
    const asked = project.start('workflow', 'status', '--id', 'chain');
    // A command that has given up is proof of an outage, and takes as long as one should.
    expect((await asked.exited).exitCode).toBe(4);
  } finally {
    signalServers('SIGCONT');
  }

  expect(await project.vapora('workflow', 'result', '--id', 'chain', '--wait')).toMatchObject({ exitCode: 0 });
  expect(done()).toEqual(steps.map((_, n) => `s${n}`));
  expect(await project.vapora('audit', 'verify', '--id', 'chain')).toMatchObject({ exitCode: 0 });
  dev.child.kill('SIGINT');
  expect(await dev.exited).toMatchObject({ exitCode: 0 });
  expect(project.listProcesses()).toEqual([]);
});
