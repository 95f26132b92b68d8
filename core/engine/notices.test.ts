import { EngineDriver, startMs, type DriverOptions, type Ending } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import { noticeEvents, type NoticeEvent } from '../contract/notice';
import type { Condition } from '../plan/condition';
import type { PlanNotification } from '../plan/types';
import type { EngineEvent } from './types';

const hourMs = 3_600_000;
const everything: PlanNotification = { channel: 'log', on: [...noticeEvents] };
const only = (...on: NoticeEvent[]): PlanNotification => ({ channel: 'log', on });

function drive(steps: Record<string, StepDraft>, plan: Partial<PlanDraft> = {}, options: DriverOptions = {}): EngineDriver {
  return new EngineDriver(buildPlan({ notify: [everything], ...plan, steps }), options).run();
}
const told = (driver: EngineDriver): string[] =>
  driver.notices.map(({ notice: { event, kind, gate, alert } }) =>
    [event, kind, gate?.id ?? alert?.name].filter((part) => part !== undefined).join(' '),
  );
const auditOf = (driver: EngineDriver, action: string) => driver.audit().filter((entry) => entry.action === action);
const failing = (): Ending => ({ failure: { kind: 'failed' } });
const noErrors: Condition = { op: '<', left: { op: 'metric', name: 'errors' }, right: { op: 'literal', value: 1 } };
const manyErrors: Condition = { op: '>', left: { op: 'metric', name: 'errors' }, right: { op: 'literal', value: 1 } };
const alert = (name: string): EngineEvent => ({
  type: 'alertReceived',
  atMs: startMs,
  by: { kind: 'person', id: 'ana' },
  name,
  severity: 'critical',
  message: 'the disk is full',
});

test('a run that is approved tells of the gate and of its end, once each, with a key of its own', () => {
  const driver = drive({ a: { approval: { approvers: ['ana', 'bob'], quorum: 2 } } }, { notify: [everything, only('completed')] });
  expect(told(driver)).toEqual(['waiting opened a']);
  driver.vote('a', 'approve', 'ana').vote('a', 'approve', 'bob');
  expect(told(driver)).toEqual(['waiting opened a', 'completed completed', 'completed completed']);
  expect(driver.notices.map(({ id, notice }) => [id, notice.key])).toEqual(
    [1, 2, 3].map((n) => [`vapora.notify/${n}`, `run-id/vapora.notify/${n}`]),
  );
});

test('a task of a person: what is to be done, by whom, until when, and the command that reports it; once more at half its time', () => {
  const driver = drive(
    { docs: { role: 'writer', title: 'Write the docs', tasks: ['a page'], outputs: ['docs.md'], timeoutMs: 2 * hourMs } },
    {},
    {
      assign: ({ role }) => ({ kind: 'assigned', agent: { id: 'ana', role, skills: [], executor: 'human', idempotent: false } }),
      engine: { humans: [{ id: 'max', role: 'decision-maker' }] },
    },
  );
  const command = 'vapora workflow report --id run --step docs --by ana --status success --output docs.md=@FILE';
  expect(driver.notices.map(({ notice: { title, text, task } }) => ({ title, text, task }))).toEqual([
    {
      title: 'test-plan: waits for ana to do docs',
      text: [
        'Write the docs',
        '- a page',
        'To deliver: docs.md',
        'Who may report: ana, max',
        'Until: 2026-01-05 14:00 UTC',
        `Done: ${command}`,
        'Run run of test-plan, started by ivo',
      ].join('\n'),
      task: {
        id: 'docs#1',
        step: 'docs',
        mode: 'do',
        agent: 'ana',
        mayReport: ['ana', 'max'],
        title: 'Write the docs',
        tasks: ['a page'],
        outputs: ['docs.md'],
        deadline: '2026-01-05T14:00:00.000Z',
        command,
      },
    },
  ]);
  driver.pass(hourMs);
  expect(told(driver)).toEqual(['waiting opened', 'waiting reminded']);
  expect(driver.notices[1]?.notice.title).toBe('test-plan: still waits for ana to do docs');
  driver.pass(hourMs);
  expect(told(driver)).toEqual(['waiting opened', 'waiting reminded', 'failed failed']);
});

