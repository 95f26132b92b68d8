import type { AssignmentRequest, AuditEntry } from '../../core/contract/local-activities';
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
  'an approval is reminded of': (driver) => told(driver, 'gate.reminded').some(({ object }) => isApproval(object)),
  'an approval comes to a further level': (driver) => escalations(driver).some(({ object }) => isApproval(object)),
  'an approval comes to a level after that': (driver) =>
    Object.keys(driver.state.gates).some(
      (gate) => isApproval(gate) && escalations(driver).filter(({ object }) => object === gate).length > 1,
    ),
  'an approval is decided at a further level': (driver) =>
    escalations(driver).some(
      ({ object, index }) => isApproval(object) && nextOf(driver, object, index, /^gate\.(approved|rejected)$/) !== undefined,
    ),
  'the time of the last level is over': (driver) =>
    escalations(driver).some(({ object, index }) => isApproval(object) && nextOf(driver, object, index, /^gate\.timed_out$/) !== undefined),
  'a timeout approves': ({ state }) =>
    Object.values(state.gates).some(
      ({ decision, reason }) => decision === 'approved' && reason === 'nobody decided in time (on_timeout: approve)',
    ),
  'a timeout rejects without escalation': ({ state }) =>
    Object.values(state.gates).some(({ reason }) => reason === 'nobody decided in time (on_timeout: reject)'),
  'a timeout blocks': ({ state }) =>
    Object.values(state.gates).some(({ reason }) => reason === 'nobody decided in time (on_timeout: block)'),
  'a warning escalates an approval at once': (driver) =>
    escalations(driver).some(({ reason }) => reason?.startsWith('escalation_if') === true),
  'what is held back comes to a further level': (driver) => escalations(driver).some(({ object }) => object.includes(':')),
  'what is held back is escalated at once': (driver) => escalations(driver).some(({ reason }) => reason === 'if_blocked: escalate'),
  'a wrong person votes': (driver) =>
    ignoredVotes(driver).some(({ details }) => details?.['code'] === 'not_approver' || details?.['code'] === 'barred'),
  'a vote comes early': (driver) => told(driver, 'vote.kept').length > 0,
  'a vote comes late': (driver) => ignoredVotes(driver).some(({ details }) => details?.['code'] === 'already_decided'),
  'deadlines stand still for a while': (driver) => told(driver, 'run.pause_requested').some(({ details }) => details?.['freeze'] === true),
  'a step waits for an agent': (driver) => waits(driver).some(({ slot, assignment }) => slot === 1 && assignment === 1),
  'another agent of a step is waited for': (driver) => waits(driver).some(({ slot, assignment }) => slot > 1 || assignment > 1),
  'undoing waits for its agent': (driver) => waits(driver).some(({ mode }) => mode === 'undo'),
  'the agent of a sub-step is busy at the next one': (driver) =>
    waits(driver).some(({ mode, agentId }) => mode === 'do' && agentId !== undefined),
  'a step is asked for in vain more than twice': (driver) => {
    const times = new Map<string, number>();
    for (const { path } of waits(driver)) times.set(path, (times.get(path) ?? 0) + 1);
    return Math.max(0, ...times.values()) > 2;
  },
  'an agent is free only when its time has come': (driver) =>
    driver.decisions.filter((one) => one.type === 'startTimer' && one.id === 'agents').length >
    driver.decisions.filter((one) => one.type === 'cancelTimer' && one.id === 'agents').length,
  'nobody is left to do a step': ({ answers }) => answers.some(({ kind }) => kind === 'nobody'),
  'all that waited for an agent is done': (driver) => {
    const waited = waits(driver).flatMap(({ mode, step }) => (mode === 'do' ? [step] : []));
    return waited.length > 0 && waited.every((step) => driver.stateOf(step) === 'passed');
  },
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

function isApproval(gate: string): boolean {
  return !gate.includes(':');
}

function told(driver: EngineDriver, action: string): (AuditEntry & { index: number })[] {
  return driver.audit().flatMap((entry, index) => (entry.action === action ? [{ ...entry, index }] : []));
}

function escalations(driver: EngineDriver): (AuditEntry & { index: number })[] {
  return told(driver, 'gate.escalated');
}

/** What was asked for in vain. */
function waits({ answers }: EngineDriver): AssignmentRequest[] {
  return answers.flatMap(({ request, kind }) => (kind === 'busy' ? [request] : []));
}

function ignoredVotes(driver: EngineDriver): AuditEntry[] {
  return told(driver, 'vote.ignored');
}

function nextOf(driver: EngineDriver, object: string, index: number, action: RegExp): AuditEntry | undefined {
  return driver
    .audit()
    .slice(index + 1)
    .find((entry) => entry.object === object && action.test(entry.action));
}

/** Where steps began to undo themselves. */
function undoings(driver: EngineDriver): { object: string; reason: string | undefined; index: number }[] {
  return driver
    .audit()
    .flatMap(({ action, object, reason }, index) =>
      action === 'step.rollback_started' && reason?.startsWith('is undone') === true ? [{ object, reason, index }] : [],
    );
}
