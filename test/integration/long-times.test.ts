/** Hours, days and weeks of workflow time, on a server that skips what nobody works in. */
import { decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getGates, getTimeline } from '../../client/run-views';
import type { DecideReply } from '../../core/contract/messages';
import type { TimelineEntry } from '../../core/contract/views';
import { listAuditOf, queryDatabase } from '../support/run-records';
import { startTimeSkippingVapora } from '../support/time-skipping';
import type { TimeSkippingVapora } from '../support/time-skipping';
import { instantAgents, startTestRun } from '../support/vapora';
import type { StartedTestRun } from '../support/vapora';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** While a step or a workflow task is at work, workflow time passes as fast as ours: on a busy machine, this much. Nothing here lies closer. */
const workMs = minuteMs;

let skipping: TimeSkippingVapora;
beforeAll(async () => {
  skipping = await startTimeSkippingVapora();
});
afterAll(() => skipping?.stop());

const start = (source: string, agents = instantAgents): Promise<StartedTestRun> => startTestRun(skipping.vapora, source, { agents });

function expectAt(what: string, atMs: number | undefined, expectedMs: number): void {
  const lateMs = (atMs ?? NaN) - expectedMs;
  // Not a millisecond too early.
  if (!(lateMs >= 0 && lateMs < workMs)) throw new Error(`${what} came ${lateMs} ms after its time`);
}

async function timesOf({ id }: StartedTestRun, action: string): Promise<number[]> {
  return (await listAuditOf(skipping.vapora, id, action)).map(({ event }) => Date.parse(event.at));
}

/** When the agent of each effect was called, by the server's clock: the agent itself lives in real time, and so do the times it tells. */
async function listCalls({ handle }: StartedTestRun): Promise<{ effect: string; atMs: number }[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ eventTime, activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [{ effect: scheduled.activityId ?? '', atMs: Number(eventTime?.seconds) * 1_000 + (eventTime?.nanos ?? 0) / 1e6 }] : [],
  );
}

async function listTimeline({ id }: StartedTestRun, step: string): Promise<TimelineEntry[]> {
  return (await getTimeline(skipping.vapora.client, id)).view.steps.filter((entry) => entry.step === step);
}

describe('a monitor of 24 hours', () => {
  const source = `
Workflow: watched
Steps:
  watch: { agent: monitor, duration: 24h, interval: 15min, metrics: [error_rate], alert_if: error_rate > 1% }
  after: { agent: developer, dependencies: [watch] }
`;
  const agents = {
    source: `
agents:
  - {id: m, role: monitor, executor: {kind: simulate, duration: 1ms, metrics: {error_rate: 0.1%}}}
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
`,
  };

  test('takes its 96 samples on time, ends after 24 hours and not before, and only then do others go on', async () => {
    const run = await start(source, agents);
    await run.reaches('in_progress');
    const beganMs = Date.parse((await run.status()).startedAt);
    await skipping.passTo(beganMs + dayMs - workMs);
    expect((await run.status()).steps.map(({ id, state }) => [id, state])).toEqual([
      ['watch', 'running'],
      ['after', 'pending'],
    ]);
    await skipping.passTo(beganMs + dayMs + 2 * workMs);
    expect(await waitForResult(skipping.vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 2 } });

    const [watch] = await listTimeline(run, 'watch');
    const startedMs = Date.parse(watch?.startedAt ?? '');
    expectAt('the start', startedMs, beganMs);
    expectAt('the end', Date.parse(watch?.endedAt ?? ''), startedMs + dayMs);
    const [passedMs] = await timesOf(run, 'step.passed');
    expectAt('the end in the audit', passedMs, startedMs + dayMs);

    const calls = await listCalls(run);
    expect(calls.map(({ effect }) => effect)).toEqual([...Array.from({ length: 96 }, (_, index) => `watch/sample-${index}#1`), 'after#1']);
    calls.forEach(({ effect, atMs }, index) => expectAt(effect, atMs, startedMs + index * 15 * minuteMs));
    expect(
      await queryDatabase(
        skipping.vapora,
        'select count(*)::int as n, max(idx) as last from monitor_samples s join runs r using (root_run_id) where r.workflow_id = $1',
        [run.id],
      ),
    ).toEqual([{ n: 96, last: 95 }]);
  });
});

