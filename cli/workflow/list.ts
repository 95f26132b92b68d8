import { InvalidArgumentError } from 'commander';
import { listRuns } from '../../client/list-runs';
import { runStatuses, type RunStatus } from '../../core/contract/states';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, parseCount } from '../option-parsers';
import { renderRunList } from '../render/run-list';

export const command: CliCommand = {
  configure(command) {
    command
      .option('--status <status>', `only runs in this status (${runStatuses.join(', ')})`, parseStatus)
      .option('--definition <id>', 'only runs of this definition')
      .option('--limit <n>', 'at most so many, newest first', parseCount, 50);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const runs = await listRuns(openClient(context), {
      status: options.text('status') as RunStatus | undefined,
      definition: options.text('definition'),
      limit: options.number('limit'),
    });
    if (context.isJson) context.printJson({ schemaVersion: 1, runs });
    else context.print(renderRunList(runs, context.render));
    return exitCodes.done;
  },
};

function parseStatus(text: string): RunStatus {
  const found = runStatuses.find((status) => status === text);
  if (found === undefined) throw new InvalidArgumentError(`Known are ${runStatuses.join(', ')}.`);
  return found;
}
