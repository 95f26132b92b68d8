import type { RunStatus, StepState } from '../contract/states';
import type { Plan } from '../plan/types';
import { createRun } from './create-run';
import { projectTimeline, type Projection } from './timeline';
import type { RunState, StepRunState } from './run-state';

/** What is recorded of a run that no workflow answers for. */
export interface RecordedRun {
  status: RunStatus;
  startedAtMs: number;
  endedAtMs?: number | undefined;
  timeScale: number;
  historyEstimatesMs: Record<string, number>;
  /** Steps that are not here have not begun. */
  steps: ReadonlyMap<string, RecordedStep>;
  passedPhases: ReadonlySet<string>;
}

export interface RecordedStep {
  state: StepState;
  startedAtMs?: number | undefined;
  endedAtMs?: number | undefined;
}

/** The projection that the workflow would answer with, from what is recorded. */
export function projectRecorded(plan: Plan, recorded: RecordedRun, nowMs: number): Projection {
  const { startedAtMs, endedAtMs, timeScale, historyEstimatesMs } = recorded;
  const run = createRun({
    plan,
    planHash: '',
    run: { id: '', runId: '', rootRunId: '', definition: plan.id },
    startedAtMs,
    timeScale,
    initiator: '',
    inputs: {},
    humans: [],
    autoApprove: false,
    historyEstimatesMs,
    saved: stateOf(plan, recorded),
  });
  if (endedAtMs !== undefined) run.state.endedAtMs = endedAtMs;
  return projectTimeline(run, nowMs);
}

function stateOf(plan: Plan, { status, startedAtMs, steps, passedPhases }: RecordedRun): RunState {
  return {
    schemaVersion: 1,
    status,
    phase: null,
    steps: Object.fromEntries([...steps].map(([id, step]) => [id, stepOf(step)])),
    phases: Object.fromEntries(plan.phases.map(({ id }) => [id, { state: passedPhases.has(id) ? 'passed' : 'pending', generation: 0 }])),
    gates: {},
    compensations: [],
    inFlight: {},
    timers: {},
    alerts: [],
    alertCount: 0,
    ignoredSignals: 0,
    sequence: 0,
    ...(status === 'rolling_back' ? { ending: { kind: 'fail', reason: '', rollback: 'all', atMs: startedAtMs } } : {}),
  };
}

function stepOf({ state, startedAtMs, endedAtMs }: RecordedStep): StepRunState {
  // One that waits for a person has done its work, if it ever began.
  const isAnswered = (state === 'waiting_approval' || state === 'blocked') && startedAtMs !== undefined;
  return {
    state,
    generation: 1,
    slots: isAnswered ? [{ slot: 1, assignment: 1, state: 'succeeded', excluded: [] }] : [],
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  };
}
