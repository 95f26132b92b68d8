import { CancellationScope, condition } from '@temporalio/workflow';
import type { TerminalRunStatus } from '../core/contract/states';
import type { Decision, Engine, EngineEvent } from '../core/engine/types';
import type { PlanStep } from '../core/plan/types';
import type { createEffectRunner } from './effects';
import type { Recorder } from './recorder';
import type { createTimers } from './timers';

export interface DriverParts {
  engine: Engine;
  steps: ReadonlyMap<string, PlanStep>;
  inbox: Inbox;
  effects: ReturnType<typeof createEffectRunner>;
  timers: ReturnType<typeof createTimers>;
  recorder: Recorder;
  /** After every turn: search attributes. */
  publish(): void;
}

/** Everything that happened and was not yet given to the engine, in order of arrival. */
export class Inbox {
  #events: EngineEvent[] = [];

  readonly post = (event: EngineEvent): void => {
    this.#events.push(event);
  };

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  drain(): EngineEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/**
 * The one loop of a run. Signals, completions and timers only post events; here all that arrived is given to the engine, and
 * its decisions are carried out. `condition` is evaluated once after everything in a workflow task was delivered, so that
 * completions which arrive together make one wave.
 */
export async function driveRun(parts: DriverParts): Promise<{ status: TerminalRunStatus; reason?: string }> {
  const { engine, inbox, recorder } = parts;
  let recording: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;

  const assign = (decision: Extract<Decision, { type: 'assign' }>): void => {
    const { changes } = engine.takeChanges();
    track(
      recorder.assign(changes, decision.requests, Date.now()).then((replies) => inbox.post({ type: 'replied', atMs: Date.now(), replies })),
    );
  };

  const track = (work: Promise<void>): void => {
    const done = (recording ? Promise.all([recording, work]) : work).then(
      () => {
        if (recording === done) recording = undefined;
      },
      (error: unknown) => {
        failure = { error };
      },
    );
    recording = done;
  };

  for (;;) {
    for (const event of inbox.drain()) engine.apply(event);
    let finish: Extract<Decision, { type: 'finish' }> | undefined;
    for (const decision of engine.decide(Date.now())) {
      if (decision.type === 'finish') finish = decision;
      else if (decision.type === 'assign') assign(decision);
      else carryOut(decision, parts);
    }
    if (finish) {
      parts.timers.cancelAll();
      if (recording) await recording;
      // Recorded first: a run that is closed from outside while the database is away must not be found as ended well.
      await recorder.record(engine.takeChanges().changes, Date.now());
      parts.publish();
      return finish;
    }
    // What a reader must see soon is recorded even when there is nothing to assign; the rest goes with the next wave.
    if (!recording && engine.hasChanges().urgent) track(recorder.record(engine.takeChanges().changes, Date.now()));
    parts.publish();
    const wasRecording = recording;
    await condition(
      () =>
        !inbox.isEmpty || failure !== undefined || (wasRecording !== undefined && recording === undefined && engine.hasChanges().urgent),
    );
    if (failure) throw failure.error;
  }
}

function carryOut(decision: Exclude<Decision, { type: 'finish' | 'assign' }>, { steps, effects, timers }: DriverParts): void {
  switch (decision.type) {
    case 'launch': {
      const step = steps.get(decision.step);
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
