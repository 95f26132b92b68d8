import { setTimeout as delay } from 'node:timers/promises';
import { openAgentLogs, type AgentLogLine, type AgentLogReader } from '../../client/agent-logs';
import type { VaporaClient } from '../../client/connect';
import { getStatus, peekStatus } from '../../client/run-views';
import { AppError } from '../../core/contract/errors';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes, type ExitCode } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption, parseCount } from '../option-parsers';
import { renderAgentLog } from '../render/agent-log';
import { shellQuote } from '../render/commands';

const lookEveryMs = 400;

/** What the agents of a run printed, as the worker on this machine keeps it. */
export const command: CliCommand = {
  configure(command) {
    addIdOption(command)
      .option('--step <step>', 'only of this step')
      .option('--tail <n>', 'at most the last n lines', parseCount, 1_000)
      .option('--follow', 'go on with what is printed from now, until the run has ended')
      .option('--data-dir <folder>', "the worker's data folder (default: that of the environment here)");
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const client = openClient(context);
    const step = options.text('step');
    const reader = await openAgentLogs(client, id, { step, dataDir: options.text('dataDir') });
    const lines = await reader.read(options.number('tail'));
    if (options.flag('follow')) return follow(context, client, { id, reader, lines });
    if (context.isJson) context.printJson({ schemaVersion: 1, id, lines });
    else if (lines.length > 0) context.print(renderAgentLog(lines, context.render));
    else await sayWhyEmpty(context, client, { id, step, folder: reader.folder });
    return exitCodes.done;
  },
};

/** With `--json` one JSON object for each line. */
async function follow(
  { io, isJson, print, render }: CommandContext,
  client: VaporaClient,
  { id, reader, lines }: { id: string; reader: AgentLogReader; lines: AgentLogLine[] },
): Promise<ExitCode> {
  const show = (shown: AgentLogLine[]): void => {
    if (shown.length > 0) print(isJson ? shown.map((line) => JSON.stringify(line)).join('\n') : renderAgentLog(shown, render));
  };
  show(lines);
  while (!io.signal.aborted) {
    // Asked before the look: what is printed until the end is shown.
    const hasEnded = (await peekStatus(client, id))?.isClosed !== false;
    show(await reader.read());
    if (hasEnded) return exitCodes.done;
    await delay(lookEveryMs, undefined, { signal: io.signal }).catch(() => undefined);
  }
  return exitCodes.interrupted;
}

async function sayWhyEmpty(
  { note }: CommandContext,
  client: VaporaClient,
  { id, step, folder }: { id: string; step: string | undefined; folder: string },
): Promise<void> {
  if (step !== undefined && !(await getStatus(client, id)).view.steps.some((known) => known.id === step)) {
    throw new AppError('not_found', `${id} has no step ${step}`, {
      hint: `'vapora workflow status --id ${shellQuote(id)}' shows its steps`,
    });
  }
  note(`no agent of ${step === undefined ? id : `${id}, ${step}`} has printed anything in ${folder}`);
  note('only agents of kind command do; the worker that ran them keeps it below its --data-dir, which may be on another machine');
}
