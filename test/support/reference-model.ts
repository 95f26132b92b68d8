import type { Outcome, OutsideEvent, RunScript } from './run-script';
import { describeEffect } from './run-script';
import { nextGateMoments } from './reference-escalation';
import { askAgain, askForAgents, askToUndo } from './reference-agents';
import { castVote, expireGates } from './reference-gates';
import { changeOne } from './reference-changes';
import { goOnMonitoring, isBetweenSamples, judgeSample } from './reference-monitors';
import { partsOf } from './deployment-parts';
import { wantPart } from './reference-rollouts';
import { beginEnding, renew } from './reference-steps';
import {
  atWork,
  createWorld,
  findHolder,
  isSettled,
  mayStart,
  openGates,
  stepOf,
  type Effect,
  type Step,
  type Undo,
  type World,
} from './reference-world';

/**
 * The reference model: what a run of a script must come to, by a small simulation that goes from moment to moment and works
 * everything out anew at each. It shares the plan's types with the engine, and nothing else.
 *
 * It predicts exactly: the state and the generation of every step, each launch (when, which generation, slot and agent), what is
 * undone in which order, every decision of a gate, how and when the run ends.
 *
 * At one moment: what ended (in plan order), what came from outside, deadlines; then all that follows, one change at a time; then
 * questions for agents, and launches.
 */
export function predict(script: RunScript): Outcome {
  const world = createWorld(script);
  follow(world);
  // After what people answer to the gates of the first moment, should both come at once.
  world.agenda.push(...script.outside.map((event) => ({ atMs: event.atMs, event })));
  for (let moments = 0; world.status === undefined; moments += 1) {
    if (moments > 5_000) throw new Error('The reference model does not come to an end');
    const nextMs = nextMoment(world);
    if (nextMs === undefined) break;
    world.nowMs = nextMs;
    happen(world);
    follow(world);
  }
  return outcomeOf(world);
}

