import { CancellationScope } from '@temporalio/workflow';
import type { Continuation } from '../core/contract/continuation';
import type { CompiledPlan, Decision, Engine, EngineEvent } from '../core/engine/types';
import type { createEffectRunner } from './effects';
import type { NoticeSender } from './notices';
import type { Recorder } from './recorder';
import type { createTimers } from './timers';
import type { Verifier } from './verifier';

export interface DriverParts {
  engine: Engine;
  inbox: Inbox;
  effects: ReturnType<typeof createEffectRunner>;
  timers: ReturnType<typeof createTimers>;
  recorder: Recorder;
  /** Compiles the edited file of the run. */
  compilePlan(source: string, format: 'yaml' | 'toml'): Promise<CompiledPlan>;
  /** Absent where the plan tells nobody. */
  notices?: NoticeSender;
  /** Absent where no signatures are read. */
  verifier?: Verifier;
  /** Runs it beyond the reach of Temporal's cancel. */
  shielded(work: () => void): void;
  /** Search attributes: after every turn whose facts are recorded. */
  publish(): void;
  /** Keeps all of the run for its next execution. Absent: it goes on in this one to its end. */
  save?: (() => Promise<Continuation>) | undefined;
  /** As runs from before engine version 3 do: an answer and the events that are there with it are one round. */
  mergesRounds?: boolean;
}

/** What a reader need not see soon is recorded after so many events all the same: only a recording tells how long the history is. */
const maxUnrecordedEvents = 200;

/** Everything that happened and was not yet given to the engine, in order of arrival. */
export class Inbox {
  #events: EngineEvent[] = [];
  #wake: () => void = () => undefined;

  readonly post = (event: EngineEvent): void => {
    this.#events.push(event);
    this.#wake();
  };

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  drain(): EngineEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** `wake` is called at every event from now on. */
  onPost(wake: () => void): void {
    this.#wake = wake;
  }
}

type Finish = Extract<Decision, { type: 'finish' }>;

/** How the loop ends: the run has ended, or goes on in another execution. */
export type DriveEnd = Finish | { type: 'continue'; continuation: Continuation };

/**
 * The one loop of a run. Signals, completions and timers only post events; a turn gives all that arrived to the engine and carries
 * out its decisions. Resolves when the run has ended, its end is recorded and the last notices are delivered or given up; rejects on a
 * bug, which fails the workflow task.
 *
 * While a recording is under way there are no turns, and an event has the time of the turn that takes it. A history does not say
 * whether a local activity was answered before an event or after it: with a query under way, the answer is written with one workflow
 * task, and comes live only with the next one and its events, while a replay gives it in the first; and where a task ends before its
 * local activity does, live the next one brings its events first, and a replay delivers both at once. So the answer is a round of its
 * own, carried out to its end before any event is taken, whatever came first: then the commands are the same in each case.
 *
 * The first event of a workflow task asks for a turn two microtasks later: a signal is posted at once, a completion or a timer one
 * microtask after it was delivered, and a replay may deliver them in another order than live. So a turn takes all that a task brings,
 * and the engine puts it in order. `condition` would do the same, for three promises and two entries into the sandbox more a turn, which cost
 * more than all the rest of a step (docs/benchmarks.md).
 */