test('nobody is told where the plan has no channel, or none for the event', () => {
  for (const notify of [[], [only('late')]]) {
    const driver = drive({ a: { approval: true } }, { notify }).vote('a', 'approve');
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.decisions.filter(({ type }) => type === 'notify')).toEqual([]);
  }
});

test('a gate: who may decide, who may not, until when, and the commands that decide it', () => {
  const driver = drive(
    { 'the-step': { approval: { approvers: ['leads'], distinctFrom: ['initiator'], timeoutMs: hourMs, prompt: 'Good enough?' } } },
    { approvers: { leads: ['ana'] } },
    {
      behave: () => ({ result: { summary: 'a design' } }),
      engine: { run: { id: "ana's run", runId: 'r', rootRunId: 'r', definition: 'd' } },
    },
  );
  const [notice] = driver.notices;
  expect(notice?.notice.gate).toEqual({
    id: 'the-step',
    kind: 'approval',
    step: 'the-step',
    isOverride: false,
    prompt: 'Good enough?',
    summary: 'a design',
    approvers: ['ana'],
    barred: ['ivo'],
    quorum: 1,
    deadline: new Date(startMs + 1_000 + hourMs).toISOString(),
    commands: {
      approve: `vapora workflow approve --id 'ana'\\''s run' --gate the-step --by ana`,
      reject: `vapora workflow reject --id 'ana'\\''s run' --gate the-step --by ana --reason "…"`,
    },
  });
});

test('reminders and escalations tell again, the latter those who may decide now', () => {
  const driver = drive(
    { a: { approval: { approvers: ['ana'], timeoutMs: 4 * hourMs, timeoutIsExplicit: true } } },
    { escalation: [{ afterMs: hourMs, to: ['eva'] }] },
  );
  driver.pass(4 * hourMs + 2_000);
  expect(told(driver)).toEqual(['waiting opened a', 'waiting reminded a', 'waiting escalated a']);
  expect(driver.notices.map(({ notice }) => notice.gate?.approvers)).toEqual([['ana'], ['ana'], ['ana', 'eva']]);
});

test.each<[string, DriverOptions]>([['approved as soon as it opens', { engine: { autoApprove: true } }]])(
  'a gate that is %s needs nobody',
  (_, options) => {
    expect(told(drive({ a: { approval: true } }, {}, options))).toEqual(['completed completed']);
  },
);

test('a gate that early votes decide needs nobody', () => {
  const driver = new EngineDriver(buildPlan({ notify: [everything], steps: { a: { approval: true } } })).vote('a', 'approve');
  expect(driver.finished).toEqual({ status: 'completed' });
  expect(told(driver)).toEqual(['completed completed']);
});

test('what is held back: once, with the reason, and a command that says why', () => {
  const driver = drive(
    { a: { gate: noErrors, gateText: 'errors < 1', ifBlocked: { kind: 'escalate' } } },
    { escalation: [{ afterMs: hourMs, to: ['eva'] }] },
    { behave: () => ({ result: { metrics: { errors: 3 } } }), engine: { humans: [{ id: 'ana', role: 'decision-maker' }] } },
  );
  // Opened and put before the next level at once: one notice.
  expect(told(driver)).toEqual(['blocked opened a:blocked']);
  const gate = driver.notices[0]?.notice.gate;
  expect(gate).toMatchObject({ isOverride: true, step: 'a', approvers: ['ana', 'eva'], deadline: null });
  expect(gate?.reason).toContain('errors');
  expect(gate?.commands.approve).toContain('--reason');
});

