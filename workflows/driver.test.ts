import { EngineDriver } from '../test/support/engine-driver';
import { buildPlan } from '../test/support/plan-builder';
import type { Continuation } from '../core/contract/continuation';
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

const never = (): never => {
  throw new Error('nobody asked for it');
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
    effects: { launch: unexpected, cancel: unexpected },
    timers: { start: unexpected, cancel: unexpected, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0 },
      assign: unexpected,
      addAgents: never,
      async record(changes: RunChanges) {
        await record();
        said.push(`recorded ${changes.run?.status ?? ''}`);
      },
    },
    compilePlan: never,
    shielded: (work) => work(),
    publish: () => void said.push(`published ${engine.state.status}`),
  };
}

test('the end of a run is recorded before it is published', async () => {
  const said: string[] = [];
  expect(await driveRun(createEndingRun(said, () => Promise.resolve()))).toMatchObject({ status: 'completed' });
  expect(said).toEqual(['published in_progress', 'recorded completed', 'published completed']);
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
  expect(said).toEqual(['published in_progress']);
});

test('a run whose last notices are under way is published as ended, records what becomes of them, and ends then', async () => {
  const said: string[] = [];
  const parts = createEndingRun(said, () => Promise.resolve());
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  let isSettled = false;
  parts.notices = { send: () => undefined, settle: () => isSettled };
  void driveRun(parts).then(() => said.push('ended'));
  await settle();
  expect(said.slice(1, 3)).toEqual(['recorded completed', 'published completed']);
  // It waits without going round.
  const { length } = said;
  await settle();
  expect(said.splice(0)).toHaveLength(length);
  parts.inbox.post({ type: 'signalIgnored', name: 'x', reason: 'unknown', atMs: 2 });
  await settle();
  expect(said.splice(0).slice(0, 2)).toEqual(['recorded ', 'published completed']);
  isSettled = true;
  parts.inbox.post({ type: 'signalIgnored', name: 'y', reason: 'unknown', atMs: 3 });
  await settle();
  expect(said).toEqual(['recorded ', 'published completed', 'ended']);
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
    effects: { launch: () => undefined, cancel: () => undefined },
    timers: { start: () => undefined, cancel: () => undefined, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0 },
      assign: (_changes, requests) => answer('asks', [{ ...requests[0]!, kind: 'busy', reason: 'at work' }]),
      record: () => answer('records', undefined),
      addAgents: never,
    },
    compilePlan: never,
    shielded: (work) => work(),
    publish: () => said.push('publishes'),
  });
  // Urgent, while the question for an agent is under way.
  inbox.post({ type: 'signalIgnored', name: 'x', reason: 'unknown', atMs: 1 });
  await settle();
  expect(said).toEqual(['asks']);
  answers[0]!();
  await settle();
  expect(said).toEqual(['asks', 'publishes', 'records']);
  answers[1]!();
  await settle();
  expect(said).toEqual(['asks', 'publishes', 'records', 'publishes']);
});

/** A run whose first question for an agent is under way; `turns` has the numbers of ignored signals that the engine saw, turn by turn. */
function startAskingRun(answersAtOnce = false) {
  const inbox = new Inbox();
  const engine = createEngine(options);
  const turns: number[] = [];
  let answer: () => void = () => undefined;
  void driveRun({
    engine: {
      ...engine,
      get state() {
        return engine.state;
      },
      decide: (nowMs) => {
        const decisions = engine.decide(nowMs);
        turns.push(engine.state.ignoredSignals);
        return decisions;
      },
    },
    inbox,
    effects: { launch: () => undefined, cancel: () => undefined },
    timers: { start: () => undefined, cancel: () => undefined, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0 },
      assign: () => (answersAtOnce ? [] : new Promise((resolve) => (answer = () => resolve([])))),
      record: () => undefined,
      addAgents: never,
    },
    compilePlan: never,
    shielded: (work) => work(),
    publish: () => undefined,
  });
  const ignore = (name: string): void => inbox.post({ type: 'signalIgnored', name, reason: 'unknown', atMs: 1 });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { turns, ignore, settle, answer: () => answer() };
}

test('what comes while a recording is under way is taken after its answer: a replay may give the answer long before', async () => {
  const { turns, ignore, settle, answer } = startAskingRun();
  ignore('a');
  await settle();
  ignore('b');
  await settle();
  expect(turns).toEqual([0]);
  answer();
  await settle();
  expect(turns).toEqual([0, 0, 2]);
});

