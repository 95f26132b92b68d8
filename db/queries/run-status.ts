import type { StepState } from '../../core/contract/states';
import type { AdjustmentView, AlertView, PhaseView, RunStatusView, StepView } from '../../core/contract/views';
import { projectRecorded, type RecordedRun } from '../../core/engine/recorded-timeline';
import type { Plan, PlanStep } from '../../core/plan/types';
import type { Database } from '../connect';
import { loadAgentSet } from './agents';
import { findPlanText } from './definitions';
import { loadGates } from './gates';
import { findRun, type RunRecord } from './find-run';
import { estimateDurations } from './history';
import { countRefusals } from './refusals';
import { loadTasks } from './tasks';

/**
 * The status of a run (by workflow id or run id) as far as Postgres knows: the shape the running workflow answers with. Null where
 * there is no such run. The projections may be a moment old; what agents have recorded since is merged in.
 */
export async function loadRunStatus(db: Database, id: string, atMs = Date.now()): Promise<RunStatusView | null> {
  const run = await findRun(db, id);
  if (run === null) return null;
  const { rootRunId } = run;
  const [planText, steps, executions, gates, tasks, alerts, refused, adjustments, ignored] = await Promise.all([
    findPlanText(db, run.planHash),
    db.selectFrom('run_steps').selectAll().where('root_run_id', '=', rootRunId).execute(),
    loadStepExecutions(db, rootRunId),
    loadGates(db, rootRunId),
    loadTasks(db, rootRunId),
    loadNewestAlerts(db, rootRunId),
    countRefusals(db, rootRunId),
    loadAdjustments(db, rootRunId),
    db
      .selectFrom('audit_events')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('root_run_id', '=', rootRunId)
      .where('body', 'like', '{"action":"signal.ignored"%')
      .executeTakeFirst(),
  ]);
  const plan = planText === null ? null : (JSON.parse(planText) as Plan);
  const estimatesMs = plan === null ? {} : await estimateDurations(db, plan.steps, await loadAgentSet(db, run.agentSet), atMs);
  const rows = new Map(steps.map((step) => [step.step, step]));
  const planned = plan?.steps ?? [];
  const extra = steps.filter((step) => !planned.some(({ id: planId }) => planId === step.step));
  const views = [
    ...planned.map((step) => stepView({ ...step, ...estimateOf(step, estimatesMs) }, rows.get(step.id), executions.get(step.id))),
    ...extra.map((row) => stepView(undefined, row, executions.get(row.step))),
  ];
  const endMs = run.endedAt?.getTime() ?? atMs;
  const phases = (plan?.phases ?? []).map((phase) => phaseView(phase, views, rows, run.timeScale, endMs));
  const phaseIndex = phases.findIndex((phase) => phase.id === run.phase);
  return {
    schemaVersion: 1,
    id: run.workflowId,
    runId: run.runId,
    rootRunId,
    definition: run.definition,
    planHash: run.planHash,
    signatures: run.strict ? 'required' : 'accepted',
    ...(plan?.title !== undefined && { title: plan.title }),
    status: run.status,
    phase: run.phase,
    phaseIndex: phaseIndex + 1,
    phaseCount: phases.length,
    phases,
    progress: run.progress,
    ...(run.reason !== null && { reason: run.reason }),
    waitsFor: run.waitsFor,
    startedAt: run.startedAt.toISOString(),
    ...(run.endedAt !== null && { endedAt: run.endedAt.toISOString() }),
    timeScale: run.timeScale,
    steps: views,
    gates,
    ...(tasks.length > 0 && run.endedAt === null && { tasks }),
    alerts: alerts.newest,
    adjustments,
    ignoredSignals: Number(ignored?.n ?? 0),
    ...(refused > 0 && { recording: { refused } }),
    totals: { steps: views.length, gates: gates.length, alerts: alerts.count },
    timeline:
      plan === null
        ? { plannedMs: null, elapsedMs: Math.max(0, endMs - run.startedAt.getTime()) * run.timeScale, etaP50: null, etaP90: null }
        : projectRecorded(plan, recordedOf({ run, views, phases, estimatesMs }), atMs),
  };
}

