import type { Database } from '../connect';

/** Of these runs the ones that go on, ended after `endedAfterMs`, or have an attempt of which no end is known. */
export async function findRunsInUse(
  db: Database,
  rootRunIds: readonly string[],
  { endedAfterMs }: { endedAfterMs: number },
): Promise<Set<string>> {
  if (rootRunIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('runs')
    .select('root_run_id')
    .where('root_run_id', 'in', [...rootRunIds])
    .where((where) =>
      where.or([
        where('ended_at', 'is', null),
        where('ended_at', '>', new Date(endedAfterMs)),
        where.exists(
          where
            .selectFrom('executions')
            .select('executions.id')
            .whereRef('executions.root_run_id', '=', 'runs.root_run_id')
            .where('executions.state', '=', 'running'),
        ),
      ]),
    )
    .execute();
  return new Set(rows.map((row) => row.root_run_id));
}
