import { listDefinitions } from '../../client/definitions';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { formatTime } from '../render/duration';
import { tableLines } from '../render/style';

export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(command);
  },
  async run(context) {
    const definitions = await listDefinitions(openClient(context));
    if (context.isJson) context.printJson({ schemaVersion: 1, definitions });
    else if (definitions.length === 0) context.print('Nothing is published. Publish a file: vapora publish FILE');
    else {
      const rows = definitions.map(({ id, version, planHash, publishedAt }) => [
        id,
        String(version),
        planHash.slice(0, 12),
        formatTime(publishedAt.toISOString()),
      ]);
      context.print(tableLines([['ID', 'VERSION', 'PLAN', 'PUBLISHED'], ...rows]).join('\n'));
    }
    return exitCodes.done;
  },
};
