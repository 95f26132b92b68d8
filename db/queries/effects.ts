import type { AgentResult } from '../../core/contract/agent-document';
import { AppError } from '../../core/contract/errors';
import type { EffectRef, RunRef, SampleRecord } from '../../core/contract/local-activities';
import type { Outcome } from '../../core/contract/states';
import type { Database } from '../connect';
import { jsonText, storableText } from '../json-text';
import { auditBodyOf, executionEndedBody, executionReopenedBody } from './audit-body';
import { costSql } from './cost';
import { leaseSeconds } from './lease-time';
import { resultColumns } from './record';
import { isReset, reopensSql } from './reopening';
import { isoOf, Statement } from './statement';

export interface EffectAttempt {
  run: RunRef;
  effect: EffectRef;
  /** The number that `beginAttempt` answered. */
  attempt: number;
}

export interface BeginAttemptInput extends EffectAttempt {
  /** Temporal's number of this attempt, from 1. */
  attempt: number;
  workerIdentity: string;
  atMs: number;
}

export type BeganAttempt =
  /** Go on. `attempt` is the number to finish or fail with: after a reset, Temporal counts from 1 again but the record does not. */
  | { kind: 'fresh'; attempt: number }
  /** It was done before: give this result and do nothing. */
  | { kind: 'succeeded'; result: AgentResult; startedAtMs: number; endedAtMs: number; attempt: number }
  /** An attempt before was started and nobody knows how it ended. This attempt is marked started: going on is allowed. */
  | { kind: 'unknown'; previousAttempt: number; attempt: number }
  /** It has not ended, and the run is to be undone: nothing is begun. `previousAttempt` 0: nor was it ever. */
  | { kind: 'held'; previousAttempt: number; attempt: number }
  /** The effect has ended otherwise, or a newer assignment or generation owns it. */
  | { kind: 'superseded'; reason: string };

/** Condition under which `e` is the execution of the effect `i`. */
const sameEffect = `e.root_run_id = i.root and e.path = i.path and e.generation = i.generation and e.slot = i.slot
  and e.assignment = i.assignment and e.mode = i.mode`;
const effectColumns = 'root text, run_id text, path text, generation int, slot int, assignment int, mode text';

/** The generation and assignment that replaced the effect `i`, or null. What was before a reset replaces nothing after it. */
const replacedBy = `(select jsonb_build_object('generation', e.generation, 'assignment', e.assignment) from executions e
  where e.root_run_id = i.root and e.path = i.path and e.slot = i.slot and e.mode = i.mode
    and (e.generation, e.assignment) > (i.generation, i.assignment)
    and (i.run_id = i.root or coalesce(e.run_id, i.root) = i.run_id) order by e.generation desc, e.assignment desc limit 1)`;

/** Whether `i.run_id` is the newest execution of the run: it is known as that, or has not recorded anything yet. */
const isNewestExecution = `exists (select from runs r where r.root_run_id = i.root and (r.run_id = i.run_id
  or not exists (select from recordings c where c.root_run_id = i.root and c.run_id = i.run_id)))`;

/** Whether the run was terminated and is to be undone: then nothing is begun that does. */
const isStopped = `(i.mode = 'do' and exists (select from runs r where r.root_run_id = i.root and r.rollback_requested_at is not null))`;

interface BeginRow {
  id: number | null;
  outcome: Outcome | null;
  previous: number | null;
  replaced: { generation: number; assignment: number } | null;
  result: AgentResult | null;
  failure: string | null;
  started_at: Date | null;
  finished_at: Date | null;
  attempt: number | null;
  /** An attempt before was started, and nobody knows how it ended. */
  is_unknown: boolean;
  /** It had ended, not well, before the run was reset. */
  reopens: boolean;
  repeated: boolean;
  stopped: boolean;
  leased: boolean;
}