test.each([
  ['a signal before a completion', ['signal', 'completion']],
  ['a completion before a signal', ['completion', 'signal']],
])('%s, in one workflow task: one turn takes both', async (_, delivered) => {
  const { turns, ignore, settle, answer } = startAskingRun();
  answer();
  await settle();
  turns.length = 0;
  // A signal's handler runs while the task is delivered, what waits for a completion one microtask later.
  for (const what of delivered) {
    if (what === 'signal') ignore(what);
    else void Promise.resolve().then(() => ignore(what));
  }
  await settle();
  expect(turns).toEqual([2]);
});

test('an answer that comes at once is taken in the same turn, and no other turn follows', async () => {
  const { turns, settle } = startAskingRun(true);
  // The question, and its answer.
  expect(turns).toEqual([0, 0]);
  await settle();
  expect(turns).toEqual([0, 0]);
});

/** What a run commands whose agent is busy, and whose other step is begun by a person when `post` is called. */
async function commandsOf(deliver: (answer: () => void, post: () => void) => void | Promise<void>): Promise<string[]> {
  const commands: string[] = [];
  const inbox = new Inbox();
  let answer: () => void = () => undefined;
  void driveRun({
    engine: createEngine({ ...options, plan: buildPlan({ steps: { a: {}, b: { automatic: false } } }) }),
    inbox,
    effects: { launch: () => undefined, cancel: () => undefined },
    timers: {
      start: (id) => void commands.push(`start timer ${id}`),
      cancel: (id) => void commands.push(`cancel timer ${id}`),
      cancelAll: () => undefined,
    },
    recorder: {
      state: { refused: 0 },
      assign(_changes, requests) {
        commands.push(`ask for ${requests.map(({ path }) => path).join(', ')}`);
        return new Promise((resolve) => {
          answer = () => resolve(requests.map((request) => ({ ...request, kind: 'busy', reason: 'at work' })));
        });
      },
      record() {
        commands.push('record');
        return Promise.resolve();
      },
      addAgents: never,
    },
    compilePlan: never,
    shielded: (work) => work(),
    publish: () => commands.push('publish'),
  });
  const vote = { gate: 'b:start', by: 'ana', decision: 'approve', atMs: 2, assurance: 'local', via: 'signal' } as const;
  await deliver(
    () => answer(),
    () => inbox.post({ type: 'voted', vote }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return commands;
}

test('the commands are the same whether an answer comes long before an event, with it, or after it', async () => {
  const before = await commandsOf(async (answer, post) => {
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    post();
  });
  const withIt = await commandsOf((answer, post) => {
    answer();
    post();
  });
  const after = await commandsOf(async (answer, post) => {
    post();
    await new Promise((resolve) => setImmediate(resolve));
    answer();
  });
  expect(before.slice(before.indexOf('ask for a')).length).toBeGreaterThan(3);
  expect(withIt).toEqual(before);
  expect(after).toEqual(before);
});

/** A run that waits for a person, and whose history is long. */
function startLongRun(save: (inbox: Inbox) => Promise<Continuation>) {
  const waiting = buildPlan({ steps: { a: { automatic: false } } });
  const inbox = new Inbox();
  const said: string[] = [];
  const ended = driveRun({
    engine: createEngine({ ...options, plan: waiting }),
    inbox,
    effects: { launch: () => undefined, cancel: () => undefined },
    timers: { start: () => undefined, cancel: () => undefined, cancelAll: () => undefined },
    recorder: {
      state: { refused: 0, continuation: 'when_quiet' },
      assign: never,
      addAgents: never,
      async record(changes) {
        said.push(...changes.audit.filter(({ action }) => action === 'signal.ignored').map(({ object }) => object));
      },
    },
    compilePlan: never,
    shielded: (work) => work(),
    publish: () => undefined,
    save: () => save(inbox),
  });
  return { ended, said };
}

const continuation: Continuation = { schemaVersion: 1, saved: 'x', pieces: 1 };

test.each<[when: string, post: (inbox: Inbox) => Promise<Continuation>]>([
  [
    'while the run is saved',
    async (inbox) => {
      inbox.post({ type: 'signalIgnored', name: 'meanwhile', reason: 'unknown', atMs: 2 });
      return continuation;
    },
  ],
  [
    'together with the answer, after it',
    async (inbox) => {
      // One microtask later than the answer: as a replay may deliver it.
      void Promise.resolve()
        .then(() => undefined)
        .then(() => inbox.post({ type: 'signalIgnored', name: 'meanwhile', reason: 'unknown', atMs: 2 }));
      return continuation;
    },
  ],
])('what comes %s is taken before the run goes on elsewhere', async (_, post) => {
  let saves = 0;
  const { ended, said } = startLongRun((inbox) => ((saves += 1) === 1 ? post(inbox) : Promise.resolve(continuation)));
  expect(await ended).toEqual({ type: 'continue', continuation });
  expect(said).toEqual(['meanwhile']);
  expect(saves).toBe(2);
});
