import { takeSample } from './reference-monitors';
import { partsOf } from './deployment-parts';
import { findDue, partOf, pathOf } from './reference-rollouts';
import { fail } from './reference-steps';
import { atWork, findNextToStart, stepOf, type Effect, type Slot, type Step, type Undo, type World } from './reference-world';
import { chooseAgent, endOf, type Choice } from './run-script';

/** Who does the work of the reference model: questions for agents, those who are busy, and what is launched then. */

const firstDelayMs = 1_000;
const longestDelayMs = 15_000;

interface Question {
  step: Step;
  /** Work to do, or to undo. */
  slot?: Slot;
  undo?: Undo;
}

/**
 * One question for all that need an agent and have room. Who finds all busy gives the slot back, so that the next question may be for
 * others. False where nobody is to be asked for.
 */
export function askForAgents(world: World): boolean {
  const wasReady = new Set(world.steps.filter((step) => step.state === 'ready'));
  const questions = findQuestions(world);
  if (questions.length === 0) return false;
  const choices = chooseAll(world, questions);
  const isFailing = (step: Step): boolean =>
    questions.some(({ step: of, slot }, index) => of === step && slot && choices[index] === 'nobody');
  const asked = [...new Set(questions.map(({ step }) => step))];
  // What nobody can do fails first: that may end the run, and nothing starts then.
  const steps = [...asked.filter(isFailing), ...asked.filter((step) => !isFailing(step))];
  for (const [index, { undo }] of questions.entries()) if (undo !== undefined) answerUndo(world, undo, choices[index]!);
  for (const step of steps) {
    const started = questions.filter(
      ({ step: of, slot }, index) => of === step && slot !== undefined && answer(world, step, slot, choices[index]!),
    );
    if (step.state !== 'running' || step.slots.every(({ state }) => state !== 'busy')) continue;
    const givesBack = wasReady.has(step) && started.length === 0;
    if (givesBack) step.state = 'ready';
    wait(world, givesBack ? step.plan.role : undefined);
  }
  forgetBusy(world);
  return true;
}

/** Undoing first, also while the run is paused; then steps in work that want another agent, and those that may start, in their order. */
function findQuestions(world: World): Question[] {
  const undos = world.steps.flatMap((step): Question[] => {
    const undo = findDue(world, step).at(-1);
    return undo?.state === 'registered' && !undo.isBusy && atWork(world, step).length === 0 ? [{ step, undo }] : [];
  });
  if (world.isPaused) return undos;
  for (let next = findNextToStart(world); next !== undefined; next = findNextToStart(world)) {
    next.state = 'running';
    next.holdsTurn = true;
    if (next.slots.length === 0) next.slots = Array.from({ length: next.plan.count }, (_, index) => newSlot(index + 1));
    for (const slot of next.slots) if (slot.state === 'busy') slot.state = 'wanted';
  }
  const working = world.steps.filter((step) => step.state === 'running' && step.undoing === undefined).sort(world.inOrder);
  const wanted = working.flatMap((step) => step.slots.filter(({ state }) => state === 'wanted').map((slot) => ({ step, slot })));
  return [...undos, ...wanted];
}

function newSlot(slot: number): Slot {
  return { slot, assignment: 1, excluded: [], state: 'wanted' };
}

/** One after the other: what one gets another cannot have. */
function chooseAll(world: World, questions: readonly Question[]): Choice[] {
  const granted: string[] = [];
  return questions.map(({ step, slot, undo }) => {
    const before = step.lastAgent !== undefined && slot?.excluded.includes(step.lastAgent) === false ? step.lastAgent : undefined;
    const loadOf = (agent: string): number =>
      atWork(world).filter((effect) => !effect.isSample && effect.agent === agent).length + granted.filter((one) => one === agent).length;
    const asked = { role: step.plan.role, agentId: undo?.agent ?? before, exclude: slot?.excluded ?? [] };
    const choice = chooseAgent(world.script, asked, { nowMs: world.nowMs, loadOf });
    if (typeof choice === 'object') granted.push(choice.agent);
    return choice;
  });
}

/** True when it starts. */
function answer(world: World, step: Step, slot: Slot, choice: Choice): boolean {
  // Another answer has ended the step, or the run.
  if (world.ending !== undefined || step.state !== 'running' || step.undoing !== undefined) slot.state = 'cancelled';
  else if (typeof choice === 'object') start(world, step, slot, choice.agent);
  else if (choice === 'busy') slot.state = 'busy';
  else {
    slot.state = 'failed';
    fail(world, step);
  }
  return slot.state === 'running';
}

