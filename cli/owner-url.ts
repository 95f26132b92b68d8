import type { Command } from 'commander';
import { resolveEnvironment, type Environment } from '../client/environment';
import type { CommandContext } from './command';

/** `--migrate-url`: what only the owner of the tables may do, the schema and the keys. */
export function addOwnerOption(command: Command): Command {
  return command.option(
    '--migrate-url <url>',
    "Postgres as the tables' owner (default: VAPORA_MIGRATE_URL, else the same as DATABASE_URL)",
  );
}

export function addOwnerOptions(command: Command): Command {
  return addOwnerOption(command).option('--database-url <url>', 'Postgres (default: DATABASE_URL, .vapora/dev.json)');
}

export function ownerUrlOf(context: CommandContext): string {
  return findOwner(context).ownerUrl;
}

/** The environment, and its Postgres as the owner. */
export function findOwner({ options, io }: CommandContext): { environment: Environment; ownerUrl: string } {
  const environment = resolveEnvironment({ databaseUrl: options.text('databaseUrl') }, io.variables, io.cwd);
  return { environment, ownerUrl: options.text('migrateUrl') ?? environment.adminDatabaseUrl ?? environment.databaseUrl };
}