/** Marks an attempt as started, before anything outside can happen. Repeating the call for the same attempt changes nothing. */
export async function beginAttempt(db: Database, input: BeginAttemptInput): Promise<BeganAttempt> {
  const statement = new Statement();
  const body = isReset(input.run) ? executionReopenedBody(input) : undefined;
  const item = { ...effectRow(input), attempt: input.attempt, worker: input.workerIdentity, at: isoOf(input.atMs), body };
  statement.with(
    'item',
    `select * from jsonb_to_record(${statement.value(jsonText(item), 'jsonb')}) as i(${effectColumns}, attempt int, worker text, at timestamptz, body text)`,
  );
  statement.with(
    'target',
    `select i.*, e.*, ${replacedBy} as replaced, ${reopensSql({ row: 'e', root: 'i.root', runId: 'i.run_id' })} and ${isNewestExecution} as reopens, ${isStopped} as stopped,
       coalesce((select a.state in ('started', 'unknown') from execution_attempts a where a.execution_id = e.id and a.attempt = e.previous), false) as is_unknown,
       coalesce((select a.state = 'started' and a.worker = i.worker and a.started_at = i.at from execution_attempts a
         where a.execution_id = e.id and a.attempt = e.previous), false) as repeated
     from item i left join lateral (
       select e.id, e.outcome, e.attempts as previous, e.result, e.failure, e.started_at, e.finished_at, e.run_id as owner
       from executions e where ${sameEffect} for update
     ) e on true`,
  );
  statement.with(
    'begun',
    `update executions e set state = 'running', attempts = greatest(t.attempt, t.previous + 1), run_id = t.run_id,
       started_at = case when t.reopens then t.at else coalesce(e.started_at, t.at) end,
       outcome = null, finished_at = null, duration_ms = null, cost_usd = null, tokens_in = null, tokens_out = null, metrics = null, result = null
     from target t where e.id = t.id and (t.outcome is null or t.reopens) and t.replaced is null and not t.repeated and not t.stopped returning e.id, e.attempts`,
  );
  statement.with(
    'lost_attempts',
    `update execution_attempts a set state = 'unknown', ended_at = t.at from target t, begun b
     where a.execution_id = t.id and a.attempt = t.previous and a.state = 'started'`,
  );
  statement.with(
    'begun_attempts',
    `insert into execution_attempts (execution_id, attempt, worker, state, started_at) select b.id, b.attempts, t.worker, 'started', t.at from target t, begun b`,
  );
  statement.with(
    'lease',
    `update agent_leases l set expires_at = now() + interval '${leaseSeconds} s' from target t where l.execution_id = t.id and t.outcome is null returning 1`,
  );
  statement.with('reopened', 'select append_audit(t.root, array[t.body]) as audited from target t, begun where t.reopens');
  const [row] = await statement.run<BeginRow>(
    db,
    'effect-begin',
    `select t.id, t.outcome, t.previous, t.replaced, t.result, t.failure, t.started_at, t.finished_at, t.repeated, t.is_unknown, t.reopens, t.stopped,
       coalesce((select attempts from begun), t.previous) as attempt, exists (select from lease) as leased, (select audited from reopened) from target t`,
  );
  if (row === undefined) throw new AppError('internal', 'beginAttempt gave no row');
  const began = judgeBeginning(row, input);
  if ((began.kind === 'fresh' || began.kind === 'unknown') && !row.leased && row.id !== null) await takeLease(db, row.id);
  return began;
}

function judgeBeginning(row: BeginRow, { effect }: BeginAttemptInput): BeganAttempt {
  const attempt = row.attempt ?? 1;
  if (row.id === null)
    return {
      kind: 'superseded',
      reason: `no intent is recorded for ${effect.path} (generation ${effect.generation}, assignment ${effect.assignment})`,
    };
  if (row.outcome === 'success') {
    const endedAtMs = row.finished_at?.getTime() ?? 0;
    return {
      kind: 'succeeded',
      result: row.result ?? { status: 'success' },
      startedAtMs: row.started_at?.getTime() ?? endedAtMs,
      endedAtMs,
      attempt,
    };
  }
  const reason = reasonToRefuse(row);
  if (reason !== undefined) return { kind: 'superseded', reason };
  if (row.stopped) return { kind: 'held', previousAttempt: row.previous ?? 0, attempt };
  if (row.is_unknown && !row.repeated) return { kind: 'unknown', previousAttempt: row.previous ?? 0, attempt };
  return { kind: 'fresh', attempt };
}

function reasonToRefuse(row: Pick<BeginRow, 'outcome' | 'failure' | 'replaced'> & { reopens?: boolean }): string | undefined {
  if (row.outcome !== null && row.reopens !== true)
    return `it has ended already: ${row.outcome}${row.failure === null ? '' : ` (${row.failure})`}`;
  if (row.replaced !== null) return `generation ${row.replaced.generation}, assignment ${row.replaced.assignment} owns it now`;
  return undefined;
}

