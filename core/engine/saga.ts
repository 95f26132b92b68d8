import { executorFactsOf } from '../contract/agents';
import type { AssignedAgent, AssignmentReply, AssignmentRequest } from '../contract/local-activities';
import type { TerminalRunStatus } from '../contract/states';
import type { PlanStep } from '../plan/types';
import { selectCompensations } from './ending';
import { isSuccess, launchEffect, recordEnd, type EffectEnded } from './launching';
import type { StepNode } from './plan-index';
import { moveStep } from './moves';
import { audit, effectId, engineActor, findStep, type Run } from './run';
import { continueStepUndo } from './step-undo';
import type { CompensationEntry } from './run-state';
import { undoEffect, undoRequest } from './undo-request';

/**
 * The next compensation to run, when everything that ran has ended: one at a time, in reverse order of completion, by the agent that
 * did the work. Choosing and ordering happens once, when nothing can be added any more.
 */
export function nextUndoRequest(run: Run): AssignmentRequest | undefined {
  const { ending, inFlight } = run.state;
  if (ending === undefined || Object.keys(inFlight).length > 0) return undefined;
  if (ending.selected !== true) {
    ending.selected = true;
    const chosen = selectCompensations(run, ending);
    const others = run.state.compensations.filter((entry) => !chosen.includes(entry));
    for (const entry of others) if (entry.state === 'registered') entry.state = 'dropped';
    run.state.compensations = [...chosen, ...others];
  }
  const entry = run.state.compensations.find((one) => one.state === 'registered');
  if (entry === undefined) return undefined;
  return undoRequest(run, entry);
}

/** Launches what got its agent. True where one is busy: to be asked again later. */
export function onUndoReplies(run: Run, replies: Map<string, AssignmentReply>): boolean {
  let isBusy = false;
  for (const entry of run.state.compensations) {
    if (entry.state !== 'requested') continue;
    const reply = replies.get(effectId(undoEffect(entry)));
    if (reply === undefined || reply.kind === 'busy') {
      entry.state = 'registered';
      entry.isBusy = true;
      isBusy = true;
    } else {
      startUndo(run, entry, reply);
    }
  }
  return isBusy;
}

function startUndo(run: Run, entry: CompensationEntry, reply: Exclude<AssignmentReply, { kind: 'busy' }>): void {
  const node = findStep(run, entry.step);
  if (node.run.state === 'passed') moveStep(run, node, 'undo', { reason: run.state.ending?.reason });
  if (reply.kind === 'nobody') return finishUndo(run, node, entry, `nobody can undo it: ${reply.reason}`);
  entry.state = 'running';
  entry.agent = undoingAgent(node.plan, reply.agent);
  audit(run, {
    actor: engineActor,
    action: 'compensation.started',
    object: entry.step,
    generation: entry.effect.generation,
    details: { undoes: effectId(entry.effect), action: entry.action, agent: entry.agent.id },
  });
  launchEffect(run, node, 'undo', {
    effect: undoEffect(entry),
    agent: entry.agent,
    action: entry.action,
    ...(entry.share === undefined ? {} : { share: entry.share }),
  });
}

/** The agent that did the work, called in the way that the step's `compensate` says. */
function undoingAgent({ compensate }: PlanStep, agent: AssignedAgent): AssignedAgent {
  if (compensate === undefined || 'action' in compensate) return agent;
  const { taskQueue: _, ...rest } = agent;
  return { ...rest, ...executorFactsOf(compensate.executor) };
}

/** A compensation that fails (its retries used up) is recorded, and the rest continue. */
export function onUndoEnded(run: Run, node: StepNode, event: EffectEnded): void {
  const id = effectId(event.effect);
  const entry = run.state.compensations.find((one) => one.state === 'running' && effectId(undoEffect(one)) === id);
  if (entry === undefined) return;
  recordEnd(run, event, entry.agent);
  const failure = isSuccess(event) ? undefined : (event.failure?.message ?? event.result?.summary ?? 'it reported failure');
  finishUndo(run, node, entry, failure);
}

function finishUndo(run: Run, node: StepNode, entry: CompensationEntry, failure: string | undefined): void {
  entry.state = failure === undefined ? 'done' : 'failed';
  if (failure !== undefined) entry.failure = failure;
  run.changes.run = true;
  if (failure !== undefined) run.changes.urgent = true;
  audit(run, {
    actor: engineActor,
    action: failure === undefined ? 'compensation.finished' : 'compensation.failed',
    object: entry.step,
    generation: entry.effect.generation,
    outcome: failure === undefined ? 'success' : 'failure',
    ...(failure === undefined ? {} : { reason: failure }),
    details: { undoes: effectId(entry.effect), action: entry.action },
  });
  if (entry.isDue === true) return onStepUndoEnded(run, node);
  const ofStep = run.state.compensations.filter((other) => other.step === entry.step);
  if (node.run.state !== 'compensating' || ofStep.some((other) => other.state === 'registered' || other.state === 'requested')) return;
  const failed = ofStep.find((other) => other.state === 'failed');
  if (failed === undefined) moveStep(run, node, 'undone', { reason: `undone: ${run.state.ending?.reason ?? ''}` });
  else moveStep(run, node, 'undoFailed', { reason: `could not be undone: ${failed.failure ?? ''}` });
}

/**
 * Of a step that undoes itself: judged like the end of work, since its failure may end the run, and comes after what has succeeded at the
 * same moment. One that has to run again meanwhile may start as soon as all of it is undone.
 */
function onStepUndoEnded(run: Run, node: StepNode): void {
  if (node.run.undoing !== undefined || run.state.ending !== undefined) {
    if (!run.work.judge.includes(node)) run.work.judge.push(node);
  } else if (continueStepUndo(run, node) && node.unmet === 0) run.work.start.push(node);
}

/** How an ending run ends, once nothing runs and nothing is left to undo; undefined before. */
export function endOfSaga(run: Run): { status: TerminalRunStatus; reason: string } | undefined {
  const { ending, inFlight, asking, compensations } = run.state;
  if (ending?.selected !== true || asking !== undefined || Object.keys(inFlight).length > 0) return undefined;
  if (compensations.some((entry) => entry.state === 'registered' || entry.state === 'requested')) return undefined;
  const failed = compensations.filter((entry) => entry.state === 'failed').map((entry) => entry.step);
  if (failed.length > 0) return { status: 'rollback_failed', reason: `${ending.reason}; not undone: ${[...new Set(failed)].join(', ')}` };
  if (ending.kind === 'cancel') return { status: 'cancelled', reason: ending.reason };
  return { status: compensations.some((entry) => entry.state === 'done') ? 'rolled_back' : 'failed', reason: ending.reason };
}
