import fc from 'fast-check';
import type { AssignmentRequest } from '../contract/local-activities';
import { agentNamed, byStep, EngineDriver, startMs, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import { drive, planCase, planOf, type PlanCase } from '../../test/support/random-plan';
import type { TaskView } from '../contract/views';
import type { Report } from './types';

const hour = 3_600_000;

/** Steps of role `writer` are done by ana, then by bo; max is a decision-maker; all else by machines. */
const people: NonNullable<DriverOptions['assign']> = ({ role, agentId, exclude }: AssignmentRequest) => {
  if (role !== 'writer') return { kind: 'assigned', agent: agentNamed(agentId ?? `${role}-1`, { role }) };
  const id = agentId ?? ['ana', 'bo'].find((one) => !exclude.includes(one));
  if (id === undefined) return { kind: 'nobody', reason: 'ana, bo have tried it already' };
  return { kind: 'assigned', agent: agentNamed(id, { role, executor: 'human', idempotent: false }) };
};
const humans = [
  { id: 'ana', role: 'writer' },
  { id: 'bo', role: 'writer' },
  { id: 'max', role: 'decision-maker' },
];

function start(steps: PlanDraft['steps'], options: DriverOptions = {}, plan: Omit<PlanDraft, 'steps'> = {}): EngineDriver {
  return new EngineDriver(buildPlan({ ...plan, steps }), { assign: people, ...options, engine: { humans, ...options.engine } }).run();
}

function reportEvent(driver: EngineDriver, report: Partial<Report>) {
  return { type: 'reported', atMs: driver.nowMs, report: { step: 'w', by: 'ana', ...report } } as const;
}

/** What a report does, as the engine answers it; the verdict before must be the same. */
function report(driver: EngineDriver, said: Partial<Report>) {
  const event = reportEvent(driver, said);
  const before = JSON.stringify(driver.state);
  const judged = driver.engine.judgeReport(event.report);
  expect(JSON.stringify(driver.state)).toBe(before);
  let verdict: unknown;
  driver.send({ ...event, answer: (answered: unknown) => (verdict = answered) });
  expect(verdict).toEqual(judged);
  return judged;
}

const done = { status: 'success' } as const;
const auditOf = (driver: EngineDriver, action: string) => driver.audit().filter((line) => line.action === action);
const endsOf = (driver: EngineDriver) => driver.changes.flatMap(({ ends }) => ends);
const between: Record<string, StepDraft> = {
  before: { outputs: ['notes'] },
  w: {
    role: 'writer',
    after: ['before'],
    title: 'Write it up',
    tasks: ['write'],
    outputs: ['text.md'],
    inputs: [{ name: 'notes', from: 'before' }],
  },
  after: { after: ['w'], inputs: [{ name: 'text.md', from: 'w' }] },
};
const behave = byStep({ before: { result: { outputs: { notes: 'some notes' } } } });

describe('a step that a person does, between two of machines', () => {
  test('is a task: nothing is launched, and what is waited for is said everywhere', () => {
    const driver = start(between, { behave });
    expect(driver.order()).toEqual(['before']);
    expect(driver.statesOf()).toEqual({ before: 'passed', w: 'running', after: 'pending' });
    expect(driver.engine.waitsFor()).toEqual(['w:task']);
    expect(driver.engine.isQuiet()).toBe(true);
    const view = driver.engine.statusView(driver.nowMs);
    const since = '2026-01-05T12:00:01.000Z';
    const deadline = '2026-01-06T12:00:01.000Z';
    expect(view).toMatchObject({ status: 'waiting_approval', waitsFor: ['w:task'] });
    expect(view.tasks).toEqual([
      {
        id: 'w#1',
        step: 'w',
        generation: 1,
        mode: 'do',
        agent: 'ana',
        mayReport: ['ana', 'max'],
        since,
        deadline,
        progress: null,
        asked: { title: 'Write it up', tasks: ['write'], outputs: ['text.md'], inputs: { notes: { text: 'some notes' } } },
      },
    ]);
    expect(view.steps[1]).toMatchObject({ agent: 'ana', waitsFor: ['w:task'], reason: `waits for ana to do it until ${deadline}` });
    expect(driver.engine.explain('w')?.lines).toContain(
      `task w#1: asked of ana since ${since}, until ${deadline}, outputs text.md (ana, max may report)`,
    );
    expect(driver.engine.taskDocument('w#1')).toMatchObject({
      step: { id: 'w', title: 'Write it up', role: 'writer' },
      agent: { id: 'ana' },
      mode: 'do',
      idempotencyKey: 'root/w#1',
      inputs: { notes: { text: 'some notes' } },
      deadline,
    });
    expect(driver.engine.taskDocument('w#2')).toBeNull();
    const recorded = driver.changes.flatMap(({ tasks = [] }) => tasks);
    expect(recorded).toEqual([{ effect: expect.objectContaining({ path: 'w' }) as object, isOpen: true, view: view.tasks?.[0] }]);
    expect(driver.changes.findLast(({ run }) => run !== undefined)?.run).toMatchObject({
      status: 'waiting_approval',
      waitsFor: ['w:task'],
    });
  });

  test('ends by the result, which goes the way of any agent', () => {
    const driver = start(between, { behave });
    expect(report(driver, { result: { ...done, summary: 'written', outputs: { 'text.md': 'Hello' } } })).toMatchObject({
      ok: true,
      reply: { effect: 'succeeded', task: 'w#1', step: 'w', message: 'w#1 is done' },
    });
    expect(driver.finished).toEqual({ status: 'completed' });
    expect(driver.order()).toEqual(['before', 'after']);
    expect(endsOf(driver)).toEqual([
      expect.objectContaining({
        path: 'w',
        outcome: 'success',
        startedAtMs: startMs + 1_000,
        actor: { kind: 'person', id: 'ana', assurance: 'local' },
        result: { ...done, summary: 'written', outputs: { 'text.md': 'Hello' } },
      }),
    ]);
    expect(auditOf(driver, 'task.reported')).toMatchObject([{ actor: { id: 'ana' }, outcome: 'success', reason: 'written' }]);
    expect(driver.engine.timelineView().steps).toMatchObject([{ step: 'before' }, { step: 'w', agent: 'ana', outcome: 'success' }, {}]);
    expect(driver.engine.statusView(driver.nowMs).tasks).toBeUndefined();
  });

  test('may say how far it is', () => {
    const driver = start(between, { behave });
    expect(report(driver, { progress: 0.4, message: 'half of it' })).toMatchObject({ ok: true, reply: { effect: 'noted' } });
    const view = driver.engine.statusView(driver.nowMs);
    expect(view.tasks).toMatchObject([{ progress: 0.4, message: 'half of it' }]);
    expect(view.steps[1]).toMatchObject({ state: 'running', progress: 0.4, message: 'half of it' });
  });

  test.each<[string, Partial<Report>, string, RegExp]>([
    ['somebody else', { by: 'bo', result: done }, 'not_assigned', /bo may not report on w#1: it is a task of ana \(ana, max may report\)/],
    ['about another generation', { task: 'w#2', result: done }, 'no_such_task', /w#2 is not open: w#1 is/],
    ['about somebody who is not asked', { agent: 'bo', by: 'max', result: done }, 'no_such_task', /bo is not asked to do w/],
    ['about a machine', { step: 'before', result: done }, 'no_such_task', /before is passed: nobody is asked to do it/],
    ['about no step', { step: 'x', result: done }, 'no_such_step', /there is no step x/],
    [
      'without what was promised',
      { result: { ...done, outputs: { 'text.txt': 'x' } } },
      'outputs_missing',
      /text.md was not delivered \(delivered: text.txt\)/,
    ],
  ])('%s: refused with the reason, and the task stays open', (_name, said, code, reason) => {
    const driver = start(between, { behave });
    expect(report(driver, said)).toEqual({ ok: false, code, reason: expect.stringMatching(reason) as string });
    expect(driver.stateOf('w')).toBe('running');
    expect(driver.engine.waitsFor()).toEqual(['w:task']);
    expect(endsOf(driver)).toEqual([]);
    expect(auditOf(driver, 'report.ignored')).toMatchObject([{ actor: { id: said.by ?? 'ana' }, details: { code } }]);
    expect(report(driver, { result: { ...done, outputs: { text: 'x' } } })).toMatchObject({ ok: true });
    expect(driver.finished?.status).toBe('completed');
  });

  test('a decision-maker may report for the person', () => {
    const driver = start(between, { behave });
    expect(report(driver, { by: 'max', result: { ...done, outputs: { 'text.md': 'x' } } })).toMatchObject({ ok: true });
    expect(endsOf(driver)).toMatchObject([{ actor: { id: 'max' } }]);
  });

  test('what is reported again, or after the end, is refused', () => {
    const driver = start({ w: { role: 'writer' }, x: { role: 'writer', after: ['w'] } });
    expect(report(driver, { result: done })).toMatchObject({ ok: true });
    expect(report(driver, { result: done })).toMatchObject({
      ok: false,
      code: 'no_such_task',
      reason: 'w is passed: nobody is asked to do it',
    });
    report(driver, { step: 'x', result: done });
    expect(report(driver, { step: 'x', result: done })).toMatchObject({ ok: false, code: 'run_ended' });
    expect(endsOf(driver)).toHaveLength(2);
  });

  test('of several the first counts', () => {
    const driver = start({ w: { role: 'writer' }, x: { role: 'writer', after: ['w'] } });
    driver.send(reportEvent(driver, { result: { ...done, summary: 'one' } }), reportEvent(driver, { result: { ...done, summary: 'two' } }));
    expect(endsOf(driver)).toMatchObject([{ result: { summary: 'one' } }]);
    expect(auditOf(driver, 'report.ignored')).toHaveLength(1);
  });
});

describe('failure', () => {
  const steps = (more: StepDraft = {}) => ({ w: { role: 'writer', timeoutMs: hour, ...more } });

  test('reported: the step fails by its policy, the reason is what was said', () => {
    const driver = start(steps());
    expect(report(driver, { result: { status: 'failure', summary: 'no time' } })).toMatchObject({ ok: true, reply: { effect: 'failed' } });
    expect(driver.finished).toEqual({ status: 'failed', reason: 'step w failed: no time' });
    expect(endsOf(driver)).toMatchObject([{ outcome: 'failure', failure: 'no time' }]);
  });

  test('reported: another person, where the step says so; what the first one says then is refused', () => {
    const driver = start(steps({ reassign: 1 }));
    report(driver, { result: { status: 'failure', summary: 'no time' } });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ id: 'w#1.1.2', agent: 'bo' }]);
    expect(report(driver, { result: done })).toMatchObject({ ok: false, code: 'not_assigned' });
    expect(report(driver, { by: 'bo', result: done })).toMatchObject({ ok: true });
    expect(driver.finished?.status).toBe('completed');
  });

  test('the deadline passes: as a timeout of any agent, then another person', () => {
    const driver = start(steps({ reassign: 1 }));
    driver.pass(hour - 1);
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ agent: 'ana' }]);
    driver.pass(1);
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ agent: 'bo' }]);
    driver.pass(hour);
    expect(driver.finished).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('bo did not report by 2026-01-05T14:00') as string,
    });
    expect(endsOf(driver).map(({ outcome, assignment }) => [assignment, outcome])).toEqual([
      [1, 'failure'],
      [2, 'failure'],
    ]);
  });

  test('a report at the very moment of the deadline counts', () => {
    const driver = start(steps());
    driver.schedule(startMs + hour, () => reportEvent(driver, { result: done }));
    driver.pass(hour);
    expect(driver.finished?.status).toBe('completed');
  });

  test('a time scale leaves people ten minutes', () => {
    const driver = start(steps(), { engine: { timeScale: 1_000 } });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ deadline: '2026-01-05T12:10:00.000Z' }]);
  });
});

