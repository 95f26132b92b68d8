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
  const results = await loadResults(db, [rootRunId]);
  return rows
    .sort((a, b) => (a.opened_at?.getTime() ?? Infinity) - (b.opened_at?.getTime() ?? Infinity) || (a.gate < b.gate ? -1 : 1))
    .map((row) => gateView(row, votes, results));
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
  const rootRunIds = [...new Set(rows.map((row) => row.root_run_id))];
  const [votes, results] = await Promise.all([loadVotes(db, rootRunIds), loadResults(db, rootRunIds)]);
  return rows.map((row) => ({
    run: row.workflow_id,
    rootRunId: row.root_run_id,
    definition: row.definition,
    gate: gateView(row, votes, results),
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
      assurance: row.assurance,
      ...(row.reason !== null && { reason: row.reason }),
    };
    const list = votes.get(key);
    if (list === undefined) votes.set(key, [vote]);
    else list.push(vote);
  }
  return votes;
}

type Results = Map<string, NonNullable<GateView['result']>>;

/** What the newest successful execution of each step with a gate reports: what the approver should read. */
async function loadResults(db: Database, rootRunIds: readonly string[]): Promise<Results> {
  if (rootRunIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('executions')
    .distinctOn(['root_run_id', 'step'])
    .select(['root_run_id', 'step', 'result'])
    .where('root_run_id', 'in', [...rootRunIds])
    .where('mode', '=', 'do')
    .where('outcome', '=', 'success')
    .whereRef('path', '=', 'step')
    // What an earlier generation gave is not what is asked about.
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('run_steps')
            .select('run_steps.step')
            .whereRef('run_steps.root_run_id', '=', 'executions.root_run_id')
            .whereRef('run_steps.step', '=', 'executions.step')
            .whereRef('run_steps.generation', '>', 'executions.generation'),
        ),
      ),
    )
    .where((where) =>
      where.exists(
        where
          .selectFrom('approvals')
          .select('approvals.gate')
          .whereRef('approvals.root_run_id', '=', 'executions.root_run_id')
          .whereRef('approvals.step', '=', 'executions.step'),
      ),
    )
    .orderBy('root_run_id')
    .orderBy('step')
    .orderBy('generation', 'desc')
    .orderBy('slot')
    .execute();
  return new Map(
    rows.flatMap(({ root_run_id: rootRunId, step, result }) => {
      if (rootRunId === null || result === null) return [];
      const { summary, outputs, metrics } = result;
      return [
        [
          stepKey(rootRunId, step),
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

function gateView(row: Selectable<ApprovalsTable>, votes: Votes, results: Results): GateView {
  const result = row.step === null ? undefined : results.get(stepKey(row.root_run_id, row.step));
  return {
    id: row.gate,
    kind: row.kind,
    ...(row.step !== null && { step: row.step }),
    generation: row.generation,
    state: row.state,
    decision: row.decision,
    approvers: row.approvers,
    barred: row.barred,
    isOverride: row.is_override,
    quorum: row.quorum,
    votes: votes.get(gateKey(row)) ?? [],
    deadline: row.deadline?.toISOString() ?? null,
    ...(row.prompt !== null && { prompt: row.prompt }),
    ...(row.is_override && row.reason !== null && row.reason !== row.prompt && { reason: row.reason }),
    ...(result !== undefined && { result }),
  };
}

function gateKey({ root_run_id: rootRunId, gate, generation }: { root_run_id: string; gate: string; generation: number }): string {
  return `${rootRunId} ${generation} ${gate}`;
}

function stepKey(rootRunId: string, step: string): string {
  return `${rootRunId} ${step}`;
}
