/** Work that is in the middle for as long as a test needs, with children that are easy to leave behind. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isServer } from './project-folder';
import type { ProjectFolder } from './project-folder';
import type { ListedProcess } from './processes';
import { waitFor } from './wait-for';

export interface HangingWork {
  /** How often its agent was called. */
  attempts(): number;
  /** Waits until the servers, the agent and both its children run: proof that a later look would show what is left of them. */
  isAtWork(timeoutMs?: number): Promise<void>;
}

/**
 * Writes work.yaml and agents.yaml: one step whose agent hangs at its first attempt, with a child in its own session and one in
 * another; later attempts end at once.
 */
export function writeHangingWork(project: ProjectFolder): HangingWork {
  const begun = join(project.path, 'begun');
  const script = join(project.path, 'agent.sh');
  writeFileSync(script, `echo $$ >> ${begun}\n[ "$(wc -l < ${begun})" -gt 1 ] && exit 0\nsleep 600 &\nsetsid sleep 601 &\nwait\n`);
  writeFileSync(
    join(project.path, 'work.yaml'),
    'Workflow: work\nSteps:\n  long: { agent: developer }\n  after: { agent: tester, dependencies: [long] }\n',
  );
  writeFileSync(
    join(project.path, 'agents.yaml'),
    `agents:
  - {id: d, role: developer, executor: {kind: command, plain: true, idempotent: true, argv: [sh, ${JSON.stringify(script)}]}}
  - {id: t, role: tester, executor: {kind: simulate, duration: 1ms}}
`,
  );
  const attempts = (): number => (existsSync(begun) ? readFileSync(begun, 'utf8').trim().split('\n').length : 0);
  const isAgent = ({ commandLine }: ListedProcess): boolean => /^sleep 60[01]$/.test(commandLine);
  return {
    attempts,
    async isAtWork(timeoutMs) {
      await waitFor(
        'the agent to be at work',
        async () => {
          const running = project.listProcesses();
          return attempts() === 1 && running.filter(isAgent).length === 2 && running.filter(isServer).length > 3;
        },
        timeoutMs,
      );
    },
  };
}
