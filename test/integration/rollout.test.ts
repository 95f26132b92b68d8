import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitForResult } from '../../client/run-outcome';
import { getTimeline } from '../../client/run-views';
import { loadTimeline } from '../../db/queries/timeline';
import { resetRun, schedules } from '../support/reset-run';
import { listExecutions } from '../support/run-records';
import { startTestRun, startTestVapora, type TestVapora } from '../support/vapora';

jest.setTimeout(60_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vapora-rollout-'));
  writeFileSync(join(folder, 'live'), 'blue\n');
  writeFileSync(join(folder, 'cluster.sh'), cluster);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Two colours as files: which one has the traffic, and whether green is there. Everything that is done is written down. */
const cluster = `
cd "$(dirname "$0")"
echo "$1 $2" >> done
case "$1 $2" in
  "do deploy") touch green ;;
  "do health_check") test -e green ;;
  "do traffic_switch") echo green > live ;;
  "undo traffic_switch") echo blue > live ;;
  "undo deploy") rm -f green ;;
esac
test "$1 $2" != "do $(cat broken 2>/dev/null)"
`;

function agents(more = '') {
  const source = `
agents:
  - { id: devops-1, role: devops, executor: { kind: command, plain: true, argv: [sh, "{{folder}}/cluster.sh", "{{mode}}", "{{action}}"] } }
  - { id: tester-1, role: tester, executor: { kind: simulate, duration: 1ms } }
  - { id: monitor-1, role: monitor, executor: { kind: simulate, duration: 1ms, metrics: { error_rate: 9% } } }
${more}`;
  return { source, folder };
}

const read = (file: string): string[] =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim().split('\n') : [];

function workflow(name: string, rest = ''): string {
  return `
Workflow: ${name}
Steps:
  ship: { agent: devops, environment: production, strategy: blue_green, retry: { attempts: 1 }, reassign: 0 }
${rest}`;
}

test('blue_green: three durable sub-steps, each recorded', async () => {
  const run = await startTestRun(vapora, workflow('green'), { agents: agents() });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(read('done')).toEqual(['do deploy', 'do health_check', 'do traffic_switch']);
  expect(read('live')).toEqual(['green']);
  const executions = await listExecutions(vapora, run.id);
  expect(executions.map(({ path, step, outcome, agent_id }) => [path, step, outcome, agent_id])).toEqual([
    ['ship/deploy', 'ship', 'success', 'devops-1'],
    ['ship/health_check', 'ship', 'success', 'devops-1'],
    ['ship/traffic_switch', 'ship', 'success', 'devops-1'],
  ]);
  const parts = ['deploy', 'health_check', 'traffic_switch'];
  expect((await getTimeline(vapora.client, run.id)).view.steps.map(({ subStep }) => subStep)).toEqual(parts);
  expect((await loadTimeline(vapora.database, run.id))?.steps.map(({ subStep }) => subStep)).toEqual(parts);
});

test.each(['deploy', 'health_check', 'traffic_switch'])('a failure of %s: traffic is where it was, and green is gone', async (part) => {
  writeFileSync(join(folder, 'broken'), part);
  const run = await startTestRun(vapora, workflow(`broken-${part}`), { agents: agents() });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back' });
  const started = ['deploy', 'health_check', 'traffic_switch'].slice(0, ['deploy', 'health_check', 'traffic_switch'].indexOf(part) + 1);
  expect(read('done')).toEqual([...started.map((one) => `do ${one}`), ...[...started].reverse().map((one) => `undo ${one}`)]);
  expect(read('live')).toEqual(['blue']);
  expect(existsSync(join(folder, 'green'))).toBe(false);
});

test('a monitor takes the deployment back after other steps have run on it', async () => {
  const rest = `
  announce: { agent: tester, dependencies: [ship] }
  watch: { agent: monitor, dependencies: [ship], duration: 1h, auto_rollback_if: error_rate > 3% }
`;
  const run = await startTestRun(vapora, workflow('watched', rest), { agents: agents(), timeScale: 3_600 });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'rolled_back' });
  expect(read('done').slice(3)).toEqual(['undo traffic_switch', 'undo health_check', 'undo deploy']);
  expect(read('live')).toEqual(['blue']);
});

test('a reset does nothing of it twice', async () => {
  const rest = '  check: { agent: tester, dependencies: [ship], approval: { approvers: [ana] } }\n';
  const run = await startTestRun(vapora, workflow('reset-rollout', rest), { agents: agents() });
  await run.waitsAt('check');
  await resetRun(vapora, run, schedules('ship/deploy#1'));
  await run.waitsAt('check');
  await run.handle.signal('approve', { gate: 'check', by: 'ana' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  expect(read('done')).toEqual(['do deploy', 'do health_check', 'do traffic_switch']);
});
