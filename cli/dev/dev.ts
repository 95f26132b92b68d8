import type { CliCommand, CommandContext } from '../command';
import { exitCodes } from '../exit-codes';
import { tableLines } from '../render/style';
import { startLocalServices, type LocalServices } from './local-services';

/** Runs an environment in this folder until Ctrl-C. */
export const command: CliCommand = {
  configure(command) {
    command
      .option('--task-queue <name>', 'the queue the worker polls')
      .option('--strict', 'runs take signed requests only (also: VAPORA_STRICT=1)');
  },
  async run(context) {
    const services = await startLocalServices(context);
    context.defer(() => services.stop());
    announce(context, services);
    await Promise.race([services.ended, untilAborted(context.io.signal)]);
    if (context.io.signal.aborted) context.note('stopping (Ctrl-C again forces)');
    await services.stop();
    // Ctrl-C is how it is meant to end.
    return exitCodes.done;
  },
};

function announce(context: CommandContext, { environment }: LocalServices): void {
  const { temporalAddress, temporalNamespace, uiUrl, databaseUrl, dataDir, versions } = environment;
  if (context.isJson) {
    context.printJson({
      schemaVersion: 1,
      temporalAddress,
      temporalNamespace,
      webUiUrl: uiUrl,
      databaseUrl: withoutPassword(databaseUrl),
      dataDir,
      versions,
    });
    return;
  }
  const rows = [
    ['Web UI', uiUrl],
    ['Temporal', `${temporalAddress} (namespace ${temporalNamespace})`],
    ['Postgres', withoutPassword(databaseUrl)],
    ['Data', dataDir],
  ];
  context.print(['vapora is running:', ...tableLines(rows).map((line) => `  ${line}`)].join('\n'));
  context.print(
    [
      'In another terminal of this folder:',
      '  vapora workflow run FILE.yaml      run a workflow and watch it',
      '  vapora workflow list               all runs',
      '  vapora gates                       what waits for you',
      '  vapora temporal ARGS               the temporal CLI, pointed here',
      'Ctrl-C stops everything; the data stays.',
    ].join('\n'),
  );
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = '';
  return url.href;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
