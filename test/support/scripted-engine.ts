import type { Vote } from '../../core/engine/run-state';
import type { EngineEvent } from '../../core/engine/types';
import { activityIdOf } from '../../core/contract/ids';
import { agentNamed, EngineDriver, startMs, type DriverOptions, type Ending, type Launch } from './engine-driver';
import { answersTo, chooseAgent, describeEffect, endOf, endOfSample, type Outcome, type OutsideEvent, type RunScript } from './run-script';

const decisions = ['gate.approved', 'gate.overridden', 'gate.rejected', 'gate.timed_out', 'gate.escalated', 'gate.reminded'];
const person = { kind: 'person', id: 'ana' } as const;

/** Runs a script through the engine, to its end. */
export function runEngine(
  script: RunScript,
  options: Pick<DriverOptions, 'shuffle' | 'restoreAlways'> = {},
): { outcome: Outcome; driver: EngineDriver } {
  const openings = new Map<string, number>();
  let heard = 0;
  const driver = new EngineDriver(script.plan, {
    ...options,
    engine: { humans: script.humans },
    assign: createAssign(script),
    behave: (launch) => endingOf(script, launch),
    afterTurn: (run) => {
      for (const { action, object: gate } of run.changes.slice(heard).flatMap((change) => change.audit)) {
        if (action !== 'gate.opened') continue;
        const opening = (openings.get(gate) ?? 0) + 1;
        openings.set(gate, opening);
        for (const { afterMs, ...vote } of answersTo(script, gate, opening)) {
          run.schedule(run.nowMs + afterMs, (atMs) => votedEvent({ gate, atMs, ...vote }));
        }
      }
      heard = run.changes.length;
    },
  });
  for (const event of script.outside) driver.schedule(startMs + event.atMs, (atMs) => outsideEvent(event, atMs));
  driver.run({ untilMs: Number.POSITIVE_INFINITY });
  return { outcome: outcomeOf(driver), driver };
}

/** Agents by the script: what an agent has in work is what was launched, and what was granted in the same question. */
function createAssign(script: RunScript): NonNullable<DriverOptions['assign']> {
  const grants = new Map<string, { agent: string; turn: number }>();
  return (request, atMs, { state, changes }) => {
    const loadOf = (agent: string): number =>
      [...grants].filter(([id, grant]) => grant.agent === agent && (grant.turn === changes.length || state.inFlight[id] !== undefined))
        .length;
    const choice = chooseAgent(script, request, { nowMs: atMs - startMs, loadOf });
    if (typeof choice === 'string') return { kind: choice, reason: choice };
    grants.set(activityIdOf(request), { agent: choice.agent, turn: changes.length });
    return { kind: 'assigned', agent: agentNamed(choice.agent) };
  };
}

function endingOf(script: RunScript, launch: Launch): Ending {
  const work = script.work[launch.step]!;
  const { durationMs, failure, result } =
    launch.sample === undefined
      ? endOf(script, { step: launch.step, ...launch.effect })
      : endOfSample(work, launch.step, launch.sample.index);
  return {
    durationMs,
    result,
    ...(failure !== undefined && { failure: { kind: failure } }),
    cancelled: { afterMs: work.stopMs, succeeds: work.succeedsWhenStopped },
  };
}

function outsideEvent(event: OutsideEvent, atMs: number): EngineEvent {
  switch (event.kind) {
    case 'vote': {
      const { kind: _, ...vote } = event;
      return votedEvent({ ...vote, atMs });
    }
    case 'pause':
      return { type: 'pauseRequested', atMs, by: person, reason: 'by script', freeze: event.freeze };
    case 'resume':
      return { type: 'resumeRequested', atMs, by: person };
    case 'cancel':
      return { type: 'cancelRequested', atMs, by: person, reason: 'by script', noRollback: event.noRollback };
  }
}

function votedEvent(vote: Pick<Vote, 'gate' | 'by' | 'decision' | 'atMs' | 'reason'>): EngineEvent {
  return { type: 'voted', vote: { ...vote, assurance: 'local', via: 'signal' } };
}

function outcomeOf(driver: EngineDriver): Outcome {
  const { finished, state, launches, nowMs } = driver;
  return {
    status: finished?.status ?? 'stuck',
    endedAtMs: nowMs - startMs,
    steps: Object.fromEntries(
      Object.entries(state.steps).map(([id, { state: name, generation }]) => [id, `${name} in generation ${generation}`]),
    ),
    launches: launches
      .map(({ atMs, launch: { step, effect, agent, action, share } }) => ({
        atMs: atMs - startMs,
        text: describeEffect({ step, ...effect, agent: agent.id, action, percent: share?.percent }),
      }))
      .sort((a, b) => a.atMs - b.atMs || (a.text < b.text ? -1 : 1))
      .map(({ atMs, text }) => `${atMs} ${text}`),
    decisions: driver
      .audit()
      .filter(({ action }) => decisions.includes(action))
      .map(({ atMs, object, ...what }) => `${atMs - startMs} ${object} ${describeDecision(what)}`),
  };
}

function describeDecision({ action, details }: { action: string; details?: Record<string, unknown> }): string {
  if (action === 'gate.escalated') return `escalated to ${(details?.['to'] as string[]).join(', ')}`;
  return action.slice('gate.'.length).replace('overridden', 'approved');
}
