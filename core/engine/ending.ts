import type { Actor } from '../contract/local-activities';
import { withdrawGate } from './gates';
import { recordMonitorStop } from './monitor-end';
import { moveStep } from './moves';
import { audit, cancelEffects, cancelTimer, engineActor, openGateIds, type Run } from './run';
import { thawTimers } from './pausing';
import { endStepUndo } from './step-undo';
import { isSettled } from './transitions';
import type { CompensationEntry, RunEnding } from './run-state';

/**
 * The run is to end before its plan does: nothing new starts, what runs is cancelled and waited for, gates are withdrawn, timers
 * stopped. What is undone then is chosen by `core/engine/saga.ts`. The first reason stands.
 */
export function beginEnding(run: Run, ending: Omit<RunEnding, 'atMs'>, actor: Actor = engineActor): void {
  if (run.state.ending !== undefined) {
    audit(run, { actor, action: 'run.ending_repeated', object: run.options.run.id, reason: ending.reason });
    return;
  }
  run.state.ending = { ...ending, atMs: run.now };
  run.state.reason = ending.reason;
  run.changes.run = true;
  run.changes.urgent = true;
  const frozen = Object.entries(run.state.paused?.frozen ?? {});
  delete run.state.paused;
  audit(run, {
    actor,
    action: ending.kind === 'cancel' ? 'run.cancel_started' : 'run.failure_found',
    object: run.options.run.id,
    reason: ending.reason,
    details: { rollback: ending.rollback, ...(ending.steps === undefined ? {} : { steps: ending.steps }) },
  });
  const why = ending.kind === 'cancel' ? `the run is cancelled: ${ending.reason}` : `the run ends: ${ending.reason}`;
  for (const id of openGateIds(run)) withdrawGate(run, id, why);
  // A person who undoes something goes on with it, and the deadline too.
  for (const [id, { kind }] of Object.entries(run.state.timers)) if (kind !== 'taskDeadline') cancelTimer(run, id);
  thawTimers(
    run,
    frozen.filter(([, { timer }]) => timer.kind === 'taskDeadline'),
  );
  run.wanting.clear();
  run.busy.clear();
  delete run.state.busy;
  for (const node of run.index.steps) {
    if (isSettled(node.run.state)) continue;
    for (const slot of node.run.slots) if (slot.state === 'wanted' || slot.state === 'busy') slot.state = 'cancelled';
    recordMonitorStop(run, node);
    if (node.inFlight > 0) cancelEffects(run, node, why);
    else if (!endStepUndo(run, node)) moveStep(run, node, 'stop', { reason: why });
  }
}

/** Which registered compensations an ending will run, the last one completed first; unknown outcomes count as last. */
export function selectCompensations(run: Run, ending: RunEnding): CompensationEntry[] {
  const steps = new Set(ending.steps ?? []);
  const chosen = run.state.compensations.filter((entry) => {
    if (entry.state !== 'registered') return false;
    if (entry.isDue === true) return true;
    if (ending.rollback === 'all') return true;
    if (ending.rollback === 'none') return false;
    if (ending.rollback === 'steps') return steps.has(entry.step);
    return run.index.byId.get(entry.step)?.plan.environments.includes('production') === true;
  });
  const place = (entry: CompensationEntry): number => entry.sequence ?? Number.POSITIVE_INFINITY;
  return chosen
    .map((entry, index) => ({ entry, index }))
    .sort((a, b) => (place(b.entry) === place(a.entry) ? b.index - a.index : place(b.entry) - place(a.entry)))
    .map(({ entry }) => entry);
}

/** True while something is left to undo, or is being undone. */
export function isRollingBack(run: Run): boolean {
  const { ending } = run.state;
  if (ending === undefined) return false;
  if (ending.selected !== true) return selectCompensations(run, ending).length > 0;
  return run.state.compensations.some(
    (entry) => entry.state === 'done' || entry.state === 'failed' || entry.state === 'requested' || entry.state === 'running',
  );
}