describe('what else happens to a step that a person does', () => {
  test('a verdict sends back what was reviewed; the next generation is a task of its own', () => {
    const driver = start({ code: {}, w: { role: 'writer', after: ['code'], canBlockMerge: true } });
    report(driver, { result: { ...done, verdict: 'changes_requested', reasons: ['rate-limit it'] } });
    expect(driver.order()).toEqual(['code', 'code']);
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ id: 'w#2', generation: 2 }]);
    expect(report(driver, { task: 'w#1', result: done })).toMatchObject({ ok: false, code: 'no_such_task' });
    report(driver, { task: 'w#2', result: { ...done, verdict: 'approved' } });
    expect(driver.finished?.status).toBe('completed');
  });

  test('rework withdraws a task that is open', () => {
    const steps = {
      code: {},
      review: { after: ['code'], canBlockMerge: true },
      w: { role: 'writer', after: ['code'] },
    };
    let rounds = 0;
    const review = () => ({
      durationMs: hour,
      result: { verdict: rounds++ === 0 ? ('changes_requested' as const) : ('approved' as const) },
    });
    const driver = start(steps, { behave: ({ step }) => (step === 'review' ? review() : {}) });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ id: 'w#2' }]);
    expect(endsOf(driver)).toMatchObject([{ path: 'w', generation: 1, outcome: 'cancelled' }]);
    report(driver, { result: done });
    expect(driver.finished?.status).toBe('completed');
  });

  test('an approval after it asks others about the result', () => {
    const driver = start({ w: { role: 'writer', approval: { approvers: ['max'] } } });
    report(driver, { result: { ...done, summary: 'ready' } });
    expect(driver.engine.waitsFor()).toEqual(['w']);
    driver.vote('w', 'approve', 'max');
    expect(driver.finished?.status).toBe('completed');
  });

  test('several people at one step: a task for each', () => {
    let n = 0;
    const assign: DriverOptions['assign'] = ({ role }) => ({
      kind: 'assigned',
      agent: agentNamed(n++ === 0 ? 'ana' : 'bo', { role, executor: 'human' }),
    });
    const driver = start({ w: { role: 'writer', count: 2 } }, { assign });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([
      { id: 'w#1', agent: 'ana' },
      { id: 'w#1.2', agent: 'bo' },
    ]);
    expect(report(driver, { by: 'max', result: done })).toMatchObject({
      ok: false,
      code: 'no_such_task',
      reason: expect.stringContaining('say which') as string,
    });
    report(driver, { by: 'bo', result: done });
    expect(driver.engine.waitsFor()).toEqual(['w:task']);
    report(driver, { by: 'max', agent: 'ana', result: done });
    expect(driver.finished?.status).toBe('completed');
  });

  test('skipped, it is withdrawn at once', () => {
    const driver = start({ w: { role: 'writer', optional: true }, x: { after: ['w'] } });
    driver.adjust({ kind: 'skip_step', step: 'w' });
    expect(driver.statesOf()).toEqual({ w: 'skipped', x: 'passed' });
    expect(endsOf(driver)).toMatchObject([{ outcome: 'cancelled' }]);
    expect(driver.finished?.status).toBe('completed');
  });

  test('cancelled, it is withdrawn; what it may have done is undone', () => {
    const driver = start({ w: { role: 'writer' }, x: { compensate: { action: 'revert' } } });
    driver.cancel();
    expect(driver.finished?.status).toBe('cancelled');
    expect(driver.order()).toEqual(['x', 'undo x']);
    expect(report(driver, { result: done })).toMatchObject({ ok: false, code: 'run_ended' });
  });

  test('tried again after a failure, by who is named', () => {
    const driver = start({ w: { role: 'writer', onFailure: 'block' } });
    report(driver, { result: { status: 'failure', summary: 'no time' } });
    expect(driver.stateOf('w')).toBe('blocked');
    driver.adjust({ kind: 'retry_step', step: 'w', agent: 'bo' }, { reason: 'she is away' });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([
      { id: 'w#2', agent: 'bo', asked: { comments: [{ text: 'she is away' }] } },
    ]);
    report(driver, { by: 'bo', result: done });
    expect(driver.finished?.status).toBe('completed');
  });

  test('while the run is paused it may be reported; with freeze its deadline stands still', () => {
    const driver = start({ w: { role: 'writer', timeoutMs: hour }, x: { role: 'writer', timeoutMs: hour, after: ['w'] } });
    driver.adjust({ kind: 'pause', freeze: true }, { reason: 'a holiday' });
    expect(driver.engine.statusView(driver.nowMs)).toMatchObject({ status: 'paused', tasks: [{ deadline: null }] });
    driver.pass(10 * hour);
    driver.adjust({ kind: 'resume' });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ deadline: '2026-01-05T23:00:00.000Z' }]);
    driver.adjust({ kind: 'pause' }, { reason: 'lunch' });
    report(driver, { result: done });
    expect(driver.statesOf()).toEqual({ w: 'passed', x: 'ready' });
  });

  test('it takes no slot: machines go on', () => {
    const steps = { w: { role: 'writer' }, a: {}, b: {}, c: { role: 'writer', after: ['w'] } };
    for (const restoreAlways of [false, true]) {
      const driver = start(steps, { restoreAlways }, { maxConcurrentSteps: 1 });
      expect(driver.statesOf()).toEqual({ w: 'running', a: 'passed', b: 'passed', c: 'pending' });
      expect(driver.engine.statusView(driver.nowMs).status).toBe('waiting_approval');
      report(driver, { result: done });
      report(driver, { step: 'c', result: done });
      expect(driver.finished?.status).toBe('completed');
    }
  });

  test('while machines are at work the run is in progress', () => {
    const driver = start({ w: { role: 'writer' }, a: {} }, { behave: () => ({ never: true }) });
    expect(driver.engine.statusView(driver.nowMs).status).toBe('in_progress');
    expect(driver.engine.isQuiet()).toBe(false);
  });

  test('a deployment by a person is a task for each part, and each is undone by a task, the last first', () => {
    const steps = {
      w: { role: 'writer', deploys: true, environments: ['production'], deployment: { strategy: 'rolling' as const } },
      x: { after: ['w'] },
    };
    const driver = start(steps, { behave: byStep({ x: { failure: { kind: 'failed', message: 'broken' } } }) });
    const open = () => driver.engine.statusView(driver.nowMs).tasks?.map(({ id, asked }) => `${id} ${asked.action ?? ''}`);
    expect(open()).toEqual(['w/deploy#1 deploy']);
    report(driver, { task: 'w/deploy#1', result: { ...done, summary: 'deployed' } });
    expect(open()).toEqual(['w/health_check#1 health_check']);
    expect(report(driver, { task: 'w/deploy#1', result: done })).toMatchObject({ ok: false, code: 'no_such_task' });
    report(driver, { result: done });
    expect(open()).toEqual(['w/health_check#1!undo health_check']);
    expect(driver.engine.statusView(driver.nowMs)).toMatchObject({ status: 'rolling_back', waitsFor: ['w:task'] });
    report(driver, { result: done });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([
      { mode: 'undo', asked: { undo: { result: { summary: 'deployed' } } } },
    ]);
    report(driver, { result: done });
    expect(driver.finished?.status).toBe('rolled_back');
  });

  test('an undo that nobody reports has failed when its deadline has passed', () => {
    const steps = { w: { role: 'writer', compensate: { action: 'tear it down' } }, x: { after: ['w'] } };
    const driver = start(steps, { behave: byStep({ x: { failure: { kind: 'failed', message: 'broken' } } }) });
    report(driver, { result: done });
    expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([
      { id: 'w#1!undo', asked: { action: 'tear it down', outputs: [] } },
    ]);
    driver.cancel();
    expect(driver.finished).toBeUndefined();
    driver.pass(24 * hour);
    expect(driver.finished).toMatchObject({ status: 'rollback_failed' });
  });

  test('a monitor asks for machines', () => {
    const driver = start({ m: { monitor: { durationMs: 60_000 } }, w: { role: 'writer' } });
    const asked = Object.fromEntries(driver.assigns.flat().map(({ step, machinesOnly }) => [step, machinesOnly]));
    expect(asked).toEqual({ m: true, w: undefined });
  });
});

