import { resolveEnvironment } from '../../client/environment';
import type { RefusalSummary } from '../../db/queries/refusals';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { shellQuote } from '../render/commands';
import { plainText, tableLines } from '../render/style';

/** What is applied and what is not, and what the database refused to record; exit 0 only when the schema is this vapora's. */
export const command: CliCommand = {
  configure(command) {
    command.option('--database-url <url>', 'Postgres (default: DATABASE_URL, .vapora/dev.json)');
  },
  async run(context) {
    const { options, io } = context;
    const { migrationStatus } = await import('../../db/migrate.js');
    const { databaseUrl } = resolveEnvironment({ databaseUrl: options.text('databaseUrl') }, io.variables, io.cwd);
    const status = await migrationStatus(databaseUrl);
    const refusals = status.upToDate ? await loadRefusals(databaseUrl) : undefined;
    if (context.isJson) context.printJson({ schemaVersion: 1, ...status, ...(refusals && { refusals }) });
    else {
      const rows = [
        ...status.applied.map(({ version, name, appliedAt }) => [String(version), name, `applied ${appliedAt}`]),
        ...status.pending.map(({ version, name }) => [String(version), name, 'pending']),
        ...status.unknown.map(({ version, name }) => [String(version), name, 'of a newer vapora']),
        ...status.changed.map(({ version, name }) => [String(version), name, 'applied with another text']),
      ];
      const summary = status.upToDate ? 'up to date' : "not up to date: run 'vapora db migrate'";
      context.print([...tableLines(rows), summary, ...refusalLines(refusals)].join('\n'));
    }
    return status.upToDate ? exitCodes.done : exitCodes.unavailable;
  },
};

async function loadRefusals(databaseUrl: string): Promise<RefusalSummary> {
  const [{ connectDatabase }, { summarizeRefusals }] = await Promise.all([
    import('../../db/connect.js'),
    import('../../db/queries/refusals.js'),
  ]);
  const db = await connectDatabase(databaseUrl, { max: 1 });
  try {
    return await summarizeRefusals(db);
  } finally {
    await db.destroy();
  }
}

function refusalLines(refusals: RefusalSummary | undefined): string[] {
  if (refusals?.newest == null) return [];
  const { count, newest } = refusals;
  const what = plainText(`${newest.kind} ${newest.object} of ${newest.id}: ${newest.error}`);
  return [
    `refused to record ${count}, the last at ${newest.at.toISOString()}: ${what}`,
    `  vapora audit show --id ${shellQuote(newest.id)}`,
  ];
}
