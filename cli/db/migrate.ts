import type { Environment } from '../../client/environment';
import { ensureSearchAttributes } from '../../client/search-attributes';
import { isAppError } from '../../core/contract/errors';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { addOwnerOption, findOwner } from '../owner-url';

/** Brings the database to this vapora's schema, gives the application's role its rights, registers search attributes. */
export const command: CliCommand = {
  configure(command) {
    addOwnerOption(command).option('--no-search-attributes', 'leave Temporal alone');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const { migrateDatabase } = await import('../../db/migrate.js');
    const { environment, ownerUrl: adminUrl } = findOwner(context);
    const report = await migrateDatabase({ adminUrl, ...roleOf(environment, adminUrl) });
    const registered = options.choice('searchAttributes') === false ? undefined : await registerIfReachable(context);
    if (context.isJson) context.printJson({ schemaVersion: 1, ...report, searchAttributes: registered ?? null });
    else {
      for (const { version, name } of report.applied) context.print(`applied ${version} ${name}`);
      context.print(`the schema is at version ${report.version}`);
      if (registered !== undefined && registered.length > 0) context.print(`registered search attributes: ${registered.join(', ')}`);
    }
    if (report.appRoleIsOwner) {
      context.note(
        'warning: DATABASE_URL connects as the owner of the tables, who can change the audit trail: give the application a role of its own',
      );
    }
    return exitCodes.done;
  },
};

/** The role that DATABASE_URL uses. Its password is set only where it is not the owner itself. */
function roleOf({ databaseUrl }: Environment, adminUrl: string): { appRole?: string; appPassword?: string } {
  const app = new URL(databaseUrl);
  const owner = new URL(adminUrl);
  if (app.username === '') return {};
  const appRole = decodeURIComponent(app.username);
  return app.username === owner.username || app.password === '' ? { appRole } : { appRole, appPassword: decodeURIComponent(app.password) };
}

/** Workers register them too: a Temporal that is not up yet must not fail the migration. */
async function registerIfReachable(context: CommandContext): Promise<string[] | undefined> {
  const client = openClient(context);
  try {
    const { connection } = await client.temporal();
    return await ensureSearchAttributes(connection, client.environment.namespace);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'unavailable') throw error;
    context.note(`search attributes not registered: ${error.message}; a worker registers them when it starts`);
    return undefined;
  }
}
