import type { AssignedAgent, EffectEnd, EffectRef, RecordedSuccess } from '../contract/local-activities';
import type { PlanStep } from '../plan/types';
import { partsOfPath, stepOfPath } from '../contract/ids';
import type { StepNode } from './plan-index';
import { currentSubStep } from './rollout';
import { audit, effectId, engineActor, type Run } from './run';
import type { EffectLogEntry, InFlightEffect } from './run-state';
import { closeTask, openTask } from './tasks';
import type { Decision, EngineEvent } from './types';

export type EffectEnded = Extract<EngineEvent, { type: 'effectEnded' }>;

/** Tells the driver to run an effect, or asks a person to do it, and remembers that it runs. */
export function launchEffect(
  run: Run,
  node: StepNode,
  kind: InFlightEffect['kind'],
  launch: Omit<Extract<Decision, { type: 'launch' }>, 'type' | 'step'>,
): void {
  const { effect, agent } = launch;
  const flight: InFlightEffect = { effect, step: node.plan.id, kind };
  run.state.inFlight[effectId(effect)] = flight;
  node.inFlight += 1;
  if (agent.executor === 'human') openTask(run, node, flight, launch);
  else run.decisions.push({ type: 'launch', step: node.plan.id, ...launch });
  if (kind !== 'sample') logEffect(node, effect, { agent: agent.id, startedAtMs: run.now });
}

/** An effect that had succeeded before the run was reset: nothing is launched, all else is as if it had been. */
export function adoptEffect(
  run: Run,
  node: StepNode,
  { effect, agent, done }: { effect: EffectRef; agent: AssignedAgent; done: RecordedSuccess },
): void {
  const { startedAtMs, endedAtMs } = done;
  logEffect(node, effect, { agent: agent.id, startedAtMs, endedAtMs, outcome: 'success' });
  audit(run, {
    actor: engineActor,
    action: 'effect.adopted',
    object: effectId(effect),
    reason: 'it had succeeded before the run was reset',
  });
}

function logEffect(
  node: StepNode,
  { path, generation, slot, assignment, mode }: EffectRef,
  entry: Pick<EffectLogEntry, 'agent' | 'startedAtMs' | 'endedAtMs' | 'outcome'>,
): void {
  const { subStep } = partsOfPath(path);
  (node.run.effects ??= []).push({ generation, slot, assignment, mode, ...(subStep !== undefined && { subStep }), ...entry });
}

/** Takes an effect out of those that run; undefined when it is not one of them (a late or repeated message). */
export function landEffect(run: Run, event: EffectEnded): InFlightEffect | undefined {
  const id = effectId(event.effect);
  const flight = run.state.inFlight[id];
  if (flight === undefined) return undefined;
  delete run.state.inFlight[id];
  const node = run.index.byId.get(flight.step);
  if (node === undefined) return undefined;
  node.inFlight -= 1;
  closeTask(run, flight);
  if (flight.kind === 'sample') return flight;
  const entry = findLogEntry(node, event.effect);
  if (entry !== undefined) {
    entry.endedAtMs = event.endedAtMs ?? event.atMs;
    if (event.startedAtMs !== undefined) entry.startedAtMs = event.startedAtMs;
    entry.outcome = outcomeOf(event);
    if (event.reporter !== undefined && event.reporter.id !== entry.agent) entry.reporter = event.reporter.id;
  }
  return flight;
}

export function findLogEntry(node: StepNode, effect: EffectRef): EffectLogEntry | undefined {
  return node.run.effects?.findLast(
    (entry) =>
      entry.generation === effect.generation &&
      entry.slot === effect.slot &&
      entry.assignment === effect.assignment &&
      entry.mode === effect.mode &&
      entry.subStep === partsOfPath(effect.path).subStep,
  );
}

export function isSuccess(event: EffectEnded): boolean {
  return event.failure === undefined && event.result?.status === 'success';
}

export function outcomeOf(event: EffectEnded): EffectEnd['outcome'] {
  if (isSuccess(event)) return 'success';
  if (event.failure?.kind === 'cancelled') return 'cancelled';
  return event.failure?.kind === 'unknown' ? 'unknown' : 'failure';
}

/** What no activity of ours could record: a known failure says so, and foreign workers and people record nothing at all. */
export function recordEnd(run: Run, event: EffectEnded, agent: AssignedAgent | undefined): void {
  const { failure, result, effect, reporter } = event;
  const isOthers = agent?.executor === 'worker' || agent?.executor === 'human';
  if (failure === undefined ? !isOthers : failure.recorded) return;
  if (failure?.kind === 'superseded') return;
  const answer = result ?? failure?.result;
  const node = run.index.byId.get(stepOfPath(effect.path));
  const startedAtMs = isOthers && node !== undefined ? findLogEntry(node, effect)?.startedAtMs : undefined;
  run.changes.ends.push({
    ...effect,
    outcome: outcomeOf(event),
    atMs: event.endedAtMs ?? event.atMs,
    ...(reporter === undefined ? {} : { actor: reporter }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(agent?.executor === 'simulate' ? { durationFactor: run.options.timeScale } : {}),
    ...(failure === undefined ? {} : { failure: failure.message }),
    ...(answer === undefined ? {} : { result: answer }),
  });
}

/**
 * Registers how an effect is undone, before it starts: an unknown outcome is undone too. A sub-step of a deployment is undone by its own
 * action, unless the step has a `compensate`.
 */
export function registerCompensation(run: Run, node: StepNode, effect: EffectRef, agent: AssignedAgent): void {
  const { compensations } = run.state;
  const part = currentSubStep(run, node)?.part;
  if (part !== undefined && node.plan.compensate === undefined) {
    const share = part.share === undefined ? {} : { share: part.share };
    compensations.push({ effect, step: node.plan.id, action: part.action, ...share, agent, state: 'registered' });
    return;
  }
  const action = compensationOf(node.plan, agent);
  if (action === undefined) return;
  if (part === undefined) {
    compensations.push({ effect, step: node.plan.id, action, agent, state: 'registered' });
    return;
  }
  // The step says how all of it is undone: once, whatever of it was done.
  const known = compensations.find(
    (one) => one.step === node.plan.id && one.effect.generation === effect.generation && one.state === 'registered',
  );
  if (known !== undefined) known.agent = agent;
  else
    compensations.push({
      effect: { ...effect, path: node.plan.id, assignment: 1 },
      step: node.plan.id,
      action,
      agent,
      state: 'registered',
      isWhole: true,
    });
}

/** The step's own `compensate`, else the agent's, else what a deployment implies. */
export function compensationOf(step: PlanStep, agent: AssignedAgent): string | undefined {
  if (step.compensate !== undefined) return 'action' in step.compensate ? step.compensate.action : 'compensate';
  if (agent.compensate !== undefined) return agent.compensate;
  const isDeployment = step.deploys && (step.rollbackOn !== undefined || step.environments.includes('production'));
  return isDeployment ? 'rollback' : undefined;
}