describe('an approval that nobody gives', () => {
  const sourceOf = (quorum: number): string => `
Workflow: unanswered
approvers: { leads: [lea], board: [bea, bo] }
escalation:
  - { after: 6h, to: [leads] }
  - { after: 3h, to: [board] }
Steps:
  a: { agent: developer, approval: { approvers: [ana, al, ada], quorum: ${quorum}, timeout: 24h } }
  b: { agent: developer, dependencies: [a] }
`;

  type Told = Pick<DecideReply, 'effect' | 'decided'> | string;

  async function vote({ id }: StartedTestRun, by: string): Promise<Told> {
    try {
      const { effect, decided } = await decideGate(skipping.vapora.client, id, { gate: 'a', by, decision: 'approve' });
      return { effect, decided };
    } catch (error) {
      return (error as { details?: { code?: string } }).details?.code ?? String(error);
    }
  }

  async function gateOf({ id }: StartedTestRun) {
    const [gate] = (await getGates(skipping.vapora.client, id)).view;
    return gate;
  }

  async function openedAt(run: StartedTestRun): Promise<number> {
    const { deadline } = await run.waitsAt('a');
    const [openedMs = NaN] = await timesOf(run, 'gate.opened');
    expect(Date.parse(deadline ?? '')).toBe(openedMs + 24 * hourMs);
    return openedMs;
  }

  test('is reminded of at 12 h, put before the next level at 24 h and 30 h, and rejected at 33 h; who is not asked yet cannot vote', async () => {
    const run = await start(sourceOf(3));
    const openedMs = await openedAt(run);
    const passTo = (hours: number, offsetMs: number): Promise<void> => skipping.passTo(openedMs + hours * hourMs + offsetMs);

    await passTo(12, -workMs);
    expect(await timesOf(run, 'gate.reminded')).toEqual([]);
    await passTo(12, workMs);
    const reminded = await timesOf(run, 'gate.reminded');
    expectAt('the reminder', reminded[0], openedMs + 12 * hourMs);

    await passTo(24, -workMs);
    expect(await timesOf(run, 'gate.escalated')).toEqual([]);
    expect([await vote(run, 'lea'), await vote(run, 'bea')]).toEqual(['not_approver', 'not_approver']);
    await passTo(24, workMs);
    const escalated = await listAuditOf(skipping.vapora, run.id, 'gate.escalated');
    expect(escalated.map(({ event }) => event.details)).toEqual([{ to: ['leads'] }]);
    expectAt('level 1', Date.parse(escalated[0]?.event.at ?? ''), openedMs + 24 * hourMs);
    expect(await gateOf(run)).toMatchObject({ state: 'open', approvers: ['ana', 'al', 'ada', 'lea'] });
    expect([await vote(run, 'lea'), await vote(run, 'bea')]).toEqual([{ effect: 'counted', decided: false }, 'not_approver']);

    await passTo(30, -workMs);
    expect(await timesOf(run, 'gate.escalated')).toHaveLength(1);
    await passTo(30, workMs);
    const [, level2Ms] = await timesOf(run, 'gate.escalated');
    expectAt('level 2', level2Ms, openedMs + 30 * hourMs);
    expect(await gateOf(run)).toMatchObject({ state: 'open', approvers: ['ana', 'al', 'ada', 'lea', 'bea', 'bo'] });
    expect(await vote(run, 'bea')).toEqual({ effect: 'counted', decided: false });
    expect(Date.parse((await gateOf(run))?.deadline ?? '')).toBe((level2Ms ?? NaN) + 3 * hourMs);

    await passTo(33, -workMs);
    expect(await gateOf(run)).toMatchObject({ state: 'open', votes: [{ by: 'lea' }, { by: 'bea' }] });
    await passTo(33, workMs);
    expect(await waitForResult(skipping.vapora.client, run.id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('not approved in time') as string,
    });
    const [rejectedMs] = await timesOf(run, 'gate.timed_out');
    expectAt('the rejection', rejectedMs, openedMs + 33 * hourMs);
    expect(await timesOf(run, 'gate.reminded')).toHaveLength(1);
    expect(await listTimeline(run, 'b')).toEqual([]);
  });

  test('is given by somebody of level 2, and the run goes on from there', async () => {
    const run = await start(sourceOf(1));
    const openedMs = await openedAt(run);
    await skipping.passTo(openedMs + 30 * hourMs - workMs);
    expect(await vote(run, 'bo')).toBe('not_approver');
    await skipping.passTo(openedMs + 30 * hourMs + workMs);
    expect(await vote(run, 'bo')).toEqual({ effect: 'counted', decided: true });
    expect(await waitForResult(skipping.vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { passed: 2 } });
    const [approvedMs] = await timesOf(run, 'gate.approved');
    expectAt('the approval', approvedMs, openedMs + 30 * hourMs + workMs);
    const next = (await listCalls(run)).at(-1);
    expect(next?.effect).toBe('b#1');
    expectAt('the next step', next?.atMs, approvedMs ?? NaN);
  });
});

