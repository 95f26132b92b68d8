import { dirname, join } from 'node:path';
import type { VaporaClient } from '../../client/connect';
import { verifyAudit } from '../../client/audit';
import { getProfiles } from '../../client/profiles';
import { getTimeline } from '../../client/run-views';
import { startRun, type StartedRun, type StartRunRequest } from '../../client/start-run';
import { isAppError } from '../../core/contract/errors';
import { isTerminalRunStatus } from '../../core/contract/states';
import type { RunStatusView } from '../../core/contract/views';
import type { CliCommand, CommandContext } from '../command';
import { compileFile } from '../compile-file';
import { currentUser } from '../current-user';
import { exitCodeOfEnd, exitCodes, type ExitCode } from '../exit-codes';
import { invalidFile, noteWarnings } from '../invalid-file';
import { collect, parsePositiveNumber } from '../option-parsers';
import { formatDuration } from '../render/duration';
import { renderProfiles } from '../render/profiles';
import { renderStatus } from '../render/status';
import { renderTimeline } from '../render/timeline';
import { parseInputs } from '../run-inputs';
import { packageFolder } from '../version';
import { demonstrateRealWork } from './demo-real-work';
import { guideRun } from './guide-run';
import { openLocalClient } from './local-client';

/** Two hours a second: the feature's 24-hour monitor takes twelve seconds. */
const demoTimeScale = 7200;

/** Shows the product from nothing: an environment of its own, a run of many agents, and then real work. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('[file]', 'a workflow of your own instead of the example')
      .option('--agents <file>', 'its agents')
      .option('--input <name=value>', 'an input of it; name=@file takes it from a file', collect)
      .option('--time-scale <n>', `how much faster than real (default: ${demoTimeScale})`, parsePositiveNumber);
  },
  async run(context) {
    const startedAtMs = Date.now();
    const client = await openLocalClient(context);
    const [file] = context.arguments;
    const example = join(packageFolder(), 'examples', 'feature-auth-mfa', 'workflow.yaml');
    const code = await demonstrateFile(context, client, file ?? example);
    const realWork = file === undefined ? await demonstrateRealWork(context, client) : exitCodes.done;
    context.print(
      `\nThe demo took ${formatDuration(Date.now() - startedAtMs)}. Next: 'npm run dev' ('vapora dev') keeps an environment running; the README shows what to do with it.`,
    );
    return code === exitCodes.done ? realWork : code;
  },
};

/** Runs one file to its end, with its agents, and shows what there is to see of it. */
async function demonstrateFile(context: CommandContext, client: VaporaClient, name: string): Promise<ExitCode> {
  const { io, options, print } = context;
  const file = compileFile(name, { cwd: io.cwd, agentsFile: options.text('agents') });
  if (file.compiled === undefined) throw invalidFile(context, file);
  if (context.arguments.length > 0) noteWarnings(context, file);
  const { plan, planHash } = file.compiled;
  const timeScale = options.number('timeScale') ?? demoTimeScale;
  const inputs = parseInputs(options.list('input'), plan.inputs, io.cwd);
  const run = await startOrJoin(context, client, {
    definition: plan.id,
    planHash,
    title: plan.title,
    input: {
      source: file.file.text,
      format: file.file.format,
      initiator: currentUser(),
      timeScale,
      inputs,
      ...(file.agents && {
        agents: { source: file.agents.file.text, format: file.agents.file.format, folder: dirname(file.agents.file.path) },
      }),
    },
  });
  print(`\n== ${plan.steps.length} steps, ${file.agents?.specs.length ?? 'all registered'} agents: ${name.split('/').slice(-2).join('/')}`);
  print(`Time runs ${timeScale} times as fast: an hour takes ${formatDuration(3_600_000 / timeScale)}.`);
  if (run.webUiUrl !== undefined) print(`Web UI: ${run.webUiUrl}`);
  print('');
  const view = await guideRun(context, client, run.id, { isOurs: !run.joined });
  await printEnd(context, client, view, file.agents?.specs.map(({ id }) => id) ?? []);
  return isTerminalRunStatus(view.status) ? exitCodeOfEnd(view.status) : exitCodes.runFailed;
}

/** A demo that was killed leaves its run in the data, and somebody may run the same thing here: then we watch that one. */
async function startOrJoin(
  { note }: CommandContext,
  client: VaporaClient,
  request: StartRunRequest,
): Promise<Pick<StartedRun, 'id' | 'webUiUrl'> & { joined: boolean }> {
  try {
    return { ...(await startRun(client, request)), joined: false };
  } catch (error) {
    if (!isAppError(error) || error.code !== 'already_running') throw error;
    note(`a run of that id (${request.definition}) is going on here already: showing it`);
    return { id: request.definition, joined: true };
  }
}

async function printEnd(context: CommandContext, client: VaporaClient, view: RunStatusView, agentIds: string[]): Promise<void> {
  const { print, render } = context;
  const nowMs = Date.now();
  print(`\n${renderStatus(view, { ...render, nowMs })}`);
  const timeline = await getTimeline(client, view.id);
  print(`\n== When each step ran, and its estimate\n${renderTimeline(timeline.view, { timeScale: view.timeScale, nowMs }, render)}`);
  print(`\n== What the history now says of the agents\n${renderProfiles(await getProfiles(client, agentIds), render)}`);
  const audit = await verifyAudit(client, view.id);
  print(`\nAudit trail: ${audit.checked} lines, ${audit.ok ? 'the chain of hashes is whole' : 'BROKEN'}`);
}
