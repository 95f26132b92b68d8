import { getAgent } from '../../client/agents';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { renderAgentState } from '../render/agent-state';

/** What the registry says of one agent, and what it does now. */
export const command: CliCommand = {
  configure(command) {
    command.argument('<id>', "the agent's id");
    addConnectionOptions(command);
  },
  async run(context) {
    const state = await getAgent(openClient(context), context.arguments[0] ?? '');
    if (context.isJson) context.printJson({ schemaVersion: 1, ...state });
    else context.print(renderAgentState(state, context.render));
    return exitCodes.done;
  },
};
