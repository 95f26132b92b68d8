import type { EngineDriver } from './engine-driver';

/** What random runs are to meet, each by how it shows in what was launched and in the audit. */
const happenings = {
  'work is sent back': (driver) => driver.audit().some(({ action }) => action === 'rework.requested'),
  'a deployment has sub-steps': ({ launches }) => launches.some(({ launch }) => isPart(launch.effect.path) && launch.sample === undefined),
  'a sub-step fails': ({ state }) =>
    Object.values(state.steps).some(({ effects = [] }) => effects.some((one) => one.subStep !== undefined && one.outcome === 'failure')),
  'a sub-step ends, nobody knows how': ({ state }) =>
    Object.values(state.steps).some(({ effects = [] }) => effects.some((one) => one.subStep !== undefined && one.outcome === 'unknown')),
  'a condition takes a deployment back': (driver) => undoings(driver).some(({ reason }) => /\berrors\b/.test(reason ?? '')),
  'a deployment undoes itself, and the run goes on': (driver) =>
    undoings(driver).length > 0 && !driver.audit().some(({ action }) => isEnding(action)),
  'a deployment undoes itself, then the rest is undone': (driver) =>
    undoings(driver).length > 0 &&
    indexOfUndo(driver, 'last') > indexOfEnding(driver) &&
    indexOfUndo(driver, 'first') < indexOfEnding(driver),
  'the run ends while a deployment undoes itself': (driver) => {
    const ending = indexOfEnding(driver);
    return undoings(driver).some(({ object, index }) => {
      const end = driver
        .audit()
        .findIndex((entry, at) => at > index && entry.object === object && /^step\.(failed|skipped|blocked)$/.test(entry.action));
      return index < ending && end > ending;
    });
  },
  'what rests on it runs again while a deployment undoes itself': (driver) =>
    undoings(driver).some(
      ({ object, index }) =>
        driver
          .audit()
          .slice(index + 1)
          .find((entry) => entry.object === object && entry.action.startsWith('step.'))?.action === 'step.invalidated',
    ),
  'sub-steps of a deployment that passed are undone': ({ launches, state }) =>
    launches.some(
      ({ step, launch: { effect } }) => effect.mode === 'undo' && isPart(effect.path) && state.steps[step]?.state === 'compensated',
    ),
  'a deployment is undone at once': ({ launches, plan }) =>
    launches.some(
      ({ step, launch: { effect } }) =>
        effect.mode === 'undo' &&
        !isPart(effect.path) &&
        plan.steps.some(({ id, deployment, count }) => id === step && deployment !== undefined && count === 1),
    ),
  'an undo of a sub-step fails': ({ state }) =>
    state.compensations.some(({ effect, state: end }) => isPart(effect.path) && end === 'failed'),
} satisfies Record<string, (driver: EngineDriver) => boolean>;

/** A few in 10,000 runs: not to be expected of every 500. */
export const rareHappenings: ReadonlySet<string> = new Set<keyof typeof happenings>([
  'what rests on it runs again while a deployment undoes itself',
]);

/** How many of some runs have met each happening. */
export function createCoverage(): { add: (driver: EngineDriver) => void; counts: Record<string, number> } {
  const counts: Record<string, number> = Object.fromEntries(Object.keys(happenings).map((name) => [name, 0]));
  return {
    counts,
    add: (driver) => {
      for (const [name, has] of Object.entries(happenings)) if (has(driver)) counts[name]! += 1;
    },
  };
}

function isPart(path: string): boolean {
  return path.includes('/');
}

function isEnding(action: string): boolean {
  return action === 'run.failure_found' || action === 'run.cancel_started';
}

function indexOfEnding(driver: EngineDriver): number {
  const index = driver.audit().findIndex(({ action }) => isEnding(action));
  return index === -1 ? Number.POSITIVE_INFINITY : index;
}

function indexOfUndo(driver: EngineDriver, which: 'first' | 'last'): number {
  const indexes = driver.audit().flatMap(({ action }, index) => (action === 'compensation.started' ? [index] : []));
  return (which === 'first' ? indexes[0] : indexes.at(-1)) ?? -1;
}

/** Where steps began to undo themselves. */
function undoings(driver: EngineDriver): { object: string; reason: string | undefined; index: number }[] {
  return driver
    .audit()
    .flatMap(({ action, object, reason }, index) =>
      action === 'step.rollback_started' && reason?.startsWith('is undone') === true ? [{ object, reason, index }] : [],
    );
}