function recordedOf({
  run,
  views,
  phases,
  estimatesMs,
}: {
  run: RunRecord;
  views: readonly StepView[];
  phases: readonly PhaseView[];
  estimatesMs: Record<string, number>;
}): RecordedRun {
  const msOf = (at: string | undefined): number | undefined => (at === undefined ? undefined : Date.parse(at));
  return {
    status: run.status,
    startedAtMs: run.startedAt.getTime(),
    endedAtMs: run.endedAt?.getTime(),
    timeScale: run.timeScale,
    historyEstimatesMs: estimatesMs,
    steps: new Map(
      views.map(({ id, state, startedAt, endedAt }) => [id, { state, startedAtMs: msOf(startedAt), endedAtMs: msOf(endedAt) }]),
    ),
    passedPhases: new Set(phases.flatMap(({ id, state }) => (state === 'passed' ? [id] : []))),
  };
}

function estimateOf(step: PlanStep, estimatesMs: Record<string, number>): { estimateMs?: number } {
  const estimateMs = Object.hasOwn(estimatesMs, step.id) ? estimatesMs[step.id] : undefined;
  return estimateMs === undefined ? {} : { estimateMs };
}

/** The newest execution of each step. */
interface StepExecution {
  generation: number;
  agentId: string;
  state: string;
  outcome: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  failure: string | null;
  summary: string | null;
  why: string | null;
}

async function loadStepExecutions(db: Database, rootRunId: string): Promise<Map<string, StepExecution>> {
  const rows = await db
    .selectFrom('executions')
    .distinctOn('step')
    .select((row) => [
      'step',
      'generation',
      'agent_id',
      'state',
      'outcome',
      'started_at',
      'finished_at',
      'failure',
      row.ref('result', '->>').key('summary').$castTo<string | null>().as('summary'),
      row.ref('explanation', '->>').key('why').$castTo<string | null>().as('why'),
    ])
    .where('root_run_id', '=', rootRunId)
    .where('mode', '=', 'do')
    .whereRef('path', '=', 'step')
    .orderBy('step')
    .orderBy('generation', 'desc')
    .orderBy('assignment', 'desc')
    .orderBy('slot', 'desc')
    .execute();
  return new Map(
    rows.map((row) => [
      row.step,
      {
        generation: row.generation,
        agentId: row.agent_id,
        state: row.state,
        outcome: row.outcome,
        startedAt: row.started_at,
        finishedAt: row.finished_at,
        failure: row.failure,
        summary: row.summary,
        why: row.why,
      },
    ]),
  );
}

interface StepRow {
  step: string;
  phase: string;
  state: StepState;
  generation: number;
  agent: string | null;
  role: string;
  reason: string | null;
  waits_for: string[];
  started_at: Date | null;
  ended_at: Date | null;
}

function stepView(step: PlanStep | undefined, row: StepRow | undefined, newest: StepExecution | undefined): StepView {
  const generation = row?.generation ?? 1;
  // An execution of a generation before belongs to the past.
  const execution = newest !== undefined && newest.generation >= generation ? newest : undefined;
  const state = mergedState(row?.state ?? 'pending', step, execution);
  const startedAt = row?.started_at ?? execution?.startedAt;
  const endedAt = row?.ended_at ?? (isSettled(state) ? execution?.finishedAt : undefined);
  const message = execution?.outcome === 'success' ? execution.summary : execution?.failure;
  return {
    id: step?.id ?? row?.step ?? '',
    phase: step?.phase ?? row?.phase ?? '',
    state,
    generation: execution?.generation ?? row?.generation ?? 1,
    agent: execution?.agentId ?? row?.agent ?? null,
    role: step?.role ?? row?.role ?? '',
    progress: state === 'passed' ? 1 : null,
    ...(message != null && { message }),
    // Of a state that the step has left since.
    reason: state === row?.state ? row.reason : null,
    waitsFor: state === row?.state ? row.waits_for : [],
    ...(startedAt != null && { startedAt: startedAt.toISOString() }),
    ...(endedAt != null && { endedAt: endedAt.toISOString() }),
    estimateMs: step?.estimateMs ?? null,
    ...(execution?.why != null && { why: execution.why }),
  };
}

