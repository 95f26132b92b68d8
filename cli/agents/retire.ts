import { getAgent, retireAgent } from '../../client/agents';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';

/** Takes an agent out of future assignments. */
export const command: CliCommand = {
  configure(command) {
    command.argument('<id>', "the agent's id");
    addConnectionOptions(command);
  },
  async run(context) {
    const id = context.arguments[0] ?? '';
    const client = openClient(context);
    const isNew = await retireAgent(client, id);
    // Says so where there is no such agent; one that had been retired before is what was asked for.
    const { agent, running } = await getAgent(client, id);
    if (context.isJson) context.printJson({ schemaVersion: 1, id, isNew, retiredAt: agent.retiredAt, running });
    else if (!isNew) context.print(`${id} was retired already`);
    else {
      const rest = running === 0 ? '' : `; it ends the ${running === 1 ? 'step' : `${running} steps`} that it is at`;
      context.print(`${id} gets no more work${rest}. Its history stays; a file that names it brings it back.`);
    }
    return exitCodes.done;
  },
};
