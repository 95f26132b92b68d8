import { dirname } from 'node:path';
import type { Command } from 'commander';
import { signStart } from '../../client/signing';
import { startRun, type StartedRun } from '../../client/start-run';
import type { VaporaClient } from '../../client/connect';
import { AppError } from '../../core/contract/errors';
import { definitionIdPattern } from '../../core/contract/ids';
import type { StartInput } from '../../core/contract/start-input';
import type { CliCommand, CommandContext } from '../command';
import { compileFile, type CompiledFile } from '../compile-file';
import { exitCodes, type ExitCode } from '../exit-codes';
import { awaitRun, watchRun } from '../follow-run';
import { invalidFile, noteWarnings } from '../invalid-file';
import { openClient } from '../open-client';
import { addConnectionOptions, collect, parsePositiveNumber } from '../option-parsers';
import { shellQuote } from '../render/commands';
import { renderPlanSummary } from '../render/plan';
import { parseInputs } from '../run-inputs';
import { addKeyOption, isStrict, namedKey, requireKey, whoAsks } from '../sign-requests';

/** Compiles a file and starts a run of it; watches on a terminal, waits otherwise. */
export const command: CliCommand = {
  configure(command) {
    addStartOptions(command);
    command
      .option('--wait', 'wait until it has ended (exit 3 as soon as only a person can move it)')
      .option('--watch', 'show it until it has ended')
      .option('--detach', 'start it and return')
      .option('--dry-run', 'show what would run, start nothing')
      .option('--local', 'with an embedded Postgres, Temporal and worker of its own, for this command only');
    addConnectionOptions(command);
  },
  async run(context) {
    refuseContradictions(context);
    const { options, io } = context;
    const file = compileFile(context.arguments[0] ?? '', {
      cwd: io.cwd,
      format: options.text('format'),
      agentsFile: options.text('agents'),
    });
    if (file.compiled === undefined) throw invalidFile(context, file);
    noteWarnings(context, file);
    const { plan, planHash } = file.compiled;
    const unsigned = startInputOf(context, file, parseInputs(options.list('input'), plan.inputs, io.cwd));
    if (options.flag('dryRun')) {
      if (context.isJson)
        context.printJson({ schemaVersion: 1, hash: planHash, plan, input: { ...unsigned, source: undefined, agents: undefined } });
      else context.print(renderPlanSummary({ plan, planHash, agents: file.agents?.specs }, context.render));
      return exitCodes.done;
    }
    const client = options.flag('local') ? await (await import('../dev/local-client.js')).openLocalClient(context) : openClient(context);
    const id = idOf(context, plan.id);
    const input = await signInput(context, { definition: plan.id, id, input: unsigned });
    const run = await startRun(client, { definition: plan.id, id, input, planHash, title: plan.title });
    return follow(context, client, run);
  },
};

function addStartOptions(command: Command): void {
  command
    .argument('<file>', 'workflow file (.yaml, .yml, .toml)')
    .option('--id <id>', "the run's id (default: the definition's)")
    .option('--input <name=value>', 'an input; name=@file takes it from a file (may be given several times)', collect)
    .option('--agents <file>', 'the agents of this run (default: the agents.yaml beside the file, else all registered ones)')
    .option('--format <format>', 'yaml or toml, where the name does not say')
    .option('--time-scale <n>', 'run timers and simulated agents n times as fast: 3600 makes an hour a second', parsePositiveNumber)
    .option('--auto-approve', 'answer every gate yes as soon as it opens')
    .option('--seed <text>', 'seed of simulated agents')
    .option('--initiator <name>', "who starts it (default: the key's person, else your user name)")
    .option('--strict', 'whoever starts it, votes or changes it has to sign (also: VAPORA_STRICT=1)')
    .option('--task-queue <name>', 'the queue its workers poll');
  addKeyOption(command);
}

function refuseContradictions({ options }: CommandContext): void {
  const modes = ['wait', 'watch', 'detach'].filter((mode) => options.flag(mode));
  if (modes.length > 1) throw new AppError('bad_usage', `--${modes[0]} and --${modes[1]} exclude each other`, { hint: 'give one of them' });
  if (options.flag('strict') && options.flag('autoApprove')) {
    throw new AppError('bad_usage', '--strict and --auto-approve exclude each other', {
      hint: 'where votes are signed, no gate answers itself: leave one of them out',
    });
  }
  if (options.flag('local') && options.flag('detach')) {
    throw new AppError('bad_usage', '--local and --detach exclude each other', {
      hint: "the environment ends with the command; start one that stays with 'vapora dev'",
    });
  }
  if (options.flag('local') && (options.text('address') !== undefined || options.text('databaseUrl') !== undefined)) {
    throw new AppError('bad_usage', '--local brings its own services', { hint: 'leave out --address and --database-url, or --local' });
  }
}

function idOf({ options }: CommandContext, definition: string): string {
  const id = options.text('id') ?? definition;
  if (definitionIdPattern.test(id)) return id;
  throw new AppError('bad_usage', `${id} cannot be the id of a run`, {
    hint: 'use letters, digits, . _ -, at most 100, beginning with a letter or digit',
  });
}

/** Signs the start where signatures are asked for, or a key is named. */
async function signInput(
  context: CommandContext,
  { definition, id, input }: { definition: string; id: string; input: StartInput },
): Promise<StartInput> {
  if (input.strict !== true && namedKey(context) === undefined) return input;
  const identity = requireKey(context, input.initiator ?? '');
  return { ...input, token: await signStart(identity, { definition, id, input }) };
}

function startInputOf(context: CommandContext, { file, agents }: CompiledFile, inputs: Record<string, unknown>): StartInput {
  const { options, io } = context;
  const timeScale = options.number('timeScale');
  const seed = options.text('seed');
  if (timeScale !== undefined && (timeScale < 1 || timeScale > 1_000_000)) {
    throw new AppError('bad_usage', `--time-scale ${timeScale} is not possible`, { hint: 'give a number from 1 to 1,000,000' });
  }
  return {
    source: file.text,
    format: file.format,
    initiator: whoAsks(context, 'initiator'),
    ...(Object.keys(inputs).length > 0 && { inputs }),
    ...(timeScale !== undefined && { timeScale }),
    ...(seed !== undefined && { seed }),
    ...(agents !== undefined && { agents: { source: agents.file.text, format: agents.file.format, folder: dirname(agents.file.path) } }),
    ...(options.flag('autoApprove') && { autoApprove: true }),
    ...((options.flag('strict') || isStrict(io.variables)) && { strict: true }),
  };
}

async function follow(context: CommandContext, client: VaporaClient, run: StartedRun): Promise<ExitCode> {
  const { options, io, isJson } = context;
  if (options.flag('detach')) {
    if (isJson) context.printJson({ schemaVersion: 1, ...run });
    else {
      context.print(`started ${run.id} (run ${run.runId})`);
      if (run.webUiUrl !== undefined) context.print(`  Web UI: ${run.webUiUrl}`);
      context.print(`  vapora workflow watch --id ${shellQuote(run.id)}`);
    }
    return exitCodes.done;
  }
  if (!isJson && run.webUiUrl !== undefined) context.note(`Web UI: ${run.webUiUrl}`);
  const watches = options.flag('watch') || (io.stdout.isTTY === true && !isJson && !options.flag('wait'));
  return watches ? watchRun(context, client, run.id) : awaitRun(context, client, run.id, run.runId);
}
