import type { AgentResult } from '../../core/contract/agent-document';
import type { EffectEnd, RunChanges, RunRef } from '../../core/contract/local-activities';
import type { Database } from '../connect';
import { jsonText, storableText } from '../json-text';
import { auditBodyOf, executionEndedBody, identityOf } from './audit-body';
import { costSql } from './cost';
import { reopensSql } from './reopening';
import { isoOf, Statement } from './statement';
import { addTasks } from './tasks';

/**
 * Applies what changed since the last recording, in one transaction of one statement: updates the projections, ends what the workflow
 * saw end and appends the audit lines. It may come more than once, and from a workflow task that was lost: what an execution of the
 * run has said already is not said again, and a late recording changes no projection. Gives the number of the last audit line.
 */
export async function applyChanges(db: Database, run: RunRef, changes: RunChanges): Promise<{ audited?: number }> {
  if (isEmpty(changes)) return {};
  const statement = new Statement();
  const { shape, lines } = addChanges(statement, run, changes);
  addAudit(statement, run, lines, changes.auditAfter);
  const [row] = await statement.run<AuditedRow>(db, `record-${shape}`, `select ${auditedColumn}`);
  return auditedIn(row);
}

export function isEmpty(changes: RunChanges): boolean {
  const { run, steps, gates, tasks = [], votes, alerts, audit, ends } = changes;
  return run === undefined && [steps, gates, tasks, votes, alerts, audit, ends].every((list) => list.length === 0);
}

export interface AddedChanges {
  /**
   * There are two: most recordings change steps and the audit only, and need not pay for the planning and the start of the rest.
   */
  shape: 'steps' | 'all';
  /** What `addAudit` is to append. */
  lines: string[];
}

/** Adds the parts that write the changes to a statement. */
export function addChanges(statement: Statement, run: RunRef, changes: RunChanges): AddedChanges {
  const { tasks = [] } = changes;
  const all = [changes.gates, tasks, changes.votes, changes.alerts, changes.ends].some((list) => list.length > 0);
  const root = statement.value(run.rootRunId, 'text');
  const runId = statement.value(run.runId, 'text');
  addFreshness(statement, root, runId, changes.historyLength);
  addRun(statement, root, runId, changes);
  addSteps(statement, root, changes);
  const bodies = statement.value(changes.audit.map(auditBodyOf), 'text[]');
  const keys = statement.value(
    changes.audit.map((entry) => identityOf(run, entry)),
    'uuid[]',
  );
  const lines = [`select 1 as part, n, body, key from unnest(${bodies}, ${keys}) with ordinality as a(body, key, n)`];
  if (!all) return { shape: 'steps', lines };
  addGates(statement, root, changes);
  addTasks(statement, root, tasks);
  addVotes(statement, root, changes);
  addAlerts(statement, run, root, changes);
  addEnds(statement, { root, runId, ends: changes.ends });
  return { shape: 'all', lines: [...lines, 'select 2, n, body, null::uuid from ended'] };
}

export interface AuditedRow {
  audited: number | null;
}

/** Selects what makes the server append the lines: a part of a statement that only reads runs when it is referred to. */
export const auditedColumn = '(select seq from audited) as audited';

export function auditedIn(row: AuditedRow | undefined): { audited?: number } {
  return row?.audited == null ? {} : { audited: row.audited };
}

/** Adds the part that appends lines: selects of `part` (their order), `n`, `body`, `key` (null where it cannot come twice). */
export function addAudit(statement: Statement, run: RunRef, lines: readonly string[], after = 0): void {
  const root = statement.value(run.rootRunId, 'text');
  statement.with('lines', lines.join(' union all '));
  statement.with(
    'audited',
    `select append_audit(${root}, array_agg(body order by part, n), array_agg(key order by part, n), ${statement.value(after, 'bigint')}) as seq from lines`,
  );
}

/** `fresh` has a row unless a later workflow task, or a later execution, has recorded before. */
function addFreshness(statement: Statement, root: string, runId: string, historyLength: number | undefined): void {
  const length = statement.value(historyLength ?? null, 'bigint');
  statement.with(
    'recorded',
    `insert into recordings as r (root_run_id, run_id, history_length) select ${root}, ${runId}, ${length} where ${length} is not null
     on conflict (root_run_id, run_id) do update set history_length = excluded.history_length
       where r.history_length <= excluded.history_length
     returning ordinal`,
  );
  statement.with(
    'fresh',
    `select true where ${length} is null
     union all select true from recorded r where not exists (select from recordings l where l.root_run_id = ${root} and l.ordinal > r.ordinal)`,
  );
}

