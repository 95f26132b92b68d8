import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import type { Database } from '../../db/connect';
import { verifyAudit } from '../../db/queries/audit';

/** What one run of the workflow leaves behind when nothing of it was lost and nothing done twice. */
export interface RecordsOfRun {
  steps: number;
  approvals: number;
}

export interface Count {
  what: string;
  expected: number;
  found: number;
}

/** Everything that Postgres knows of `runs` runs that have completed, and nothing else was run on it; `journal` is what their agents wrote. */
export async function countRecords(
  db: Database,
  { runs, each, journal }: { runs: number; each: RecordsOfRun; journal: string },
): Promise<Count[]> {
  const done = readFileSync(journal, 'utf8').trimEnd().split('\n');
  const steps = runs * each.steps;
  const approvals = runs * each.approvals;
  const count = (what: string, expected: number, found: number): Count => ({ what, expected, found });
  const countRows = async (what: string, expected: number, rows: string): Promise<Count> => {
    const answer = await sql<{ n: number }>`select count(*)::int as n from ${sql.raw(rows)}`.execute(db);
    return count(what, expected, answer.rows[0]?.n ?? Number.NaN);
  };
  return [
    await countRows('runs', runs, 'runs'),
    await countRows('runs completed, with an end', runs, `runs where status = 'completed' and progress = 1 and ended_at is not null`),
    await countRows('steps', steps, 'run_steps'),
    await countRows('steps passed, with an end', steps, `run_steps where state = 'passed' and ended_at is not null`),
    await countRows('executions', steps, 'executions'),
    await countRows('steps with exactly one success', steps, `(${onlySuccess}) successes`),
    await countRows('attempts', steps, 'execution_attempts'),
    await countRows('attempts succeeded', steps, `execution_attempts where state = 'succeeded'`),
    count('lines in the journal of the agents', steps, done.length),
    count('different ones', steps, new Set(done).size),
    await countRows('approvals approved', approvals, `approvals where state = 'decided' and decision = 'approved'`),
    await countRows('votes', approvals, 'approval_votes'),
    await countRows('audit: step.passed', steps, auditOf('step.passed')),
    await countRows('audit: run.completed', runs, auditOf('run.completed')),
    count('audit chains that verify', runs, await countSoundChains(db)),
    await countRows('leases still held', 0, 'agent_leases'),
    await countRows('recordings refused', 0, 'recording_refusals'),
  ];
}

const onlySuccess = `select root_run_id, step from executions group by root_run_id, step
  having count(*) = 1 and bool_and(state = 'ended' and outcome = 'success')`;

function auditOf(action: string): string {
  return `audit_events where body::json ->> 'action' = '${action}'`;
}

async function countSoundChains(db: Database): Promise<number> {
  const runs = await db.selectFrom('runs').select('root_run_id').execute();
  let sound = 0;
  for (const { root_run_id } of runs) if ((await verifyAudit(db, root_run_id)).ok) sound += 1;
  return sound;
}