function nextMoment(world: World): number | undefined {
  const times = [
    ...atWork(world).map((effect) => effect.endsAtMs),
    ...world.agenda.map(({ atMs }) => atMs),
    ...world.steps.flatMap((step) => step.nextSampleMs ?? step.nextPartMs ?? []),
    ...nextGateMoments(world),
    ...(world.askAgainMs === undefined ? [] : [world.askAgainMs]),
    ...world.steps.flatMap((step) => (step.state === 'deferred' ? (step.deferredUntilMs ?? []) : [])),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

function happen(world: World): void {
  const place = (effect: Effect): number => world.steps.indexOf(stepOf(world, effect.step));
  const ended = atWork(world).filter((effect) => effect.endsAtMs <= world.nowMs);
  ended.sort((a, b) => place(a) - place(b) || a.generation - b.generation || a.slot - b.slot || a.assignment - b.assignment);
  for (const effect of ended) land(world, effect);
  const due = world.agenda.filter(({ atMs }) => atMs <= world.nowMs);
  world.agenda = world.agenda.filter(({ atMs }) => atMs > world.nowMs);
  for (const { event } of due) hear(world, event);
  if (world.askAgainMs !== undefined && world.askAgainMs <= world.nowMs) askAgain(world);
  expireGates(world);
  goOnMonitoring(world);
  for (const step of world.steps) {
    if (step.nextPartMs !== undefined && step.nextPartMs <= world.nowMs) wantPart(step);
    if (step.state === 'deferred' && step.deferredUntilMs! <= world.nowMs && world.ending === undefined) renew(world, step);
  }
}

function hear(world: World, event: OutsideEvent): void {
  if (event.kind === 'vote') castVote(world, event);
  else if (event.kind === 'cancel') beginEnding(world, { kind: 'cancel', rollback: event.noRollback ? 'none' : 'all' });
  else if (world.ending === undefined && world.isPaused !== (event.kind === 'pause')) pause(world, event);
}

function pause(world: World, event: Extract<OutsideEvent, { kind: 'pause' | 'resume' }>): void {
  world.isPaused = event.kind === 'pause';
  if (event.kind === 'pause' && event.freeze) world.frozenSinceMs = world.nowMs;
  if (event.kind === 'resume') {
    world.frozenMs += world.nowMs - (world.frozenSinceMs ?? world.nowMs);
    delete world.frozenSinceMs;
  }
}

function land(world: World, effect: Effect): void {
  effect.hasEnded = true;
  if (effect.isSample) return judgeSample(world, effect);
  // Its agent is free now.
  askAgain(world);
  const step = stepOf(world, effect.step);
  if (effect.mode === 'undo') {
    const undo = world.undos.find((one) => one.state === 'running' && one.step === effect.step)!;
    undo.state = effect.end === 'success' ? 'done' : 'failed';
    return;
  }
  world.ends += 1;
  const undo = world.undos.find(({ effects }) => effects.includes(effect));
  if (undo !== undefined) undo.place = effect.end === 'unknown' ? undefined : world.ends;
  // Nothing was begun.
  if (undo?.effects.every(({ end }) => end === 'not_runnable') === true) undo.state = 'dropped';
  const slot = step.slots.find((one) => one.slot === effect.slot && one.assignment === effect.assignment);
  if (slot?.state !== 'running' || step.generation !== effect.generation) return;
  step.hasNews = true;
  slot.state = effect.end === 'success' ? 'succeeded' : effect.end === 'cancelled' ? 'cancelled' : 'failed';
  if (effect.end === 'success') {
    slot.report = effect.report;
    if (effect.path !== effect.step) step.lastAgent = effect.agent;
  } else slot.newFailure = effect.end;
}

/** All that follows at this moment: changes, then a question for agents, what follows from the answers, and so on. */
function follow(world: World): void {
  do {
    for (let rounds = 0; changeOne(world); rounds += 1) {
      if (rounds > 5_000) throw new Error('The reference model goes round in circles');
    }
    if (world.ending !== undefined) return windUp(world);
  } while (askForAgents(world));
  if (world.steps.every(isSettled) && world.phases.every((phase) => phase.state === 'passed') && atWork(world).length === 0) {
    world.status = 'completed';
    return;
  }
  // Those that hold each other back do not wait for ever: the first goes on.
  const isIdle = atWork(world).length === 0 && openGates(world).length === 0 && !world.isPaused && world.askAgainMs === undefined;
  const held = world.steps.find((step) => mayStart(world, step) && findHolder(world, step) !== undefined);
  const isWaiting = (step: Step): boolean => isBetweenSamples(step) || step.state === 'deferred' || step.nextPartMs !== undefined;
  if (!isIdle || held === undefined || world.steps.some(isWaiting)) return;
  held.isHeldNoLonger = true;
  follow(world);
}

/** The run is ending: what was stopped settles as it ends; then the work is undone, the last that ended first, one at a time. */
function windUp(world: World): void {
  for (const step of world.steps.filter((one) => !isSettled(one) && atWork(world, one).length === 0)) {
    const isLast = step.part + 1 >= partsOf(step.plan).length;
    const isDone = step.state === 'running' && isLast && step.slots.every((slot) => slot.state === 'succeeded');
    const isJudgedLater = step.plan.gate !== undefined || step.plan.approval?.when === 'after';
    const hasFailed = step.slots.some((slot) => slot.state === 'failed');
    step.state = step.undoing?.becomes ?? (isDone && !isJudgedLater ? 'passed' : hasFailed ? 'failed' : 'cancelled');
  }
  if (atWork(world).length > 0) return;
  const { rollback, kind, steps: watched = [] } = world.ending!;
  const isChosen = ({ step, state, isDue }: Undo): boolean =>
    state === 'registered' &&
    (isDue ||
      rollback === 'all' ||
      (rollback === 'steps' && watched.includes(step)) ||
      (rollback === 'production' && stepOf(world, step).plan.environments.includes('production')));
  const chosen = world.undos.filter(isChosen);
  for (const step of world.steps.filter(({ state }) => state === 'compensating')) {
    if (chosen.some((undo) => undo.step === step.plan.id)) continue;
    const hasFailed = world.undos.some((undo) => undo.step === step.plan.id && undo.state === 'failed');
    step.state = hasFailed ? 'compensation_failed' : 'compensated';
  }
  // What nobody knows the end of counts as the last; of several, the one that was started last.
  const place = (undo: Undo): number => undo.place ?? 1_000_000 + world.undos.indexOf(undo);
  const [next] = chosen.sort((a, b) => place(b) - place(a));
  if (next !== undefined) return askToUndo(world, next);
  const has = (state: Undo['state']): boolean => world.undos.some((undo) => undo.state === state);
  if (has('failed')) world.status = 'rollback_failed';
  else if (kind === 'cancel') world.status = 'cancelled';
  else world.status = has('done') ? 'rolled_back' : 'failed';
}

function outcomeOf({ status = 'stuck', nowMs, steps, effects, decisions }: World): Outcome {
  const launches = effects.map((effect) => ({
    effect,
    text: describeEffect(effect),
  }));
  return {
    status,
    endedAtMs: nowMs,
    steps: Object.fromEntries(steps.map(({ plan, state, generation }) => [plan.id, `${state} in generation ${generation}`])),
    launches: launches
      .sort((a, b) => a.effect.launchedAtMs - b.effect.launchedAtMs || (a.text < b.text ? -1 : 1))
      .map(({ effect, text }) => `${effect.launchedAtMs} ${text}`),
    decisions,
  };
}
