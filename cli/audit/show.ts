import { getAudit } from '../../client/audit';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption, parseCount } from '../option-parsers';
import { renderAudit } from '../render/audit';

/** Who did what, when and why. */
export const command: CliCommand = {
  configure(command) {
    addIdOption(command).option('--from <n>', 'from this line on', parseCount).option('--limit <n>', 'at most so many lines', parseCount);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const lines = await getAudit(openClient(context), id, { fromSeq: options.number('from'), limit: options.number('limit') });
    if (context.isJson) {
      const events = lines.map(({ seq, prev, hash, event }) => ({ seq, prev, hash, ...event }));
      context.printJson({ schemaVersion: 1, id, events });
    } else context.print(renderAudit(lines, context.render));
    return exitCodes.done;
  },
};
