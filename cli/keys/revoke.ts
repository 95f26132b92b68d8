import { revokeSigningKey } from '../../client/signing-keys';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { addOwnerOptions, ownerUrlOf } from '../owner-url';

/** From now on nothing that the key signs counts. */
export const command: CliCommand = {
  configure(command) {
    command.requiredOption('--id <key>', "the key's id, as keys list shows it");
    addOwnerOptions(command);
  },
  async run(context) {
    const id = context.options.required('id');
    await revokeSigningKey(ownerUrlOf(context), id);
    if (context.isJson) context.printJson({ schemaVersion: 1, id, revoked: true });
    else context.print(`${id} is revoked: what it signs counts no more, what it has signed stands`);
    return exitCodes.done;
  },
};