describe('while a person is busy elsewhere', () => {
  const asksOf = (steps: PlanDraft['steps'], seconds: number): number[] => {
    const assign: DriverOptions['assign'] = ({ role }) =>
      role === 'writer' ? { kind: 'busy', reason: 'ana 1/1', people: true } : { kind: 'busy', reason: 'dev 1/1' };
    const times: number[] = [];
    const plan = buildPlan({ steps });
    const driver = new EngineDriver(plan, {
      assign: (request, atMs, of) => {
        if (request.step === 'w') times.push((atMs - startMs) / 1_000);
        return assign(request, atMs, of);
      },
    });
    driver.run({ untilMs: startMs + seconds * 1_000 });
    return times.map((time, n) => time - (times[n - 1] ?? 0)).slice(1);
  };

  test('it is asked again after longer and longer times', () => {
    expect(asksOf({ w: { role: 'writer' } }, 500)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 120]);
  });

  test('but not while a machine is waited for', () => {
    expect(asksOf({ w: { role: 'writer' }, a: {} }, 90)).toEqual([1, 2, 4, 8, 15, 15, 15, 15, 15]);
  });
});

test('an open task goes with the state: the deadline runs, the report counts', () => {
  const plan = buildPlan({ steps: { w: { role: 'writer', timeoutMs: hour, reassign: 1 } } });
  const driver = new EngineDriver(plan, { assign: people, engine: { humans }, restoreAlways: true }).run();
  report(driver, { progress: 0.5, message: 'half' });
  expect(driver.engine.statusView(driver.nowMs)).toMatchObject({ status: 'waiting_approval', tasks: [{ progress: 0.5, message: 'half' }] });
  driver.pass(hour);
  expect(driver.engine.statusView(driver.nowMs).tasks).toMatchObject([{ agent: 'bo' }]);
  report(driver, { by: 'bo', result: done });
  expect(driver.finished?.status).toBe('completed');
});

