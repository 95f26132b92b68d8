import { join } from 'node:path';
import type { VaporaClient } from '../client/connect';
import { ensureSearchAttributes } from '../client/search-attributes';
import type { StartWorkerOptions } from '../workers/start-worker';
import type { CliCommand } from './command';
import { exitCodes } from './exit-codes';
import { openClient } from './open-client';
import { addConnectionOptions } from './option-parsers';
import { isStrict } from './sign-requests';
import { createWorkerLog } from './worker-log';

/** A worker against given services: as many processes and machines of it as there is work. */
export const command: CliCommand = {
  configure(command) {
    command
      .option('--task-queue <name>', 'the queue to poll')
      .option('--data-dir <folder>', 'where workspaces of command agents are made (default: .vapora)')
      .option('--identity <name>', 'how Temporal shows this worker (default: pid@host)')
      .option('--strict', 'the runs that it plans take signed requests only (also: VAPORA_STRICT=1)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const client = openClient(context);
    const { temporalAddress, namespace, databaseUrl, taskQueue } = client.environment;
    // A run on a namespace without them would fail every workflow task.
    const { connection } = await client.temporal();
    const registered = await ensureSearchAttributes(connection, namespace);
    if (registered.length > 0) context.note(`registered search attributes: ${registered.join(', ')}`);
    const { startWorker } = await import('../workers/start-worker.js');
    const identity = options.text('identity');
    const worker = await startWorker({
      temporalAddress,
      connection: nativeConnectionOf(client.environment.connection),
      namespace,
      databaseUrl,
      taskQueue,
      dataDir: options.text('dataDir') ?? join(io.cwd, '.vapora'),
      log: createWorkerLog(context),
      ...(identity !== undefined && { identity }),
      strict: options.flag('strict') || isStrict(io.variables),
    });
    context.note(`worker polls ${taskQueue} on ${temporalAddress} (namespace ${namespace}); Ctrl-C stops it`);
    const onAbort = (): void => void worker.shutdown().catch(() => undefined);
    io.signal.addEventListener('abort', onAbort, { once: true });
    if (io.signal.aborted) onAbort();
    await worker.done;
    return exitCodes.done;
  },
};

/** The worker's connection is another one: it takes an API key as text only. */
function nativeConnectionOf({ tls, apiKey, metadata }: VaporaClient['environment']['connection']): StartWorkerOptions['connection'] {
  return {
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey: typeof apiKey === 'string' ? apiKey : apiKey() }),
    ...(metadata !== undefined && { metadata }),
  };
}
