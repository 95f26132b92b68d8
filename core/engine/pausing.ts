import type { Actor } from '../contract/local-activities';
import { touchGate } from './gate-timers';
import { audit, cancelTimer, isPeoplesTimer, startTimer, type Run } from './run';
import type { TimerRunState } from './run-state';
import { isTask, touchTask } from './tasks';

/** Nothing new starts, what runs finishes. `freeze`: the deadlines and reminders of gates and tasks stand still until the run goes on. */
export function pauseRun(run: Run, { by, reason, freeze }: { by: Actor; reason: string; freeze: boolean }): void {
  run.state.paused = { atMs: run.now, reason, by: by.id, ...(freeze ? { frozen: {} } : {}) };
  audit(run, {
    actor: by,
    action: 'run.pause_requested',
    object: run.options.run.id,
    reason,
    ...(freeze ? { details: { freeze } } : {}),
  });
  if (!freeze) return;
  const timers = Object.entries(run.state.timers).filter(([, timer]) => isPeoplesTimer(timer));
  for (const [id, timer] of timers) {
    cancelTimer(run, id);
    startTimer(run, id, timer);
    setDeadline(run, timer.target, undefined);
  }
}

export function resumeRun(run: Run, { by, reason }: { by: Actor; reason: string | undefined }): void {
  const frozen = Object.entries(run.state.paused?.frozen ?? {});
  delete run.state.paused;
  audit(run, { actor: by, action: 'run.resumed', object: run.options.run.id, ...(reason === undefined ? {} : { reason }) });
  thawTimers(run, frozen);
}

/** What is left of each begins to run. */
export function thawTimers(run: Run, frozen: readonly [id: string, { leftMs: number; timer: TimerRunState }][]): void {
  for (const [id, { leftMs, timer }] of frozen) {
    const atMs = run.now + leftMs;
    startTimer(run, id, { ...timer, atMs });
    if (timer.kind === 'gateDeadline' || timer.kind === 'taskDeadline') setDeadline(run, timer.target, atMs);
  }
}

function setDeadline(run: Run, id: string, atMs: number | undefined): void {
  const flight = run.state.inFlight[id];
  if (flight !== undefined && isTask(flight)) {
    if (atMs === undefined) delete flight.task.deadlineMs;
    else flight.task.deadlineMs = atMs;
    return touchTask(run, flight, true);
  }
  const gate = run.state.gates[id];
  if (gate === undefined) return;
  if (atMs === undefined) delete gate.deadlineMs;
  else gate.deadlineMs = atMs;
  touchGate(run, gate);
}