function answerUndo(world: World, undo: Undo, choice: Choice): void {
  undo.isBusy = typeof choice !== 'object';
  if (undo.isBusy) return wait(world);
  const step = stepOf(world, undo.step);
  if (step.state === 'passed') step.state = 'compensating';
  undo.state = 'running';
  const { path, generation, slot, assignment, agent, action, percent } = undo;
  begin(world, { step: undo.step, path, generation, slot, assignment, mode: 'undo', agent, action, percent });
}

/** The run undoes what was done: whoever did it is waited for. */
export function askToUndo(world: World, undo: Undo): void {
  if (world.askAgainMs !== undefined) return;
  const question = { step: stepOf(world, undo.step), undo };
  answerUndo(world, undo, chooseAll(world, [question])[0]!);
  forgetBusy(world);
}

/** Somebody is busy: asked again when work of this run ends, else after some time, which grows while there is always somebody. */
function wait(world: World, role?: string): void {
  if (role !== undefined) world.busyRoles.add(role);
  if (world.askAgainMs !== undefined) return;
  world.askAgainMs = world.nowMs + world.busyDelayMs;
  world.busyDelayMs = Math.min(2 * world.busyDelayMs, longestDelayMs);
}

export function askAgain(world: World): void {
  delete world.askAgainMs;
  world.busyRoles.clear();
  for (const undo of world.undos) undo.isBusy = false;
  for (const step of world.steps.filter(({ state }) => state === 'running')) {
    for (const slot of step.slots) if (slot.state === 'busy') slot.state = 'wanted';
  }
}

function forgetBusy(world: World): void {
  if (world.askAgainMs === undefined && world.busyRoles.size === 0) world.busyDelayMs = firstDelayMs;
}

function start(world: World, step: Step, slot: Slot, agent: string): void {
  slot.state = 'running';
  if (step.plan.monitor !== undefined) return takeSample(world, step);
  slot.agent = agent;
  const { action, percent } = partOf(step) ?? {};
  const { generation } = step;
  const effect = begin(world, {
    ...{ step: step.plan.id, path: pathOf(step), generation, slot: slot.slot, assignment: slot.assignment, mode: 'do' },
    ...{ agent, action, percent },
  });
  register(world, step, effect);
}

/** How it is undone: a sub-step by its own action, unless the step says how all of the deployment is undone at once. */
function register(world: World, step: Step, effect: Effect): void {
  const { plan, generation } = step;
  const { compensate, deploys, environments, rollbackOn } = plan;
  const isPart = partsOf(plan).length > 0;
  const implied = deploys && (environments.includes('production') || rollbackOn !== undefined) ? 'rollback' : undefined;
  const action = compensate !== undefined && 'action' in compensate ? compensate.action : isPart ? effect.action : implied;
  const isWhole = isPart && compensate !== undefined;
  const known =
    isWhole && world.undos.find((undo) => undo.step === plan.id && undo.generation === generation && undo.state === 'registered');
  if (known) {
    known.effects.push(effect);
    known.agent = effect.agent;
    return;
  }
  if (action === undefined) return;
  const whole = isWhole && { path: plan.id, assignment: 1, percent: undefined };
  const { path, slot, assignment, agent, percent } = effect;
  world.undos.push({
    ...{ step: plan.id, path, generation, slot, assignment, agent, percent, ...whole, action },
    ...{ effects: [effect], isDue: false, isBusy: false, state: 'registered' },
  });
}

function begin(
  world: World,
  what: Pick<Effect, 'step' | 'path' | 'generation' | 'slot' | 'assignment' | 'mode' | 'agent' | 'action' | 'percent'>,
): Effect {
  const { durationMs, failure, result } = endOf(world.script, what);
  const { coverage, error_rate: errors } = result.metrics ?? {};
  const isRisky = result.risks !== undefined;
  const effect: Effect = {
    ...what,
    isSample: false,
    launchedAtMs: world.nowMs,
    endsAtMs: world.nowMs + durationMs,
    end: failure ?? 'success',
    report: {
      isRisky,
      ...(result.verdict && { verdict: result.verdict }),
      ...(typeof coverage === 'number' && { coverage }),
      ...(typeof errors === 'number' && { errors }),
    },
    hasEnded: false,
    isStopping: false,
  };
  world.effects.push(effect);
  return effect;
}