/** Marks an attempt as failed: the next one reopens the same intent. A late call of an older attempt changes nothing. */
export async function failAttempt(
  db: Database,
  input: EffectAttempt & { error: string; atMs: number; agentId: string },
): Promise<{ recorded: boolean }> {
  const statement = new Statement();
  const { effect } = input;
  const body = auditBodyOf({
    atMs: input.atMs,
    actor: { kind: 'agent', id: input.agentId },
    action: 'attempt.failed',
    object: effect.path,
    generation: effect.generation,
    outcome: 'failure',
    reason: input.error,
    details: { slot: effect.slot, assignment: effect.assignment, mode: effect.mode, attempt: input.attempt },
  });
  const item = { ...effectRow(input), attempt: input.attempt, at: isoOf(input.atMs), error: input.error, body };
  statement.with(
    'item',
    `select * from jsonb_to_record(${statement.value(jsonText(item), 'jsonb')}) as i(${effectColumns}, attempt int, at timestamptz, error text, body text)`,
  );
  statement.with(
    'failed',
    `update executions e set state = 'retrying', failure = i.error from item i
     where ${sameEffect} and e.outcome is null and e.attempts = i.attempt and e.state = 'running' returning e.id`,
  );
  statement.with(
    'failed_attempt',
    `update execution_attempts a set state = 'failed', ended_at = i.at, error = i.error from item i, failed f
     where a.execution_id = f.id and a.attempt = i.attempt`,
  );
  const rows = await statement.run<{ audited: number }>(
    db,
    'effect-fail',
    'select append_audit(i.root, array[i.body]) as audited from item i, failed',
  );
  return { recorded: rows.length > 0 };
}

export interface FinishEffectInput extends EffectAttempt {
  agentId: string;
  outcome: Outcome;
  result?: AgentResult | undefined;
  failure?: string | undefined;
  atMs: number;
  /** What the work took, where it is not the time since the attempt began (simulated agents under a time scale: unscaled). */
  durationMs?: number | undefined;
}

export type FinishedEffect =
  | { kind: 'recorded' }
  /** This attempt has recorded its outcome before: nothing changed. */
  | { kind: 'repeated' }
  /** Somebody else's outcome stands, or a newer attempt, assignment or generation owns the effect. */
  | { kind: 'superseded'; reason: string };

interface FinishRow {
  id: number | null;
  outcome: Outcome | null;
  failure: string | null;
  previous: number | null;
  replaced: { generation: number; assignment: number } | null;
  recorded: boolean;
}

/** Records the one outcome of an effect with all that belongs to it: metrics, cost, the lease freed, the audit line. The first writer wins. */
export async function finishEffect(db: Database, input: FinishEffectInput): Promise<FinishedEffect> {
  const { effect } = input;
  const statement = new Statement();
  const item = {
    ...effectRow(input),
    attempt: input.attempt,
    outcome: input.outcome,
    at: isoOf(input.atMs),
    duration_ms: input.durationMs ?? null,
    failure: input.failure,
    ...resultColumns(input.result),
    body: executionEndedBody({ ...input, effect, actor: { kind: 'agent', id: input.agentId } }),
  };
  statement.with(
    'item',
    `select * from jsonb_to_record(${statement.value(jsonText(item), 'jsonb')}) as i(${effectColumns}, attempt int, outcome text, at timestamptz,
       duration_ms float8, failure text, result jsonb, metrics jsonb, cost_usd numeric, tokens_in bigint, tokens_out bigint, body text)`,
  );
  statement.with(
    'target',
    `select e.*, ${replacedBy} as replaced, i.root, i.attempt, i.outcome as new_outcome, i.at, i.failure as new_failure, i.result, i.metrics,
       i.cost_usd, i.tokens_in, i.tokens_out, i.body,
       greatest(0, coalesce(i.duration_ms, extract(epoch from i.at - coalesce(
         (select a.started_at from execution_attempts a where a.execution_id = e.id and a.attempt = i.attempt), e.started_at, e.assigned_at)) * 1000))::float8 as duration_ms
     from item i left join lateral (
       select e.id, e.outcome, e.failure, e.attempts as previous, e.agent_id, e.started_at, e.assigned_at from executions e where ${sameEffect} for update
     ) e on true`,
  );
  statement.with(
    'finished',
    `update executions e set state = 'ended', outcome = t.new_outcome, finished_at = t.at, duration_ms = t.duration_ms, failure = t.new_failure,
       result = t.result, metrics = t.metrics, tokens_in = t.tokens_in, tokens_out = t.tokens_out, cost_usd = ${costSql('t')}
     from target t where e.id = t.id and t.outcome is null and t.previous = t.attempt and t.replaced is null returning e.id`,
  );
  statement.with(
    'finished_attempt',
    `update execution_attempts a set ended_at = t.at, error = t.new_failure,
       state = case t.new_outcome when 'success' then 'succeeded' when 'failure' then 'failed' else 'unknown' end
     from target t, finished f where a.execution_id = f.id and a.attempt = t.attempt`,
  );
  statement.with('freed', 'delete from agent_leases l using finished f where l.execution_id = f.id');
  statement.with('audit', 'select append_audit(t.root, array[t.body]) as audited from target t, finished');
  const [row] = await statement.run<FinishRow>(
    db,
    'effect-finish',
    `select t.id, t.outcome, t.failure, t.previous, t.replaced, (select audited from audit) is not null as recorded from target t`,
  );
  if (row === undefined) throw new AppError('internal', 'finishEffect gave no row');
  if (row.recorded) return { kind: 'recorded' };
  if (row.id === null) return { kind: 'superseded', reason: `no intent is recorded for ${effect.path}` };
  if (row.outcome === input.outcome && row.previous === input.attempt) return { kind: 'repeated' };
  return { kind: 'superseded', reason: reasonToRefuse(row) ?? `attempt ${row.previous ?? 0} owns it now` };
}

