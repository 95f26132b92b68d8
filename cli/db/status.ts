import { resolveEnvironment } from '../../client/environment';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { tableLines } from '../render/style';

/** What is applied and what is not; exit 0 only when the schema is this vapora's. */
export const command: CliCommand = {
  configure(command) {
    command.option('--database-url <url>', 'Postgres (default: DATABASE_URL, .vapora/dev.json)');
  },
  async run(context) {
    const { options, io } = context;
    const { migrationStatus } = await import('../../db/migrate.js');
    const { databaseUrl } = resolveEnvironment({ databaseUrl: options.text('databaseUrl') }, io.variables, io.cwd);
    const status = await migrationStatus(databaseUrl);
    if (context.isJson) context.printJson({ schemaVersion: 1, ...status });
    else {
      const rows = [
        ...status.applied.map(({ version, name, appliedAt }) => [String(version), name, `applied ${appliedAt}`]),
        ...status.pending.map(({ version, name }) => [String(version), name, 'pending']),
        ...status.unknown.map(({ version, name }) => [String(version), name, 'of a newer vapora']),
        ...status.changed.map(({ version, name }) => [String(version), name, 'applied with another text']),
      ];
      context.print([...tableLines(rows), status.upToDate ? 'up to date' : "not up to date: run 'vapora db migrate'"].join('\n'));
    }
    return status.upToDate ? exitCodes.done : exitCodes.unavailable;
  },
};
