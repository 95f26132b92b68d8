import type { Plan } from '../../core/plan/types';
import type { RunScript } from './run-script';
import { startMs, type EngineDriver } from './engine-driver';

interface Work {
  id: string;
  step: string;
  mode: 'do' | 'undo';
  fromMs: number;
  toMs: number;
  isCancelled: boolean;
}

/**
 * What must hold of every run, whatever was predicted of it: read off what was launched and ended, and off the audit, never off the
 * engine's own counters. Samples of monitors apart. The first law that is broken, in words; empty where none is.
 */
export function findBrokenLaw(plan: Plan, driver: EngineDriver, agents: RunScript['agents'] = []): string {
  const launches = driver.launches.filter(({ launch }) => launch.sample === undefined);
  const works = launches.map(({ id, step, atMs, launch }): Work => ({
    id,
    step,
    mode: launch.effect.mode,
    fromMs: atMs,
    toMs: driver.ends.find((end) => end.id === id)?.atMs ?? Number.POSITIVE_INFINITY,
    isCancelled: driver.cancelled.includes(id),
  }));
  const forward = works.filter(({ mode }) => mode === 'do');
  const laws = [
    ...forward.map(
      (work) => launchesTooEarly(plan, driver, work) || exceedsLimit(plan, driver, work, forward) || startsAlthoughStopped(driver, work),
    ),
    ...works.map((work) => exceedsCapacity(driver, agents, work)),
    undoesOutOfOrder(driver, works),
  ];
  return laws.find((broken) => broken !== '') ?? '';
}

/** All that a step depends on has settled, as it asks for, when it is launched. */
function launchesTooEarly(plan: Plan, driver: EngineDriver, { id, step, fromMs }: Work): string {
  const { dependsOn } = plan.steps.find((one) => one.id === step)!;
  const before = driver.audit().filter(({ atMs, action }) => atMs <= fromMs && action.startsWith('step.'));
  for (const { step: needed, when } of dependsOn) {
    const last = before.findLast(({ object, action }) => object === needed && action !== 'step.check_overridden')?.action;
    const allowed = {
      holds: ['passed', 'skipped'],
      done: ['passed', 'skipped', 'failed'],
      passed: ['passed'],
      failed: ['failed'],
      skipped: ['skipped'],
    };
    if (!allowed[when].some((state) => last === `step.${state}`)) return `${id} was launched after ${last ?? 'nothing'} of ${needed}`;
  }
  return '';
}

/**
 * No more steps at work than the run and the phase allow, when one is launched. What is being cancelled takes no slot, nor do the other
 * agents of a step that is blocked.
 */
function exceedsLimit(plan: Plan, driver: EngineDriver, { id, step, fromMs }: Work, works: readonly Work[]): string {
  const phaseIdOf = (one: string): string => plan.steps.find((other) => other.id === one)!.phase;
  const blocked = driver.audit().filter(({ atMs, action }) => atMs <= fromMs && action === 'step.blocked');
  const isBlocked = (work: Work): boolean => blocked.some(({ object, atMs }) => object === work.step && atMs >= work.fromMs);
  const isBusy = (work: Work): boolean => work.fromMs <= fromMs && work.toMs > fromMs && !work.isCancelled && !isBlocked(work);
  const busy = works.filter((work) => work.id === id || isBusy(work));
  const steps = [...new Set(busy.map((work) => work.step))];
  const mates = steps.filter((one) => phaseIdOf(one) === phaseIdOf(step));
  const { maxConcurrentSteps = Number.POSITIVE_INFINITY } = plan.phases.find((phase) => phase.id === phaseIdOf(step))!;
  const isTooMany = steps.length > plan.maxConcurrentSteps || mates.length > maxConcurrentSteps;
  return isTooMany ? `${id} was launched beside ${steps.join(', ')}` : '';
}