test.each<[string, EngineDriver, string]>([
  ['failed', drive({ a: {} }, {}, { behave: failing }), 'failed failed'],
  [
    'rolled back',
    drive({ a: { compensate: { action: 'undo' } }, b: { after: ['a'] } }, {}, { behave: ({ step }) => (step === 'b' ? failing() : {}) }),
    'failed rolled_back',
  ],
  ['cancelled', drive({ a: { approval: true } }).cancel(), 'failed cancelled'],
  [
    'not undone',
    drive(
      { a: { compensate: { action: 'undo' } }, b: { after: ['a'] } },
      {},
      { behave: ({ step, effect }) => (step === 'b' || effect.mode === 'undo' ? failing() : {}) },
    ),
    'failed rollback_failed',
  ],
])('the end of a run that is %s', (_, driver, expected) => {
  expect(told(driver).at(-1)).toBe(expected);
  expect(driver.notices.at(-1)?.notice).toMatchObject({ run: { status: driver.finished?.status, reason: driver.finished?.reason } });
});

test('alerts of monitors are told when they are raised and when they are cleared, those of signals too', () => {
  const driver = drive(
    { watch: { role: 'monitor', monitor: { durationMs: 30_000, alerts: [{ condition: manyErrors, text: 'errors > 1' }] } } },
    { notify: [only('alert')] },
    { behave: ({ sample }) => ({ result: { metrics: { errors: sample?.index === 0 ? 5 : 0 } }, durationMs: 1 }) },
  );
  expect(told(driver)).toEqual(['alert raised errors > 1', 'alert cleared errors > 1']);
  const signalled = drive({ a: { approval: true } }, { notify: [only('alert')] }).send(alert('disk'));
  expect(signalled.notices[0]?.notice.alert).toEqual({
    step: '',
    name: 'disk',
    severity: 'critical',
    message: 'the disk is full',
    state: 'raised',
  });
});

describe('late', () => {
  const steps = (n: number): Record<string, StepDraft> =>
    Object.fromEntries(
      Array.from({ length: n }, (_, k) => [`s${k}`, { estimateMs: hourMs, ...(k === 0 ? {} : { after: [`s${k - 1}`] }) }]),
    );
  const onTime = ({ step }: { step: string }): Ending => ({ durationMs: step === 's0' ? 3 * hourMs : hourMs });

  test('projected: once in each phase, naming those whom the file names', () => {
    const driver = drive(
      { ...steps(2), ...{ s2: { estimateMs: hourMs, after: ['s1'], phase: 'later' } } },
      {
        notify: [only('late')],
        plannedMs: 4 * hourMs,
        phases: [{ id: 'all' }, { id: 'later' }],
        approvers: { board: ['ana', 'ben'] },
        onLate: { notify: ['board', 'eva'] },
      },
      { behave: onTime },
    );
    expect(driver.notices.map(({ notice: { late, people, run } }) => ({ late, people, phase: run.phase }))).toEqual([
      { phase: 'all', people: ['ana', 'ben', 'eva'], late: { plannedMs: 4 * hourMs, projectedMs: 5 * hourMs, elapsedMs: 3 * hourMs } },
      { phase: 'later', people: ['ana', 'ben', 'eva'], late: { plannedMs: 4 * hourMs, projectedMs: 5 * hourMs, elapsedMs: 4 * hourMs } },
    ]);
    expect(driver.finished).toEqual({ status: 'completed' });
  });

  test('a run that waits for people is late when its planned end has passed, and not before', () => {
    const driver = drive({ a: { approval: { timeoutMs: 100 * hourMs } } }, { notify: [only('late')], plannedMs: 4 * hourMs });
    driver.pass(4 * hourMs);
    expect(driver.notices).toEqual([]);
    driver.pass(hourMs);
    expect(told(driver)).toEqual(['late projected']);
    driver.pass(20 * hourMs).vote('a', 'approve');
    expect(driver.notices).toHaveLength(1);
  });

  test('a run as planned is not, whatever the time scale', () => {
    for (const timeScale of [1, 3_600]) {
      const driver = drive(
        steps(3),
        { notify: [only('late')], plannedMs: 3 * hourMs },
        { behave: () => ({ durationMs: (hourMs * 1.01) / timeScale }), engine: { timeScale } },
      );
      expect(driver.finished).toEqual({ status: 'completed' });
      expect(driver.notices).toEqual([]);
    }
  });

  test('waiting for the planned end keeps no run from finding that nothing can go on', () => {
    // Merges and what can block them wait for each other: what lets the first one go on looks for timers that may still fire.
    const ring: Record<string, StepDraft> = {
      first: {},
      m1: { merges: true, after: ['first'] },
      m2: { deploys: true, after: ['first'] },
      r1: { canBlockDeployment: true, after: ['m1'] },
      r2: { canBlockMerge: true, after: ['m2'] },
    };
    const driver = drive(ring, { notify: [only('late')], plannedMs: hourMs });
    expect(driver.nowMs - startMs).toBeLessThan(hourMs);
    expect(driver.finished).toEqual({ status: 'completed' });
  });
});