function addRun(statement: Statement, root: string, runId: string, changes: RunChanges): void {
  const { run } = changes;
  const value = statement.value(
    run === undefined
      ? null
      : jsonText({
          plan_hash: run.planHash,
          status: run.status,
          phase: run.phase,
          progress: Math.min(1, Math.max(0, run.progress)),
          waits_for: run.waitsFor,
          reason: run.reason,
          ended_at: isoOf(run.endedAtMs),
        }),
    'jsonb',
  );
  statement.with(
    'changed_run',
    `update runs r set run_id = ${runId}, plan_hash = coalesce(x.plan_hash, r.plan_hash), status = x.status, phase = x.phase, progress = x.progress, waits_for = x.waits_for, reason = x.reason,
       ended_at = x.ended_at, updated_at = now()
     from fresh, jsonb_to_record(${value}) as x(plan_hash text, status text, phase text, progress float8, waits_for jsonb, reason text, ended_at timestamptz)
     where r.root_run_id = ${root} and x.status is not null`,
  );
}

function addSteps(statement: Statement, root: string, changes: RunChanges): void {
  const rows = lastOf(changes.steps, ({ step }) => step).map((step) => ({
    step: step.step,
    phase: step.phase,
    state: step.state,
    generation: step.generation,
    agent: step.agent,
    role: step.role,
    reason: step.reason,
    waits_for: step.waitsFor ?? [],
    started_at: isoOf(step.startedAtMs),
    ended_at: isoOf(step.endedAtMs),
  }));
  statement.with(
    'changed_steps',
    `insert into run_steps (root_run_id, step, phase, state, generation, agent, role, reason, waits_for, started_at, ended_at)
     select ${root}, s.* from fresh, jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as s(step text, phase text, state text,
       generation int, agent text, role text, reason text, waits_for jsonb, started_at timestamptz, ended_at timestamptz)
     on conflict (root_run_id, step) do update set phase = excluded.phase, state = excluded.state, generation = excluded.generation,
       agent = excluded.agent, role = excluded.role, reason = excluded.reason, waits_for = excluded.waits_for,
       started_at = excluded.started_at, ended_at = excluded.ended_at, updated_at = now()`,
  );
}

function addGates(statement: Statement, root: string, changes: RunChanges): void {
  const rows = lastOf(changes.gates, ({ gate, generation }) => `${generation}/${gate}`).map((gate) => ({
    gate: gate.gate,
    generation: gate.generation,
    step: gate.step,
    phase: gate.phase,
    kind: gate.kind,
    state: gate.state,
    prompt: gate.prompt,
    approvers: gate.approvers,
    barred: gate.barred,
    is_override: gate.isOverride,
    quorum: gate.quorum,
    opened_at: isoOf(gate.openedAtMs),
    deadline: isoOf(gate.deadlineMs),
    decision: gate.decision,
    decided_at: isoOf(gate.decidedAtMs),
    reason: gate.reason,
  }));
  statement.with(
    'changed_gates',
    `insert into approvals (root_run_id, gate, generation, step, phase, kind, state, prompt, approvers, barred, is_override, quorum, opened_at,
       deadline, decision, decided_at, reason)
     select ${root}, g.* from fresh, jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as g(gate text, generation int, step text,
       phase text, kind text, state text, prompt text, approvers jsonb, barred jsonb, is_override boolean, quorum int, opened_at timestamptz, deadline timestamptz,
       decision text, decided_at timestamptz, reason text)
     on conflict (root_run_id, gate, generation) do update set step = excluded.step, phase = excluded.phase, kind = excluded.kind,
       state = excluded.state, prompt = excluded.prompt, approvers = excluded.approvers, barred = excluded.barred, is_override = excluded.is_override, quorum = excluded.quorum,
       opened_at = excluded.opened_at, deadline = excluded.deadline, decision = excluded.decision, decided_at = excluded.decided_at,
       reason = excluded.reason`,
  );
}

