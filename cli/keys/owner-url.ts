import type { Command } from 'commander';
import { resolveEnvironment } from '../../client/environment';
import type { CommandContext } from '../command';

/** `--migrate-url`: keys are registered as the owner of the tables, who runs `db migrate` too. */
export function addOwnerOptions(command: Command): Command {
  return command
    .option('--migrate-url <url>', "Postgres as the tables' owner (default: VAPORA_MIGRATE_URL, else the same as DATABASE_URL)")
    .option('--database-url <url>', 'Postgres (default: DATABASE_URL, .vapora/dev.json)');
}

export function ownerUrlOf({ options, io }: CommandContext): string {
  const environment = resolveEnvironment({ databaseUrl: options.text('databaseUrl') }, io.variables, io.cwd);
  // Whoever names a database means that one.
  return options.text('migrateUrl') ?? options.text('databaseUrl') ?? environment.adminDatabaseUrl ?? environment.databaseUrl;
}