/**
 * Keeps the agent's slot while its holder works. False: the effect has ended, so the holder should stop. A lease that expired
 * and went to somebody else is taken anew, beyond the capacity if need be: the work is going on and must be counted.
 */
export async function renewLease(db: Database, input: Pick<EffectAttempt, 'run' | 'effect'>): Promise<boolean> {
  const statement = new Statement();
  statement.with('item', `select * from jsonb_to_record(${statement.value(jsonText(effectRow(input)), 'jsonb')}) as i(${effectColumns})`);
  statement.with(
    'target',
    `select e.id, e.outcome is null as open from item i cross join lateral (select id, outcome from executions e where ${sameEffect}) e`,
  );
  statement.with(
    'lease',
    `update agent_leases l set expires_at = now() + interval '${leaseSeconds} s' from target t where l.execution_id = t.id and t.open returning 1`,
  );
  const [row] = await statement.run<{ id: number; open: boolean; leased: boolean }>(
    db,
    'lease-renew',
    'select t.id, t.open, exists (select from lease) as leased from target t',
  );
  if (row?.open !== true) return false;
  if (!row.leased) await takeLease(db, row.id);
  return true;
}

const leaseRounds = 20;

/** Takes the lowest slot that is free now, whatever the capacity. */
async function takeLease(db: Database, executionId: number): Promise<void> {
  for (let round = 1; round <= leaseRounds; round += 1) {
    const statement = new Statement();
    const id = statement.value(executionId, 'bigint');
    statement.with(
      'free_slot',
      `select e.id, e.agent_id, (select min(s.n) from generate_series(1, 1 + (select count(*)::int from agent_leases where agent_id = e.agent_id)) s(n)
         where not exists (select from agent_leases l where l.agent_id = e.agent_id and l.slot_no = s.n and l.expires_at > now())) as slot_no
       from executions e where e.id = ${id} and e.outcome is null and not exists (select from agent_leases l where l.execution_id = ${id})`,
    );
    statement.with(
      'taken',
      `insert into agent_leases (agent_id, slot_no, execution_id, expires_at)
       select agent_id, slot_no, id, now() + interval '${leaseSeconds} s' from free_slot
       on conflict (agent_id, slot_no) do update set execution_id = excluded.execution_id, expires_at = excluded.expires_at
         where agent_leases.expires_at <= now() returning 1`,
    );
    const [row] = await statement.run<{ wanted: boolean; taken: boolean }>(
      db,
      'lease-take',
      'select exists (select from free_slot) as wanted, exists (select from taken) as taken',
    );
    if (row === undefined || !row.wanted || row.taken) return;
  }
}

/** Stores samples of a monitor; one that is there already stays. */
export async function insertSamples(db: Database, run: RunRef, samples: readonly SampleRecord[]): Promise<void> {
  if (samples.length === 0) return;
  await db
    .insertInto('monitor_samples')
    .values(
      samples.map((sample) => ({
        root_run_id: run.rootRunId,
        step: storableText(sample.step),
        generation: sample.generation,
        idx: sample.index,
        sampled_at: new Date(sample.atMs),
        metrics: jsonText(sample.metrics),
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  for (const { step, generation, atMs } of samples) await beginMonitor(db, { run, step, generation, atMs });
}

/** No activity begins a monitor step as a whole: its first sample does. */
async function beginMonitor(
  db: Database,
  { run, step, generation, atMs }: { run: RunRef; step: string; generation: number; atMs: number },
): Promise<void> {
  await db
    .updateTable('executions')
    .set({ state: 'running', started_at: new Date(atMs) })
    .where('root_run_id', '=', run.rootRunId)
    .where('path', '=', storableText(step))
    .where('generation', '=', generation)
    .where('mode', '=', 'do')
    .where('started_at', 'is', null)
    .where('outcome', 'is', null)
    .execute();
}

function effectRow({ run, effect }: Pick<EffectAttempt, 'run' | 'effect'>) {
  return {
    root: run.rootRunId,
    run_id: run.runId,
    path: effect.path,
    generation: effect.generation,
    slot: effect.slot,
    assignment: effect.assignment,
    mode: effect.mode,
  };
}