describe('what becomes of a notice is audited', () => {
  test('delivered', () => {
    const driver = drive({ a: { approval: true } }, {}, { deliver: () => ({ address: 'hooks.example.com', attempt: 3 }) });
    expect(auditOf(driver, 'notice.sent')).toMatchObject([
      {
        object: 'a',
        details: { notice: 'vapora.notify/1', channel: 'log', event: 'waiting', kind: 'opened', address: 'hooks.example.com', attempt: 3 },
      },
    ]);
    expect(driver.state.notices?.pending).toEqual({});
  });

  test('given up: the run goes on all the same', () => {
    const driver = drive({ a: { approval: true }, b: { after: ['a'] } }, {}, { deliver: () => ({ failure: 'down' }) }).vote('a', 'approve');
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(auditOf(driver, 'notice.failed')[0]).toMatchObject({ object: 'a', reason: 'waiting by log: down' });
  });

  test('after the end too, and twice is once', () => {
    const driver = drive({ a: {} }, {}, { deliver: () => 'never' });
    const ended: EngineEvent = { type: 'noticeEnded', atMs: driver.nowMs, id: 'vapora.notify/1', address: 'log', attempt: 1 };
    driver.send(ended, { ...ended, failure: 'too late' });
    expect(driver.audit().filter(({ action }) => action.startsWith('notice.'))).toMatchObject([{ action: 'notice.sent', object: 'run' }]);
  });
});

test('a flood of alerts is dropped and said so; what people must decide is told nevertheless, and so is the end', () => {
  const flood = (k: number): EngineEvent[] => Array.from({ length: 150 }, (_, n) => alert(`disk ${k}-${n}`));
  const stuck = drive({ a: { approval: true }, b: { after: ['a'], approval: true } }, {}, { deliver: () => 'never' });
  stuck.send(...flood(0));
  expect(stuck.notices).toHaveLength(100);
  expect(auditOf(stuck, 'notice.dropped')).toHaveLength(51);
  stuck.vote('a', 'approve').vote('b', 'approve');
  expect(told(stuck).slice(-2)).toEqual(['waiting opened b', 'completed completed']);

  const long = drive({ a: { approval: true } });
  for (let k = 0; k < 10; k += 1) for (const event of flood(k)) long.send(event);
  expect(long.notices).toHaveLength(500);
  long.vote('a', 'approve');
  expect(told(long).at(-1)).toBe('completed completed');
});

test('an engine that is restored all the time tells the same', () => {
  const plan = { notify: [everything], plannedMs: hourMs };
  const tell = (restoreAlways: boolean) => {
    const driver = drive({ a: { approval: true }, b: { after: ['a'] } }, plan, { restoreAlways });
    return driver.pass(2 * hourMs).vote('a', 'approve').notices;
  };
  expect(tell(true)).toEqual(tell(false));
});
