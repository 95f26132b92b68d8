import { connectVapora, type VaporaClient } from '../../client/connect';
import type { CommandContext } from '../command';
import { startLocalServices } from './local-services';

/**
 * A client of the environment that runs in this folder already, or else of one that lives as long as the command. Variables that
 * point elsewhere do not count: the user asked for a local one.
 */
export async function openLocalClient(context: CommandContext): Promise<VaporaClient> {
  const { io, note, options } = context;
  const { isEnvironmentAlive, readEnvironmentFile } = await import('../../embedded/environment-file.js');
  const found = readEnvironmentFile(io.cwd);
  if (found !== undefined && isEnvironmentAlive(found.environment)) note(`using the environment that runs already (${found.path})`);
  else {
    const services = await startLocalServices(context);
    context.defer(() => services.stop());
  }
  const client = connectVapora({ variables: {}, cwd: io.cwd, taskQueue: options.text('taskQueue') });
  context.defer(() => client.close());
  return client;
}
