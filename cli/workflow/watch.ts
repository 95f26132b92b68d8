import type { CliCommand } from '../command';
import { watchRun } from '../follow-run';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  run: (context) => watchRun(context, openClient(context), context.options.required('id')),
};
