import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listAgents, retireAgent } from '../../client/agents';
import type { VaporaClient } from '../../client/connect';
import { getTimeline } from '../../client/run-views';
import { startRun } from '../../client/start-run';
import type { TerminalRunStatus } from '../../core/contract/states';
import type { CommandContext } from '../command';
import { currentUser } from '../current-user';
import { exitCodes, type ExitCode } from '../exit-codes';
import { renderTimeline } from '../render/timeline';
import { packageFolder } from '../version';
import { guideRun } from './guide-run';

const run = promisify(execFile);

interface Variant {
  name: string;
  title: string;
  expected: TerminalRunStatus;
}

const variants: Variant[] = [
  { name: 'good', title: 'Real work: git, tests and their coverage, nothing simulated', expected: 'completed' },
  { name: 'broken', title: 'The same with a failing test: blocked, and taken back', expected: 'rolled_back' },
];

/** Takes a change through a git repository in a temporary folder: once to its release, once to its rollback. */
export async function demonstrateRealWork(context: CommandContext, client: VaporaClient): Promise<ExitCode> {
  const example = join(packageFolder(), 'examples', 'ship-a-change');
  const [source, agents] = await Promise.all(['workflow.yaml', 'agents.yaml'].map((name) => readFile(join(example, name), 'utf8')));
  if (source === undefined || agents === undefined) return exitCodes.runFailed;
  await retireNewcomersAtEnd(context, client);
  let worst: ExitCode = exitCodes.done;
  for (const { name, title, expected } of variants) {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'vapora-demo-'));
    context.defer(() => rm(folder, { recursive: true, force: true }));
    const { stdout } = await run(process.execPath, [join(example, 'prepare.mjs'), folder], { cwd: example });
    const repo = stdout.trim();
    context.print(`\n== ${title}\n`);
    const { id } = await startRun(client, {
      definition: 'ship-a-change',
      id: `ship-a-change-${name}-${Date.now().toString(36)}`,
      input: { source, agents: { source: agents }, inputs: { repo, variant: name }, initiator: currentUser() },
    });
    const view = await guideRun(context, client, id, { isOurs: true });
    const timeline = await getTimeline(client, id);
    context.print(`\n${id} ended ${view.status}${view.reason === undefined ? '' : `: ${view.reason}`}`);
    context.print(renderTimeline(timeline.view, { timeScale: 1, nowMs: Date.now() }, context.render));
    context.print(`\nThe repository now:\n${await describeRepository(repo)}`);
    if (view.status !== expected) worst = exitCodes.runFailed;
  }
  return worst;
}

/**
 * These agents work on the demo's repository only. Left in the registry they would be chosen, as the real ones, for any run that
 * brings no agents of its own, and fail it.
 */
async function retireNewcomersAtEnd({ defer }: CommandContext, client: VaporaClient): Promise<void> {
  const before = new Set((await listAgents(client)).map(({ id }) => id));
  defer(async () => {
    for (const { id } of await listAgents(client)) if (!before.has(id)) await retireAgent(client, id);
  });
}

async function describeRepository(repo: string): Promise<string> {
  const git = async (...args: string[]): Promise<string> => (await run('git', ['-C', repo, ...args])).stdout.trim();
  const [log, branches, tags] = await Promise.all([
    git('log', '--oneline', '--graph', 'main'),
    git('branch', '--format=%(refname:short)'),
    git('tag', '--list'),
  ]);
  const indented = log.replaceAll('\n', '\n  ');
  return `  ${indented}\n  branches: ${branches.replaceAll('\n', ', ')}\n  tags: ${tags.replaceAll('\n', ', ')}`;
}
