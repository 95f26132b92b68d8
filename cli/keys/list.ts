import { listSigningKeys } from '../../client/signing-keys';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { plainText, tableLines } from '../render/style';

export const command: CliCommand = {
  configure(command) {
    command.option('--by <name>', 'only the keys of this person').option('--all', 'revoked ones too');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const keys = await listSigningKeys(openClient(context), { person: options.text('by'), includeRevoked: options.flag('all') });
    if (context.isJson) context.printJson({ schemaVersion: 1, keys });
    else if (keys.length === 0) context.print("No keys are registered. 'vapora keys create' makes one.");
    else {
      const rows = keys.map(({ id, person, registeredAt, registeredBy, revokedAt }) =>
        [person, id, registeredAt, registeredBy, revokedAt ?? '-'].map(plainText),
      );
      context.print(tableLines([['PERSON', 'KEY', 'REGISTERED', 'BY ROLE', 'REVOKED'], ...rows]).join('\n'));
    }
    return exitCodes.done;
  },
};
