import { resolve } from 'node:path';
import { registerSigningKey } from '../../client/signing-keys';
import { AppError } from '../../core/contract/errors';
import { personName } from '../../core/contract/person-name';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { readText } from '../read-files';
import { addOwnerOptions, ownerUrlOf } from '../owner-url';

/** Registers a public key that somebody has made elsewhere. */
export const command: CliCommand = {
  configure(command) {
    command
      .requiredOption('--by <name>', 'whose key it is: make sure of that')
      .requiredOption('--public <key>', 'the public key as JSON, or @file');
    addOwnerOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const person = personName(options.required('by'));
    if (person === '') throw new AppError('bad_usage', 'a key needs the name of a person', { hint: 'give it with --by NAME' });
    const given = options.required('public');
    const publicKey = parseKey(given.startsWith('@') ? readText(resolve(io.cwd, given.slice(1)), given.slice(1)) : given);
    const { id, isNew } = await registerSigningKey(ownerUrlOf(context), { person, publicKey });
    if (context.isJson) context.printJson({ schemaVersion: 1, id, person, isNew });
    else context.print(isNew ? `registered: ${person} signs with ${id}` : `${person} signs with ${id} already`);
    return exitCodes.done;
  },
};

function parseKey(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('bad_usage', `the public key is no JSON: ${(error as Error).message}`, {
      hint: 'give what vapora keys create prints, in quotes',
      cause: error,
    });
  }
}
