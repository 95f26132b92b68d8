import { pauseRun } from '../../client/control-run';
import type { CliCommand } from '../command';
import { currentUser } from '../current-user';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

export const command: CliCommand = {
  configure(command) {
    addIdOption(command)
      .requiredOption('--reason <text>', 'why')
      .option('--by <name>', 'who pauses (default: your user name)')
      .option('--freeze', 'let the deadlines of gates stand still too');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const freeze = options.flag('freeze');
    const { message, via } = await pauseRun(openClient(context), id, {
      reason: options.required('reason'),
      by: options.text('by') ?? currentUser(),
      ...(freeze && { freeze }),
    });
    if (context.isJson) context.printJson({ schemaVersion: 1, id, requested: 'pause', via });
    else context.print(message);
    return exitCodes.done;
  },
};
