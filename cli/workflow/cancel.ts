import { cancelRun } from '../../client/control-run';
import type { CliCommand } from '../command';
import { currentUser } from '../current-user';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

export const command: CliCommand = {
  configure(command) {
    addIdOption(command)
      .requiredOption('--reason <text>', 'why')
      .option('--by <name>', 'who cancels (default: your user name)')
      .option('--no-rollback', 'keep what was done instead of undoing it');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const noRollback = options.choice('rollback') === false;
    const message = { reason: options.required('reason'), by: options.text('by') ?? currentUser(), ...(noRollback && { noRollback }) };
    await cancelRun(openClient(context), id, message);
    if (context.isJson) context.printJson({ schemaVersion: 1, id, requested: 'cancel', noRollback });
    else context.print(`asked ${id} to stop${noRollback ? ', keeping what was done' : ' and to undo what it did'}`);
    return exitCodes.done;
  },
};
