import { createSigningIdentity, publicKeyOf } from '../../client/signing';
import { registerSigningKey } from '../../client/signing-keys';
import { AppError, isAppError } from '../../core/contract/errors';
import type { CliCommand } from '../command';
import { currentUser } from '../current-user';
import { exitCodes } from '../exit-codes';
import { keyFolder, writeKeyFile } from '../key-files';
import { shellQuote } from '../render/commands';
import { addOwnerOptions, ownerUrlOf } from '../owner-url';

/** A private key for this user, and its public half for the registry. */
export const command: CliCommand = {
  configure(command) {
    command
      .option('--by <name>', 'whose key it is (default: your user name)')
      .option('--no-register', 'only make it: somebody else registers it');
    addOwnerOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const identity = await createSigningIdentity(options.text('by') ?? currentUser());
    const { person, id } = identity;
    const publicKey = publicKeyOf(identity);
    const file = writeKeyFile(keyFolder(io), identity);
    const add = `vapora keys add --by ${shellQuote(person)} --public ${shellQuote(JSON.stringify(publicKey))}`;
    context.note(`key ${id} of ${person}: ${file} (only you can read it)`);
    const registers = options.choice('register') !== false;
    if (registers) {
      await registerSigningKey(ownerUrlOf(context), { person, publicKey }).catch((error: unknown) => {
        if (!isAppError(error)) throw error;
        throw new AppError(error.code, `the key was made and is not registered: ${error.message}`, {
          hint: `somebody who may registers it with: ${add}`,
          cause: error,
          details: { id, person, file, publicKey },
        });
      });
    }
    if (context.isJson) context.printJson({ schemaVersion: 1, id, person, file, publicKey, registered: registers });
    else context.print(registers ? `registered: ${person} signs with ${id}` : add);
    return exitCodes.done;
  },
};
