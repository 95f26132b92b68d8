import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { waitForResult } from '../../client/run-outcome';
import { Chooser } from '../support/random-workflow';
import { prefixesOf, replayFailuresOf, type NamedHistory } from '../support/replay';
import { firstRunId, listAuditOf } from '../support/run-records';
import { startTestRun, startTestVapora, testWorkflowBundle } from '../support/vapora';
import type { TestVapora } from '../support/vapora';

jest.setTimeout(600_000);

/** VAPORA_REPLAY_RUNS=200 npx jest random-replay: as many runs; VAPORA_REPLAY_SEED repeats what failed. */
const runCount = Number(process.env['VAPORA_REPLAY_RUNS'] ?? 20);
const seed = Number(process.env['VAPORA_REPLAY_SEED'] ?? Date.now() % 1_000_000);
const atOnce = 8;
const maxEdits = 3;
/** An hour is a tenth of a second. */
const timeScale = 36_000;

let editsDone = 0;
let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora({ historyLimits: { events: 40, bytes: 1e9, signals: 1_000 } });
  await slowDownRecordings(vapora.adminUrl);
});
afterAll(() => vapora.stop());

/** A recording takes up to a quarter of a second: what happens meanwhile comes in workflow tasks of its own. */
async function slowDownRecordings(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`
    create function take_time() returns trigger language plpgsql as $$ begin perform pg_sleep(random() * 0.25); return null; end $$;
    create trigger take_time after insert on audit_events for each statement execute function take_time()`);
  await client.end();
}

const roles = ['developer', 'tester', 'code-reviewer', 'security'];

/** Steps with random dependencies, approvals, failures and monitors; every agent takes some milliseconds. */
function randomSource(chooser: Chooser): { source: string; agents: { source: string } } {
  const steps = Array.from({ length: 4 + chooser.among(9) }, (_, n) => {
    const before = Array.from({ length: chooser.among(3) }, () => `s${Math.max(0, n - 1 - chooser.among(4))}`);
    const after = n === 0 ? [] : [...new Set(before)];
    const kind = chooser.among(8);
    const role = roles[chooser.among(roles.length)];
    const keys = [
      `agent: ${kind === 1 ? 'monitor' : role}`,
      `dependencies: [${after.join(', ')}]`,
      ...(kind === 0 ? ['approval_required: true'] : []),
      ...(kind === 1 ? ['duration: 3h', 'interval: 1h', 'metrics: [error_rate]', 'alert_if: error_rate > 1%'] : []),
      ...(kind === 2 ? ['count: 3'] : []),
      ...(kind === 3 ? ['compensate: undo'] : []),
      ...(kind === 4 ? ['environment: staging', 'deployment_strategy: blue_green'] : []),
      ...(chooser.among(4) === 0 ? ['async: true'] : []),
      ...(chooser.among(4) === 0 ? ['on_failure: continue'] : []),
    ];
    return `  s${n}: {${keys.join(', ')}}`;
  });
  const success = [1, 1, 0.9][chooser.among(3)];
  const told = chooser.among(2) === 0 ? 'notify: log\ntimeline_hours: 1\n' : '';
  const executor = `{kind: simulate, duration: 3min..${10 + chooser.among(60)}min, success: ${success}}`;
  return {
    source: `Workflow: random\n${told}Steps:\n${steps.join('\n')}\n`,
    agents: {
      source: `agents:\n${['a', 'b', 'c'].map((id) => `  - {id: ${id}, role: "*", capacity: 2, executor: ${executor}}`).join('\n')}\n`,
    },
  };
}

/**
 * Runs it while somebody looks all the time, and says something now and then: a query ends a workflow task before its local activity is
 * done, or takes the answer of one along that the workflow hears of only with the next task's events.
 */
async function recordHistories(n: number): Promise<NamedHistory[]> {
  const { source, agents } = randomSource(new Chooser(seed + n));
  const { id, handle } = await startTestRun(vapora, source, { agents, seed: String(seed + n), autoApprove: true, timeScale });
  let hasEnded = false;
  let edited = source;
  /** Nobody waits for the answer: what else is said meanwhile comes while the file is compiled. */
  const edit = (place: number): void => {
    const longer = `${edited}  x${place}: {agent: tester, dependencies: [s0], async: true}\n`;
    const message = { kind: 'add_step', source: longer, reason: 'there is more to do' };
    handle.executeUpdate('adjust', { args: [message] }).then(
      () => {
        edited = longer;
        editsDone += 1;
      },
      () => undefined,
    );
  };
  const looking = (async () => {
    for (let looks = 1; !hasEnded; looks += 1) {
      await handle.query('status').catch(() => undefined);
      if (looks % 20 === 0) await handle.signal('remark').catch(() => undefined);
      if (looks % 15 === 0 && looks <= 15 * maxEdits) edit(looks);
      // A change whose signature has to be looked at, and counts for nothing.
      const unsigned = { kind: 'add_agent', role: roles[looks % roles.length], by: 'eve', token: 'x.y.z' };
      if (looks % 25 === 0 && looks <= 75) await handle.signal('adjust', unsigned).catch(() => undefined);
    }
  })();
  await waitForResult(vapora.client, id);
  hasEnded = true;
  await looking;
  const { workflow } = await vapora.client.temporal();
  const later = (await listAuditOf(vapora, id, 'run.continued')).map(({ event }) => String(event.details?.['runId']));
  const histories: NamedHistory[] = [];
  for (const [place, runId] of [await firstRunId(vapora, id), ...later].entries()) {
    const history = await workflow.getHandle(id, runId).fetchHistory();
    histories.push({ workflowId: `seed ${seed + n}, execution ${place + 1}\n${source}`, history });
  }
  return histories;
}

async function recordAll(): Promise<NamedHistory[]> {
  const recorded: NamedHistory[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < runCount) {
      next += 1;
      recorded.push(...(await recordHistories(next)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return recorded;
}

test('what ran with a slow database under constant queries can be taken up by another worker at any of its workflow tasks', async () => {
  const recorded = await recordAll();
  // Some of them went on in further executions.
  expect(recorded.length).toBeGreaterThan(runCount);
  const activities = recorded.flatMap(({ history }) => history.events ?? []).map((event) => event.activityTaskScheduledEventAttributes);
  expect(activities.some((activity) => activity?.activityType?.name === 'vapora.verify')).toBe(true);
  expect(editsDone).toBeGreaterThan(0);
  expect(await replayFailuresOf({ codePath: testWorkflowBundle() }, recorded)).toEqual([]);
  expect(await replayFailuresOf({ codePath: testWorkflowBundle() }, recorded.flatMap(prefixesOf))).toEqual([]);
  // The test sees what it looks for: a workflow that orders its decisions otherwise fails.
  const code = readFileSync(testWorkflowBundle(), 'utf8').replace(/engine\.decide\(nowMs\)/, 'engine.decide(nowMs).reverse()');
  expect(await replayFailuresOf({ code }, recorded)).not.toEqual([]);
});