export function driveRun(parts: DriverParts): Promise<DriveEnd> {
  const { engine, inbox, recorder, timers, shielded } = parts;

  return new Promise<DriveEnd>((resolve, reject) => {
    const asSoonAsPossible = Promise.resolve();
    let isTurnDue = true;
    let isRecording = false;
    /** What the recording that was under way has answered, until the next turn. The first turn has nothing to wait for. */
    let answers: EngineEvent[] | undefined = [];
    let finish: Finish | undefined;
    let taken = 0;
    let saved: Continuation | undefined;
    let isEndRecorded = false;
    let hasEnded = false;

    const wake = (): void => {
      if (isTurnDue) return;
      isTurnDue = true;
      void asSoonAsPossible.then(() => undefined).then(() => shielded(turn));
    };

    function turn(): void {
      try {
        while (canTake() && (answers || !inbox.isEmpty)) proceed(nextRound());
        isTurnDue = false;
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is what was thrown
        reject(error);
      }
    }

    function canTake(): boolean {
      return !isRecording && !hasEnded;
    }

    function nextRound(): EngineEvent[] {
      if (!answers) return inbox.drain();
      return parts.mergesRounds === true ? [...takeAnswers(), ...inbox.drain()] : takeAnswers();
    }

    function takeAnswers(): EngineEvent[] {
      const events = answers ?? [];
      answers = undefined;
      return events;
    }

    /** One round: the engine hears of the events, its decisions are carried out, and what follows from them all is done. */
    function proceed(events: EngineEvent[]): void {
      const continuation = saved;
      saved = undefined;
      // What has come meanwhile is taken here: then the state that was saved is not the newest.
      if (continuation && inbox.isEmpty) {
        hasEnded = true;
        return resolve({ type: 'continue', continuation });
      }
      take(events);
      // An answer that comes at once belongs to the same round.
      while (canTake() && answers) take(takeAnswers());
      if (!canTake()) return;
      if (finish) return isEndRecorded ? close(finish) : conclude(finish);
      parts.publish();
      if (parts.save && recorder.state.continuation) goOnElsewhere(parts.save);
    }

    function take(events: EngineEvent[]): void {
      const nowMs = Date.now();
      taken += events.length;
      for (const event of events) engine.apply(atTime(event, nowMs));
      for (const decision of engine.decide(nowMs)) {
        if (decision.type === 'finish') finish = decision;
        else if (decision.type === 'assign') assign(decision);
        else if (decision.type === 'addAgents') addAgents(decision);
        else if (decision.type === 'compilePlan') compilePlan(decision);
        else carryOut(decision, parts);
      }
      // What a reader must see soon is recorded even when there is nothing to assign; the rest goes with the next wave.
      const isLongAgo = parts.save !== undefined && taken >= maxUnrecordedEvents && engine.hasChanges().any;
      if (!finish && !isRecording && (engine.hasChanges().urgent || isLongAgo)) {
        track(recorder.record(engine.takeChanges().changes, nowMs), () => []);
      }
    }

    function assign({ requests }: Extract<Decision, { type: 'assign' }>): void {
      const { changes } = engine.takeChanges();
      track(recorder.assign(changes, requests, Date.now()), (replies) => [{ type: 'replied', atMs: Date.now(), replies }]);
    }

    function addAgents({ role, count }: Extract<Decision, { type: 'addAgents' }>): void {
      track(recorder.addAgents(role, count), (output) => [{ type: 'agentsAdded', atMs: Date.now(), ...output }]);
    }

    function compilePlan({ source, format }: Extract<Decision, { type: 'compilePlan' }>): void {
      track(parts.compilePlan(source, format), (compiled) => [{ type: 'planCompiled', atMs: Date.now(), compiled }]);
    }

    /** One recording at a time: no turn, no other. What its answer means to the engine is for the next round. */
    function track<T>(work: T | Promise<T>, read: (value: T) => EngineEvent[]): void {
      if (!(work instanceof Promise)) {
        const events = read(work);
        if (events.length > 0) answers = [...(answers ?? []), ...events];
        return;
      }
      isRecording = true;
      taken = 0;
      work.then((value) => {
        isRecording = false;
        answers = read(value);
        wake();
      }, reject);
    }

    /** The history has become long: the run goes on in a new execution as soon as nothing of it runs in this one. */
    function goOnElsewhere(save: () => Promise<Continuation>): void {
      if (recorder.state.continuation === 'now') engine.drain();
      if (!engine.isQuiet() || !inbox.isEmpty) return;
      if (engine.hasChanges().any) return track(recorder.record(engine.takeChanges().changes, Date.now()), () => []);
      // Judged by the next round, when all that came meanwhile is there.
      track(save(), (continuation) => {
        saved = continuation;
        return [];
      });
    }

    function conclude(ended: Finish): void {
      timers.cancelAll();
      // Recorded first: a run that is closed from outside while the database is away must not be found as ended well.
      track(recorder.record(engine.takeChanges().changes, Date.now()), () => {
        isEndRecorded = true;
        return [];
      });
      if (!isRecording) close(ended);
    }

    function close(ended: Finish): void {
      while (!inbox.isEmpty) take(inbox.drain());
      // What came meanwhile came too late: that is recorded too.
      if (engine.hasChanges().any) return conclude(ended);
      hasEnded = parts.notices?.settle() ?? true;
      parts.publish();
      if (hasEnded) resolve(ended);
    }

    inbox.onPost(wake);
    shielded(turn);
  });
}

function atTime(event: EngineEvent, atMs: number): EngineEvent {
  return event.type === 'voted' ? { ...event, vote: { ...event.vote, atMs } } : { ...event, atMs };
}

function carryOut(
  decision: Exclude<Decision, { type: 'finish' | 'assign' | 'addAgents' | 'compilePlan' }>,
  { engine, effects, timers, notices, verifier }: DriverParts,
): void {
  switch (decision.type) {
    case 'launch': {
      const step = engine.stepOf(decision.step);
      if (!step) throw new Error(`the engine launched ${decision.step}, which is not in the plan`);
      effects.launch(step, decision);
      return;
    }
    case 'cancelEffect':
      effects.cancel(decision.effect);
      return;
    case 'startTimer':
      timers.start(decision.id, decision.atMs, decision.summary);
      return;
    case 'cancelTimer':
      timers.cancel(decision.id);
      return;
    case 'notify':
      notices?.send(decision);
      return;
    case 'verify':
      verifier?.verify(decision);
      return;
  }
}

/** Temporal's own cancel request means the same as the `cancel` signal: it is an event, not an exception everywhere. */
export function onCancelRequested(post: (event: EngineEvent) => void): { wasRequested(): boolean } {
  let requested = false;
  CancellationScope.current().cancelRequested.catch(() => {
    requested = true;
    post({
      type: 'cancelRequested',
      atMs: Date.now(),
      by: { kind: 'temporal', id: 'temporal' },
      reason: 'cancel requested through Temporal',
      noRollback: false,
    });
  });
  return { wasRequested: () => requested };
}
