import type { AgentResult } from '../contract/agent-document';
import type { Outcome } from '../contract/states';
import type { StepNode } from './plan-index';
import type { Run } from './run';

/** No activity records the end of a monitor step, because none runs for all of it: the workflow does. */
export function recordMonitorEnd(run: Run, node: StepNode, end: { outcome: Outcome; result?: AgentResult }): void {
  const [slot] = node.run.slots;
  if (slot === undefined) return;
  slot.state = end.outcome === 'success' ? 'succeeded' : end.outcome === 'cancelled' ? 'cancelled' : 'failed';
  slot.endedAtMs = run.now;
  const entry = node.run.effects?.findLast((one) => one.mode === 'do' && one.generation === node.run.generation);
  if (entry !== undefined) {
    entry.endedAtMs = run.now;
    entry.outcome = end.outcome;
  }
  run.changes.ends.push({
    path: node.plan.id,
    generation: node.run.generation,
    slot: 1,
    assignment: currentAssignment(node),
    mode: 'do',
    outcome: end.outcome,
    atMs: run.now,
    ...(node.run.monitor === undefined ? {} : { startedAtMs: node.run.monitor.startedAtMs }),
    durationFactor: run.options.timeScale,
    ...(end.outcome === 'failure' && end.result?.summary !== undefined ? { failure: end.result.summary } : {}),
    ...(end.result === undefined ? {} : { result: end.result }),
  });
}

/** A monitor that is stopped before its end; nothing for any other step. */
export function recordMonitorStop(run: Run, node: StepNode): void {
  if (node.run.monitor !== undefined && node.run.slots[0]?.state === 'running') recordMonitorEnd(run, node, { outcome: 'cancelled' });
}

export function currentAssignment(node: StepNode): number {
  return node.run.slots[0]?.assignment ?? 1;
}
