import { languageSchema, schemaNames, type SchemaName } from '../core/dsl/schema/language-schema';
import { AppError } from '../core/contract/errors';
import type { CliCommand } from './command';
import { exitCodes } from './exit-codes';

/** Prints the JSON Schema of the language, for editors. */
export const command: CliCommand = {
  configure(command) {
    command.argument('[file]', `of which kind of file: ${schemaNames.join(' or ')}`, 'workflow');
  },
  async run({ arguments: [name = 'workflow'], printJson }) {
    if (!isSchemaName(name)) throw new AppError('bad_usage', `there is no schema of ${name}`, { hint: `use ${schemaNames.join(' or ')}` });
    printJson(languageSchema(name));
    return exitCodes.done;
  },
};

function isSchemaName(name: string): name is SchemaName {
  return (schemaNames as readonly string[]).includes(name);
}
