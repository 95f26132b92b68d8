import { type Selectable, sql } from 'kysely';
import type { GateView } from '../../core/contract/views';
import type { Database } from '../connect';
import type { ApprovalsTable } from '../schema';

/** The gates of a run, the newest generation of each, in the order in which they opened. */
export async function loadGates(db: Database, rootRunId: string): Promise<GateView[]> {
  const rows = await db
    .selectFrom('approvals')
    .distinctOn('gate')
    .selectAll()
    .where('root_run_id', '=', rootRunId)
    .orderBy('gate')
    .orderBy('generation', 'desc')
    .execute();
  const votes = await loadVotes(db, [rootRunId]);
  const results = await loadResults(db, rootRunId);
  return rows
    .sort((a, b) => (a.opened_at?.getTime() ?? Infinity) - (b.opened_at?.getTime() ?? Infinity) || (a.gate < b.gate ? -1 : 1))
    .map((row) => {
      const result = row.step === null ? undefined : results.get(row.step);
      return { ...gateView(row, votes), ...(result !== undefined && { result }) };
    });
}

export interface OpenGate {
  /** Workflow id. */
  run: string;
  rootRunId: string;
  definition: string;
  gate: GateView;
  openedAt: string | null;
}

/** Everything that waits for a person, over all runs that have not ended, the longest waiting first. */
export async function listOpenGates(db: Database): Promise<OpenGate[]> {
  const rows = await db
    .selectFrom('approvals')
    .innerJoin('runs', 'runs.root_run_id', 'approvals.root_run_id')
    .selectAll('approvals')
    .select(['runs.workflow_id', 'runs.definition'])
    // In plain: the plan is made without the values, and the index holds open gates only.
    .where('approvals.state', '=', sql.lit('open'))
    .where('runs.ended_at', 'is', null)
    .orderBy('approvals.opened_at')
    .orderBy('approvals.gate')
    .execute();
  const votes = await loadVotes(db, [...new Set(rows.map((row) => row.root_run_id))]);
  return rows.map((row) => ({
    run: row.workflow_id,
    rootRunId: row.root_run_id,
    definition: row.definition,
    gate: gateView(row, votes),
    openedAt: row.opened_at?.toISOString() ?? null,
  }));
}

type Votes = Map<string, GateView['votes']>;

async function loadVotes(db: Database, rootRunIds: readonly string[]): Promise<Votes> {
  const votes: Votes = new Map();
  if (rootRunIds.length === 0) return votes;
  const rows = await db
    .selectFrom('approval_votes')
    .selectAll()
    .where('root_run_id', 'in', [...rootRunIds])
    .orderBy('voted_at')
    .execute();
  for (const row of rows) {
    const key = gateKey(row);
    const vote = {
      by: row.voter,
      decision: row.decision,
      at: row.voted_at.toISOString(),
      ...(row.reason !== null && { reason: row.reason }),
    };
    const list = votes.get(key);
    if (list === undefined) votes.set(key, [vote]);
    else list.push(vote);
  }
  return votes;
}

/** What each step's newest successful execution reports: what the approver should read. */
async function loadResults(db: Database, rootRunId: string): Promise<Map<string, NonNullable<GateView['result']>>> {
  const rows = await db
    .selectFrom('executions')
    .distinctOn('step')
    .select(['step', 'result'])
    .where('root_run_id', '=', rootRunId)
    .where('mode', '=', 'do')
    .where('outcome', '=', 'success')
    .whereRef('path', '=', 'step')
    .where(
      'step',
      'in',
      db
        .selectFrom('approvals')
        .select('step')
        .where('root_run_id', '=', rootRunId)
        .where('step', 'is not', null)
        .$castTo<{ step: string }>(),
    )
    .orderBy('step')
    .orderBy('generation', 'desc')
    .orderBy('slot')
    .execute();
  return new Map(
    rows.flatMap(({ step, result }) => {
      if (result === null) return [];
      const { summary, outputs, metrics } = result;
      return [
        [
          step,
          {
            ...(summary !== undefined && { summary }),
            ...(outputs !== undefined && { outputs }),
            ...(metrics !== undefined && { metrics }),
          },
        ],
      ];
    }),
  );
}

function gateView(row: Selectable<ApprovalsTable>, votes: Votes): GateView {
  return {
    id: row.gate,
    kind: row.kind,
    ...(row.step !== null && { step: row.step }),
    state: row.state,
    decision: row.decision,
    approvers: row.approvers,
    barred: row.barred,
    isOverride: row.is_override,
    quorum: row.quorum,
    votes: votes.get(gateKey(row)) ?? [],
    deadline: row.deadline?.toISOString() ?? null,
    ...(row.prompt !== null && { prompt: row.prompt }),
  };
}

function gateKey({ root_run_id: rootRunId, gate, generation }: { root_run_id: string; gate: string; generation: number }): string {
  return `${rootRunId} ${generation} ${gate}`;
}
