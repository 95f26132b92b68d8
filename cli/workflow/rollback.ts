import { rollbackRun } from '../../client/rollback-run';
import type { CliCommand } from '../command';
import { currentUser } from '../current-user';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

export const command: CliCommand = {
  configure(command) {
    addIdOption(command).requiredOption('--reason <text>', 'why').option('--by <name>', 'who asks for it (default: your user name)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const id = options.required('id');
    const message = { reason: options.required('reason'), by: options.text('by') ?? currentUser() };
    const { runId } = await rollbackRun(openClient(context), id, message, { signal: io.signal });
    if (context.isJson) context.printJson({ schemaVersion: 1, id, runId, requested: 'rollback' });
    else {
      context.print(`asked ${id} to undo what it did (execution ${runId})`);
      context.print(`  vapora workflow watch --id ${id}`);
    }
    return exitCodes.done;
  },
};