describe('what is deferred to next week', () => {
  const timezone = 'Europe/Madrid';
  const source = `
Workflow: deferred
timezone: ${timezone}
Steps:
  a: { agent: developer, approval: { approvers: [ana] }, if_blocked: defer_to_next_week }
`;

  /** As in `Mon 09:00 GMT+1`. */
  const localTime = (atMs: number): string =>
    new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZoneName: 'shortOffset',
    })
      .format(atMs)
      .replace(',', '');
  const offsetAt = (atMs: number): string | undefined => localTime(atMs).split(' ').at(-1);

  /** Noon (UTC) of the next Thursday after which the clocks change before Monday. */
  function thursdayBeforeChange(afterMs: number): number {
    const noon = Math.ceil(afterMs / dayMs) * dayMs + dayMs / 2;
    for (let atMs = noon; atMs < noon + 366 * dayMs; atMs += dayMs) {
      if (localTime(atMs).startsWith('Thu') && offsetAt(atMs) !== offsetAt(atMs + 4 * dayMs)) return atMs;
    }
    throw new Error(`the clocks of ${timezone} do not change`);
  }

  test('runs again on Monday at nine, by the clock of its timezone, also when the clocks change before', async () => {
    await skipping.passTo(thursdayBeforeChange(await skipping.nowMs()));
    const run = await start(source);
    await run.waitsAt('a');
    await run.handle.signal('reject', { gate: 'a', by: 'ana', reason: 'not this week' });
    await run.reaches('deferred');
    const [rejectedMs = NaN] = await timesOf(run, 'gate.rejected');

    const expectedMs = mondayAtNine(rejectedMs);
    await skipping.passTo(expectedMs - workMs);
    expect(await run.status()).toMatchObject({ status: 'deferred' });
    await skipping.passTo(expectedMs + workMs);
    await run.waitsAt('a');
    const [, again] = await listCalls(run);
    expect(again?.effect).toBe('a#2');
    expectAt('the second time', again?.atMs, expectedMs);
    expect(offsetAt(expectedMs)).not.toBe(offsetAt(rejectedMs));

    await run.handle.signal('approve', { gate: 'a', by: 'ana' });
    expect(await waitForResult(skipping.vapora.client, run.id)).toMatchObject({ status: 'completed' });
  });

  /** Found by looking at the zone's clock at every full hour. */
  function mondayAtNine(afterMs: number): number {
    const hour = Math.ceil(afterMs / hourMs) * hourMs;
    const found = Array.from({ length: 8 * 24 }, (_, index) => hour + index * hourMs).find((atMs) =>
      localTime(atMs).startsWith('Mon 09:00 '),
    );
    return found ?? NaN;
  }
});
