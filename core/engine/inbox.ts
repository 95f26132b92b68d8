import { effectId, type Run } from './run';
import type { EngineEvent } from './types';

const eventOrder = {
  effectEnded: 0,
  replied: 1,
  agentsAdded: 1,
  verified: 1,
  planCompiled: 1,
  voted: 2,
  reported: 2,
  cancelRequested: 2,
  pauseRequested: 2,
  resumeRequested: 2,
  adjusted: 2,
  alertReceived: 2,
  signalIgnored: 2,
  timerFired: 3,
  noticeEnded: 4,
};

/**
 * What has arrived, in an order of its own: ends of effects (by the time they ended, then by their place in the plan), answers about
 * agents, votes and requests as they came, timers. So the order in which simultaneous completions are listed changes nothing.
 */
export function takeInbox(run: Run): EngineEvent[] {
  const { inbox } = run;
  run.inbox = [];
  if (inbox.length < 2) return inbox;
  return inbox.sort((a, b) => timeOf(a) - timeOf(b) || eventOrder[a.type] - eventOrder[b.type] || compareSame(run, a, b));
}

/** Sorting is stable: what compares equal stays as it came. */
function compareSame(run: Run, a: EngineEvent, b: EngineEvent): number {
  if (a.type === 'effectEnded' && b.type === 'effectEnded') {
    return (
      (a.endedAtMs ?? a.atMs) - (b.endedAtMs ?? b.atMs) ||
      placeOf(run, a) - placeOf(run, b) ||
      compareText(effectId(a.effect), effectId(b.effect))
    );
  }
  const isById = (a.type === 'timerFired' && b.type === 'timerFired') || (a.type === 'noticeEnded' && b.type === 'noticeEnded');
  return isById ? compareText(a.id, b.id) : 0;
}

function placeOf(run: Run, event: Extract<EngineEvent, { type: 'effectEnded' }>): number {
  const flight = run.state.inFlight[effectId(event.effect)];
  return flight === undefined ? -1 : (run.index.byId.get(flight.step)?.index ?? -1);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function timeOf(event: EngineEvent): number {
  return event.type === 'voted' ? event.vote.atMs : event.atMs;
}
