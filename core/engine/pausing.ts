import type { Actor } from '../contract/local-activities';
import { touchGate } from './gate-timers';
import { audit, cancelTimer, isGateTimer, startTimer, type Run } from './run';

/** Nothing new starts, what runs finishes. `freeze`: the deadlines and reminders of gates stand still until the run goes on. */
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
  const timers = Object.entries(run.state.timers).filter(([, timer]) => isGateTimer(timer));
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
  for (const [id, { leftMs, timer }] of frozen) {
    const atMs = run.now + leftMs;
    startTimer(run, id, { ...timer, atMs });
    if (timer.kind === 'gateDeadline') setDeadline(run, timer.target, atMs);
  }
}

function setDeadline(run: Run, id: string, atMs: number | undefined): void {
  const gate = run.state.gates[id];
  if (gate === undefined) return;
  if (atMs === undefined) delete gate.deadlineMs;
  else gate.deadlineMs = atMs;
  touchGate(run, gate);
}
