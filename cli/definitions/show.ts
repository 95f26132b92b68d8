import { getDefinition } from '../../client/definitions';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, parseCount } from '../option-parsers';

/** The source of a published definition, as it was written. */
export const command: CliCommand = {
  configure(command) {
    command.argument('<id>', "the definition's id").option('--version <n>', 'which version (default: the newest)', parseCount);
    addConnectionOptions(command);
  },
  async run(context) {
    const definition = await getDefinition(openClient(context), context.arguments[0] ?? '', context.options.number('version'));
    if (context.isJson) context.printJson({ schemaVersion: 1, ...definition });
    else {
      context.note(
        `${definition.id} version ${definition.version}, sha256:${definition.planHash}, published ${definition.publishedAt.toISOString()}`,
      );
      context.print(definition.source.trimEnd());
    }
    return exitCodes.done;
  },
};