function addVotes(statement: Statement, root: string, changes: RunChanges): void {
  const counted = changes.votes.filter((vote) => vote.counted);
  const rows = lastOf(counted, (vote) => `${vote.generation}/${vote.gate}/${vote.by}`).map((vote) => ({
    gate: vote.gate,
    generation: vote.generation,
    voter: vote.by,
    decision: vote.decision,
    reason: vote.reason,
    assurance: vote.assurance,
    voted_at: isoOf(vote.atMs),
  }));
  statement.with(
    'changed_votes',
    `insert into approval_votes (root_run_id, gate, generation, voter, decision, reason, assurance, voted_at)
     select ${root}, v.* from fresh, jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as v(gate text, generation int, voter text,
       decision text, reason text, assurance text, voted_at timestamptz)
     on conflict (root_run_id, gate, generation, voter) do update set decision = excluded.decision, reason = excluded.reason,
       assurance = excluded.assurance, voted_at = excluded.voted_at`,
  );
}

function addAlerts(statement: Statement, run: RunRef, root: string, changes: RunChanges): void {
  const rows = changes.alerts.map((alert) => ({ ...alert, at: isoOf(alert.atMs), key: identityOf(run, alert) }));
  statement.with(
    'new_alerts',
    `insert into alerts (root_run_id, step, name, severity, message, state, at, key)
     select ${root}, a.* from jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as a(step text, name text, severity text,
       message text, state text, at timestamptz, key uuid)
     on conflict (root_run_id, key) do nothing`,
  );
}

/** Ends what has no outcome yet: whoever recorded first, this or the activity, stays. After a reset only a success stays. */
function addEnds(statement: Statement, { root, runId, ends }: { root: string; runId: string; ends: readonly EffectEnd[] }): void {
  const rows = ends.map((end, n) => ({
    n,
    path: end.path,
    generation: end.generation,
    slot: end.slot,
    assignment: end.assignment,
    mode: end.mode,
    outcome: end.outcome,
    at: isoOf(end.atMs),
    started: isoOf(end.startedAtMs),
    duration_factor: end.durationFactor ?? 1,
    failure: end.failure,
    ...resultColumns(end.result),
    body: executionEndedBody({ effect: end, actor: { kind: 'engine', id: 'vapora' }, ...end }),
  }));
  statement.with(
    'ending',
    `select e.id, x.*, greatest(0, extract(epoch from x.at - coalesce(x.started, e.started_at, e.assigned_at)) * 1000 * x.duration_factor)::float8 as duration_ms, e.agent_id
     from fresh, jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as x(n int, path text, generation int, slot int, assignment int,
       mode text, outcome text, at timestamptz, started timestamptz, duration_factor float8, failure text, result jsonb, metrics jsonb, cost_usd numeric, tokens_in bigint, tokens_out bigint, body text)
     cross join lateral (
       select id, started_at, assigned_at, agent_id from executions
       where root_run_id = ${root} and path = x.path and generation = x.generation and slot = x.slot and assignment = x.assignment and mode = x.mode
     ) e`,
  );
  statement.with(
    'ended',
    `update executions e set state = 'ended', outcome = x.outcome, finished_at = x.at, duration_ms = x.duration_ms, failure = x.failure,
       result = x.result, metrics = x.metrics, tokens_in = x.tokens_in, tokens_out = x.tokens_out, cost_usd = ${costSql('x')},
       started_at = coalesce(x.started, e.started_at), run_id = ${runId}
     from ending x where e.id = x.id and (e.outcome is null or ${reopensSql({ row: 'e', root, runId, owner: 'run_id' })})
     returning e.id, e.outcome, e.finished_at, x.n, x.body`,
  );
  statement.with(
    'ended_attempts',
    `update execution_attempts a set ended_at = x.finished_at,
       state = case x.outcome when 'success' then 'succeeded' when 'failure' then 'failed' else 'unknown' end
     from ended x where a.execution_id = x.id and a.state = 'started'`,
  );
  statement.with('freed_leases', `delete from agent_leases l using ended x where l.execution_id = x.id`);
}

/** The columns of an execution that come out of the agent's result. */
export function resultColumns(result: AgentResult | undefined) {
  return {
    result: result ?? null,
    metrics: result?.metrics ?? null,
    cost_usd: finite(result?.cost?.usd),
    tokens_in: whole(result?.cost?.tokens_in),
    tokens_out: whole(result?.cost?.tokens_out),
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : null;
}

function whole(value: number | undefined): number | null {
  const known = finite(value);
  return known === null ? null : Math.min(Number.MAX_SAFE_INTEGER, Math.round(known));
}

/**
 * One statement may touch a row once: of several changes of one thing the last is the one that holds. Two keys that are stored
 * as the same text are one row.
 */
export function lastOf<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.length < 2 ? [...items] : [...new Map(items.map((item) => [storableText(key(item)), item])).values()];
}
