import { EngineDriver } from '../test/support/engine-driver';
import { buildPlan } from '../test/support/plan-builder';
import { createEngine } from '../core/engine';
import type { RunChanges } from '../core/contract/local-activities';
import { driveRun, Inbox, type DriverParts } from './driver';

const plan = buildPlan({ steps: { a: {} } });
const options = {
  plan,
  planHash: '',
  run: { id: 'r', runId: 'r', rootRunId: 'r', definition: plan.id },
  startedAtMs: 0,
  timeScale: 1,
  initiator: '',
  inputs: {},
  humans: [],
  autoApprove: false,
  historyEstimatesMs: {},
};

/** A run that ends with its next turn: its one step has succeeded. */
function createEndingRun(said: string[], record: () => Promise<void>): DriverParts {
  const driver = new EngineDriver(plan).pass(500);
  const engine = createEngine({ ...options, saved: structuredClone(driver.state) });
  const inbox = new Inbox();
  const [{ launch }] = driver.launches as [(typeof driver.launches)[number]];
  inbox.post({ type: 'effectEnded', atMs: 1, effect: launch.effect, result: { status: 'success' } });
  const unexpected = (): never => {
    throw new Error('not in the last turn');
  };
  return {
    engine,
    inbox,
    steps: new Map(),
    effects: { launch: unexpected, cancel: unexpected },
    timers: { start: unexpected, cancel: unexpected, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0 },
      assign: unexpected,
      async record(changes: RunChanges) {
        await record();
        said.push(`recorded ${changes.run?.status ?? ''}`);
      },
    },
    shielded: (work) => work(),
    publish: () => void said.push(`published ${engine.state.status}`),
  };
}

test('the end of a run is recorded before it is published', async () => {
  const said: string[] = [];
  expect(await driveRun(createEndingRun(said, () => Promise.resolve()))).toMatchObject({ status: 'completed' });
  expect(said).toEqual(['recorded completed', 'published completed']);
});

test('what comes while the end is being recorded is refused, answered and recorded', async () => {
  const said: string[] = [];
  let hasCome = false;
  const verdict = new Promise((answer) => {
    const parts = createEndingRun(said, () => {
      if (hasCome) return Promise.resolve();
      hasCome = true;
      const vote = { gate: 'a', by: 'ana', decision: 'approve', atMs: 2, assurance: 'local', via: 'update' } as const;
      parts.inbox.post({ type: 'voted', vote, answer });
      parts.inbox.post({ type: 'signalIgnored', name: 'x', reason: 'unknown', atMs: 2 });
      return Promise.resolve();
    });
    const { record } = parts.recorder;
    parts.recorder.record = (changes, atMs) => {
      said.push(...changes.audit.map(({ action, object }) => `${action} ${object}`));
      return record(changes, atMs);
    };
    void driveRun(parts).then(() => said.push('ended'));
  });
  expect(await verdict).toMatchObject({ ok: false, code: 'run_ended' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(said.slice(said.indexOf('recorded completed') + 1)).toEqual([
    'vote.ignored a',
    'signal.ignored x',
    'recorded ',
    'published completed',
    'ended',
  ]);
});

test('an end that could not be recorded is not published', async () => {
  const said: string[] = [];
  await expect(driveRun(createEndingRun(said, () => Promise.reject(new Error('no database'))))).rejects.toThrow('no database');
  expect(said).toEqual([]);
});

test('recordings go one after the other, and what is published is recorded', async () => {
  const said: string[] = [];
  const answers: (() => void)[] = [];
  const inbox = new Inbox();
  const engine = createEngine(options);
  const answer = <T>(what: string, value: T): Promise<T> => {
    said.push(what);
    return new Promise((resolve) => answers.push(() => resolve(value)));
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  void driveRun({
    engine,
    inbox,
    steps: new Map(),
    effects: { launch: () => undefined, cancel: () => undefined },
    timers: { start: () => undefined, cancel: () => undefined, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0 },
      assign: (_changes, requests) => answer('asks', [{ ...requests[0]!, kind: 'busy', reason: 'at work' }]),
      record: () => answer('records', undefined),
    },
    shielded: (work) => work(),
    publish: () => said.push('publishes'),
  });
  // Urgent, while the question for an agent is under way.
  inbox.post({ type: 'signalIgnored', name: 'x', reason: 'unknown', atMs: 1 });
  await settle();
  expect(said).toEqual(['asks']);
  answers[0]!();
  await settle();
  expect(said).toEqual(['asks', 'records']);
  answers[1]!();
  await settle();
  expect(said).toEqual(['asks', 'records', 'publishes']);
});