/** Agents record starts and ends themselves, the workflow's projection follows with its next recording. */
function mergedState(recorded: StepState, step: PlanStep | undefined, execution: StepExecution | undefined): StepState {
  const isOpen = recorded === 'pending' || recorded === 'ready' || recorded === 'assigned' || recorded === 'running';
  if (!isOpen || execution === undefined) return recorded;
  if (execution.outcome === 'success' && step !== undefined && passesBySuccess(step)) return 'passed';
  if (execution.outcome !== null || execution.startedAt !== null) return 'running';
  return recorded === 'pending' || recorded === 'ready' ? 'assigned' : recorded;
}

/** Nothing but the agent's success decides whether the step passes. */
function passesBySuccess(step: PlanStep): boolean {
  return (
    step.count === 1 &&
    step.gate === undefined &&
    !step.mustPassAll &&
    step.approval?.when !== 'after' &&
    step.monitor === undefined &&
    step.deployment === undefined &&
    step.rollbackOn === undefined &&
    step.forEach === undefined &&
    step.securityReviewers.length === 0
  );
}

function isSettled(state: StepState): boolean {
  return ['passed', 'failed', 'skipped', 'cancelled', 'compensated', 'compensation_failed'].includes(state);
}

function phaseView(
  phase: Plan['phases'][number],
  views: readonly StepView[],
  rows: ReadonlyMap<string, StepRow>,
  timeScale: number,
  endMs: number,
): PhaseView {
  const own = views.filter((view) => view.phase === phase.id);
  const done = own.filter(({ state }) => state === 'passed' || state === 'skipped').length;
  const starts = own.flatMap(({ id }) => rows.get(id)?.started_at?.getTime() ?? []);
  const allDone = done === own.length;
  const ends = own.flatMap(({ id }) => rows.get(id)?.ended_at?.getTime() ?? []);
  const started = starts.length === 0 ? null : Math.min(...starts);
  const ended = allDone && ends.length > 0 ? Math.max(...ends) : endMs;
  const failed = own.some(({ state }) => state === 'failed' || state === 'compensation_failed');
  const idle = own.every(({ state }) => state === 'pending');
  return {
    id: phase.id,
    title: phase.title ?? phase.id,
    state: failed ? 'failed' : allDone && own.length > 0 ? 'passed' : idle ? 'pending' : 'running',
    done,
    total: own.length,
    plannedMs: phase.plannedMs ?? null,
    elapsedMs: started === null ? null : Math.max(0, ended - started) * timeScale,
  };
}

const shownAlerts = 200;

async function loadNewestAlerts(db: Database, rootRunId: string): Promise<{ newest: AlertView[]; count: number }> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .select(({ fn }) => fn.countAll<number>().over().as('n'))
    .where('root_run_id', '=', rootRunId)
    .orderBy('id', 'desc')
    .limit(shownAlerts)
    .execute();
  return {
    newest: rows
      .reverse()
      .map(({ step, name, severity, message, state, at }) => ({ step, name, severity, message, state, at: at.toISOString() })),
    count: Number(rows[0]?.n ?? 0),
  };
}

const maxAdjustments = 100;

/** How people changed the run, the newest last: as the audit has it. */
async function loadAdjustments(db: Database, rootRunId: string): Promise<AdjustmentView[]> {
  const rows = await db
    .selectFrom('audit_events')
    .select('body')
    .where('root_run_id', '=', rootRunId)
    .where('body', 'like', '{"action":"run.adjusted"%')
    .orderBy('seq', 'desc')
    .limit(maxAdjustments)
    .execute();
  return rows.reverse().map(({ body }) => {
    const { at, actor, reason, details } = JSON.parse(body) as AdjustedLine;
    return { at, kind: details.kind, by: actor.id, ...(reason !== undefined && { reason }), message: details.message };
  });
}

/** What the engine says in the audit of an adjustment. */
interface AdjustedLine {
  at: string;
  actor: { id: string };
  reason?: string;
  details: { kind: string; message: string };
}
