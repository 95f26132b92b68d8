import { connectVapora, type VaporaClient } from '../client/connect';
import type { CommandContext } from './command';

/** The client for the environment that options, variables or `.vapora/dev.json` name; closed when the command ends. */
export function openClient(context: CommandContext): VaporaClient {
  const { options, io } = context;
  const client = connectVapora({
    temporalAddress: options.text('address'),
    namespace: options.text('namespace'),
    databaseUrl: options.text('databaseUrl'),
    taskQueue: options.text('taskQueue'),
    variables: io.variables,
    cwd: io.cwd,
  });
  context.defer(() => client.close());
  return client;
}
