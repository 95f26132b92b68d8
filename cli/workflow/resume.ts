import { resumeRun } from '../../client/control-run';
import type { CliCommand } from '../command';
import { currentUser } from '../current-user';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

export const command: CliCommand = {
  configure(command) {
    addIdOption(command).option('--reason <text>', 'why').option('--by <name>', 'who resumes (default: your user name)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const reason = options.text('reason');
    const { message, via } = await resumeRun(openClient(context), id, {
      by: options.text('by') ?? currentUser(),
      ...(reason !== undefined && { reason }),
    });
    if (context.isJson) context.printJson({ schemaVersion: 1, id, requested: 'resume', via });
    else context.print(message);
    return exitCodes.done;
  },
};