describe('random plans', () => {
  function endingOf(one: PlanCase, { step, mode, generation }: Pick<TaskView, 'step' | 'mode' | 'generation'>) {
    const { durationMs, fails, verdict } = one.steps[Number(step.slice(1))]!;
    if (mode === 'undo') return { durationMs: 500, result: done };
    if (fails) return { durationMs, result: { status: 'failure', summary: 'by script' } as const };
    return { durationMs, result: verdict === undefined || generation > 2 ? done : { ...done, verdict } };
  }

  const behaveAs =
    (one: PlanCase): NonNullable<DriverOptions['behave']> =>
    ({ step, effect }) => {
      const { durationMs, result } = endingOf(one, { step, ...effect });
      const cancelled = { afterMs: one.steps[Number(step.slice(1))]!.role === 'tester' ? 0 : 1 };
      return { durationMs, cancelled, ...(result.status === 'success' ? { result } : { failure: { kind: 'failed' } }) };
    };

  const byMachines = (one: PlanCase): EngineDriver => drive(planOf(one), one, { behave: behaveAs(one) });

  /** Testers are people, who report what a machine would, after the same time. */
  function byPeople(one: PlanCase, options: DriverOptions = {}): EngineDriver {
    const seen = new Set<string>();
    return drive(planOf(one), one, {
      behave: behaveAs(one),
      assign: ({ role }) => ({ kind: 'assigned', agent: agentNamed(`${role}-1`, role === 'tester' ? { executor: 'human' } : {}) }),
      afterTurn(driver) {
        for (const task of driver.engine.statusView(driver.nowMs).tasks ?? []) {
          if (seen.has(task.id)) continue;
          seen.add(task.id);
          const { durationMs, result } = endingOf(one, task);
          const report = { step: task.step, by: 'tester-1', task: task.id, result };
          driver.schedule(driver.nowMs + durationMs, (atMs) => ({ type: 'reported', atMs, report }));
        }
      },
      ...options,
    });
  }

  /** What became of every step, when, and why; not how the run as a whole was called meanwhile. */
  function traceOf(driver: EngineDriver): string[] {
    const lines = driver.audit().filter(({ action }) => !/^(task|report|run)\./.test(action));
    const effects = driver.engine.timelineView().steps;
    return [...lines.map((line) => JSON.stringify(line)).sort(), ...effects.map((effect) => JSON.stringify(effect)).sort()];
  }

  /** Nobody is asked to decide, and no two steps end at one moment, nor is a machine as quick to stop: what is reported then comes after what machines have done. */
  const apart = planCase.map((one) => ({
    ...one,
    slots: 100,
    busyEvery: 0,
    phases: one.phases.map((phase) => ({ ...phase, limit: undefined })),
    onFailure: one.onFailure === 'block' ? ('rollback' as const) : one.onFailure,
    steps: one.steps.map((step, n) => ({ ...step, durationMs: step.durationMs + 2 ** n, approval: false, canBlock: false })),
  }));

  test('what people do is to a run what machines do', () => {
    fc.assert(
      fc.property(apart, (one) => {
        const people = byPeople(one);
        const machines = byMachines(one);
        expect(people.statesOf()).toEqual(machines.statesOf());
        expect(people.finished).toEqual(machines.finished);
        expect(traceOf(people)).toEqual(traceOf(machines));
      }),
      { numRuns: 150 },
    );
  });

  test('with few slots they end, and a state that goes through JSON between any two turns continues the same', () => {
    fc.assert(
      fc.property(planCase, (one) => {
        const restored = byPeople(one, { restoreAlways: true });
        const driver = byPeople(one);
        expect(restored.statesOf()).toEqual(driver.statesOf());
        expect(restored.finished).toEqual(driver.finished);
        expect(traceOf(restored)).toEqual(traceOf(driver));
      }),
      { numRuns: 100 },
    );
  });
});
