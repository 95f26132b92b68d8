import { getStatus } from '../../client/run-views';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';
import { noteSource } from '../note-source';
import { renderStatus } from '../render/status';

export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  async run(context) {
    const answer = await getStatus(openClient(context), context.options.required('id'));
    noteSource(context, answer.from);
    if (context.isJson) context.printJson(answer.view);
    else context.print(renderStatus(answer.view, context.render));
    return exitCodes.done;
  },
};
