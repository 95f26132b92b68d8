import type { Outcome, OutsideEvent, RunScript } from './run-script';
import { endOf } from './run-script';
import { castVote, expireGates } from './reference-gates';
import { changeOne } from './reference-changes';
import { goOnMonitoring, isBetweenSamples, judgeSample, takeSample } from './reference-monitors';
import { beginEnding, renew } from './reference-steps';
import {
  atWork,
  createWorld,
  findHolder,
  findNextToStart,
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
 * launches. Agents are never busy here, and no deployment has sub-steps.
 */
export function predict(script: RunScript): Outcome {
  const world = createWorld(script);
  follow(world);
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
    ...world.steps.flatMap((step) => step.nextSampleMs ?? []),
    ...openGates(world).flatMap((gate) => gate.deadlineMs ?? []),
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
  expireGates(world);
  goOnMonitoring(world);
  for (const step of world.steps) {
    if (step.state === 'deferred' && step.deferredUntilMs! <= world.nowMs && world.ending === undefined) renew(world, step);
  }
}

function hear(world: World, event: OutsideEvent): void {
  if (event.kind === 'vote') castVote(world, event);
  else if (event.kind === 'cancel') beginEnding(world, { kind: 'cancel', rollback: event.noRollback ? 'none' : 'all' });
  else if (world.ending === undefined) world.isPaused = event.kind === 'pause';
}

function land(world: World, effect: Effect): void {
  effect.hasEnded = true;
  if (effect.isSample) return judgeSample(world, effect);
  const undo = world.undos.find((one) => (effect.mode === 'undo' ? one.state === 'running' : one.effect === effect))!;
  if (effect.mode === 'undo') {
    undo.state = effect.end === 'success' ? 'done' : 'failed';
    return;
  }
  const ends = world.undos.filter(({ place }) => place !== undefined).length;
  if (effect.end === 'not_runnable') undo.state = 'dropped';
  else if (effect.end !== 'unknown') undo.place = ends + 1;
  const step = stepOf(world, effect.step);
  const slot = step.slots.find((one) => one.slot === effect.slot && one.assignment === effect.assignment);
  if (slot?.state !== 'running' || step.generation !== effect.generation) return;
  step.hasNews = true;
  slot.state = effect.end === 'success' ? 'succeeded' : effect.end === 'cancelled' ? 'cancelled' : 'failed';
  if (effect.end === 'success') slot.report = effect.report;
  else slot.newFailure = effect.end;
}

/** All that follows at this moment. */
function follow(world: World): void {
  for (let rounds = 0; changeOne(world); rounds += 1) {
    if (rounds > 5_000) throw new Error('The reference model goes round in circles');
  }
  if (world.ending !== undefined) return windUp(world);
  if (!world.isPaused) launch(world);
  if (world.steps.every(isSettled) && world.phases.every((phase) => phase.state === 'passed') && atWork(world).length === 0) {
    world.status = 'completed';
    return;
  }
  // Those that hold each other back do not wait for ever: the first goes on.
  const isIdle = atWork(world).length === 0 && openGates(world).length === 0 && !world.isPaused;
  const held = world.steps.find((step) => mayStart(world, step) && findHolder(world, step) !== undefined);
  if (!isIdle || held === undefined || world.steps.some(isBetweenSamples) || world.steps.some((step) => step.state === 'deferred')) return;
  held.isHeldNoLonger = true;
  follow(world);
}

function launch(world: World): void {
  for (let next = findNextToStart(world); next !== undefined; next = findNextToStart(world)) {
    next.state = 'running';
    if (next.slots.length > 0) continue;
    next.slots = Array.from({ length: next.plan.count }, (_, index) => ({
      slot: index + 1,
      assignment: 1,
      failedAgents: 0,
      state: 'wanted' as const,
    }));
  }
  const wanting = world.steps.filter((step) => step.state === 'running').sort(world.inOrder);
  for (const step of wanting) for (const slot of step.slots) if (slot.state === 'wanted') start(world, step, slot);
}

function start(world: World, step: Step, slot: Step['slots'][number]): void {
  slot.state = 'running';
  if (step.plan.monitor !== undefined) return takeSample(world, step);
  const { id, count, role } = step.plan;
  const key = { step: id, generation: step.generation, slot: slot.slot, assignment: slot.assignment, mode: 'do' as const };
  const effect = begin(world, key, { count, agent: `${role}-${slot.failedAgents + 1}` });
  const { compensate, deploys, environments } = step.plan;
  const canBeUndone = compensate !== undefined || (deploys && environments.includes('production'));
  world.undos.push({ effect, state: canBeUndone ? 'registered' : 'dropped' });
}

function begin(
  world: World,
  key: Pick<Effect, 'step' | 'generation' | 'slot' | 'assignment' | 'mode'>,
  by: { count: number; agent: string },
): Effect {
  const { durationMs, failure, result } = endOf(world.script.work[key.step]!, key, by.count);
  const coverage = result.metrics?.['coverage'];
  const effect: Effect = {
    ...key,
    path: key.step,
    isSample: false,
    launchedAtMs: world.nowMs,
    endsAtMs: world.nowMs + durationMs,
    end: failure ?? 'success',
    report: { ...(result.verdict && { verdict: result.verdict }), ...(typeof coverage === 'number' && { coverage }) },
    agent: by.agent,
    hasEnded: false,
    isStopping: false,
  };
  world.effects.push(effect);
  return effect;
}

/** The run is ending: what was stopped settles as it ends; then the work is undone, the last that ended first, one at a time. */
function windUp(world: World): void {
  for (const step of world.steps.filter((one) => !isSettled(one) && atWork(world, one).length === 0)) {
    const isDone = step.state === 'running' && step.slots.every((slot) => slot.state === 'succeeded');
    const isJudgedLater = step.plan.gate !== undefined || step.plan.approval?.when === 'after';
    const hasFailed = step.slots.some((slot) => slot.state === 'failed');
    step.state = isDone && !isJudgedLater ? 'passed' : hasFailed ? 'failed' : 'cancelled';
  }
  if (atWork(world).length > 0) return;
  const { rollback, kind, steps: watched = [] } = world.ending!;
  const isChosen = ({ effect, state }: Undo): boolean =>
    state !== 'dropped' &&
    (rollback === 'all' ||
      (rollback === 'steps' && watched.includes(effect.step)) ||
      (rollback === 'production' && stepOf(world, effect.step).plan.environments.includes('production')));
  const chosen = world.undos.filter(isChosen);
  for (const step of world.steps.filter(({ state }) => state === 'passed')) {
    const undos = chosen.filter(({ effect }) => effect.step === step.plan.id);
    if (undos.length === 0 || undos.some(({ state }) => state === 'registered')) continue;
    step.state = undos.some(({ state }) => state === 'failed') ? 'compensation_failed' : 'compensated';
  }
  // What nobody knows the end of counts as the last; of several, the one that was started last.
  const place = (undo: Undo): number => undo.place ?? 1_000_000 + world.undos.indexOf(undo);
  const next = chosen.filter(({ state }) => state === 'registered').sort((a, b) => place(b) - place(a))[0];
  if (next !== undefined) {
    next.state = 'running';
    const { step, generation, slot, assignment, agent } = next.effect;
    begin(world, { step, generation, slot, assignment, mode: 'undo' }, { count: 0, agent });
    return;
  }
  if (chosen.some(({ state }) => state === 'failed')) world.status = 'rollback_failed';
  else if (kind === 'cancel') world.status = 'cancelled';
  else world.status = chosen.length > 0 ? 'rolled_back' : 'failed';
}

function outcomeOf({ status = 'stuck', nowMs, steps, effects, decisions }: World): Outcome {
  const launches = effects.map((effect) => ({
    effect,
    text: `${effect.path}#${effect.generation}.${effect.slot}.${effect.assignment} ${effect.mode}`,
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