/** No agent has more in work than it can, when it gets something; what is being cancelled is still its work. */
function exceedsCapacity(driver: EngineDriver, agents: RunScript['agents'], { id, fromMs }: Work): string {
  const agentOf = (one: string): string | undefined => driver.launches.find((launch) => launch.id === one)?.launch.agent.id;
  const agent = agents.find((one) => one.id === agentOf(id));
  const endOf = (one: string): number => driver.ends.find((end) => end.id === one)?.atMs ?? Number.POSITIVE_INFINITY;
  const beside = driver.launches.filter(
    (one) => one.launch.sample === undefined && one.launch.agent.id === agent?.id && one.atMs <= fromMs,
  );
  const busy = beside.filter((one) => endOf(one.id) > fromMs);
  return agent === undefined || busy.length <= agent.capacity
    ? ''
    : `${id} was launched by ${agent.id} beside ${busy.map((one) => one.id).join(', ')}`;
}

/** Nothing starts while the run is paused, or once it is ending. */
function startsAlthoughStopped(driver: EngineDriver, { id, fromMs }: Work): string {
  const said = driver
    .audit()
    .findLast(({ atMs, action }) => atMs <= fromMs && /^run\.(pause_requested|resumed|cancel_started|failure_found)$/.test(action));
  return said === undefined || said.action === 'run.resumed' ? '' : `${id} was launched after ${said.action}`;
}

/**
 * What the run undoes when it ends: one at a time, what ended last first, what nobody knows the end of before all. What a step undoes by
 * itself before that: one at a time too, what began last first.
 */
function undoesOutOfOrder(driver: EngineDriver, works: readonly Work[]): string {
  const audit = driver.audit();
  const ending = audit.findIndex(({ action }) => action === 'run.failure_found' || action === 'run.cancel_started');
  const begun = audit.slice(0, Math.max(0, ending)).filter(({ action }) => action === 'compensation.started');
  const early = new Set((ending === -1 ? audit : begun).map(({ details }) => `${String(details?.['undoes'])}!undo`));
  const undos = works.filter(({ mode }) => mode === 'undo');
  for (const [index, undo] of undos.entries()) {
    const isEarly = early.has(undo.id);
    const mates = undos.slice(0, index).filter((other) => (isEarly ? isOfSameWork(other, undo) : !early.has(other.id)));
    const place = (one: Work): number => (isEarly ? lastUndone(works, one).fromMs : endOfUndone(driver, lastUndone(works, one)));
    for (const mate of mates) if (place(undo) > place(mate)) return `${undo.id} was undone after ${mate.id}`;
    for (const other of isEarly ? mates : undos.slice(0, index)) {
      if (undo.fromMs < other.toMs) return `${undo.id} was undone beside ${other.id}`;
    }
  }
  return '';
}

function isOfSameWork(one: Work, other: Work): boolean {
  return one.step === other.step && generationOf(one) === generationOf(other);
}

function generationOf({ id }: Work): string | undefined {
  return /#(\d+)/.exec(id)?.[1];
}

/** The effect that is undone; of a deployment that is undone at once, the last one. */
function lastUndone(works: readonly Work[], undo: Work): Work {
  const done = works.filter((work) => work.mode === 'do' && isOfSameWork(work, undo));
  return done.find((work) => `${work.id}!undo` === undo.id) ?? done.at(-1)!;
}

function endOfUndone(driver: EngineDriver, { id, toMs }: Work): number {
  const { step, effect } = driver.launches.find((launch) => launch.id === id)!.launch;
  const entry = driver.state.steps[step]!.effects!.find(
    ({ generation, slot, assignment, mode, subStep }) =>
      mode === 'do' &&
      generation === effect.generation &&
      slot === effect.slot &&
      assignment === effect.assignment &&
      subStep === effect.path.split('/')[1],
  );
  return entry?.outcome === 'unknown' ? Number.POSITIVE_INFINITY : toMs - startMs;
}
