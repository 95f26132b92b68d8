import { onPhaseDecided } from './phases';
import { tryAgain } from './completion';
import { findStep, type Run } from './run';
import { blockStep, failStep, isOverridden, overrideCheck } from './setbacks';
import { isSettled } from './transitions';
import type { GateRunState } from './run-state';

/** A gate has been decided: what it held goes on, or fails. */
export function onGateDecided(run: Run, gate: GateRunState): void {
  if (run.state.ending !== undefined) return;
  if (gate.kind === 'phase') {
    const phase = run.index.phaseById.get(gate.phase ?? '');
    if (phase !== undefined) onPhaseDecided(run, phase);
    return;
  }
  const node = findStep(run, gate.step ?? '');
  if (isSettled(node.run.state)) return;
  const isApproved = gate.decision === 'approved';
  const voter = gate.votes.at(-1)?.by;
  const reason = `${gate.decision === 'timed_out' ? 'not approved in time' : `rejected by ${voter ?? 'the timer'}`}${gate.reason === undefined ? '' : `: ${gate.reason}`}`;
  switch (gate.kind) {
    case 'start':
      if (!isApproved) return failStep(run, node, reason);
      node.run.startGiven = true;
      run.work.start.push(node);
      return;
    case 'approval':
      if (isApproved) {
        node.run.approved = true;
        (node.run.slots.length > 0 ? run.work.end : run.work.start).push(node);
      } else if (node.plan.ifBlocked !== undefined || (gate.decision === 'timed_out' && node.plan.approval?.onTimeout === 'block')) {
        blockStep(run, node, 'approval', reason);
      } else {
        failStep(run, node, reason);
      }
      return;
    case 'unknown':
      if (isApproved) tryAgain(run, node);
      else failStep(run, node, reason, { isFinal: true });
      return;
    case 'blocked':
      onBlockDecided(run, gate, reason);
      return;
  }
}

function onBlockDecided(run: Run, gate: GateRunState, rejection: string): void {
  const node = findStep(run, gate.step ?? '');
  const check = node.run.blockedBy;
  if (gate.decision !== 'approved' || check === undefined) {
    failStep(run, node, `${node.run.reason ?? 'blocked'}; ${rejection}`, { isFinal: true });
    return;
  }
  overrideCheck(run, node, check);
  if (check === 'requires' || (node.run.slots.length === 0 && !isOverridden(node, 'failure'))) run.work.start.push(node);
  else {
    // A step that failed for good has no result: it goes on as if it had passed, with nothing to show.
    node.run.result ??= { status: 'success', summary: `overridden: ${node.run.reason ?? ''}` };
    run.work.end.push(node);
  }
}
