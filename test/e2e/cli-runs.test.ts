import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peekStatus } from '../../client/run-views';
import { AppError } from '../../core/contract/errors';
import { cliOf, runInProcess, wholeTable } from '../support/cli-in-process';
import { testTemporalAddress } from '../support/environment';
import { instantAgents, startTestVapora, type TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

/** What the commands do on real servers: their words, shapes and exit codes. */
let vapora: TestVapora;
let folder: string;
let cli: ReturnType<typeof cliOf>;

const gated = `
Workflow: cli-gated
title: Two steps and a gate
inputs:
  topic: {type: string, required: true}
  rounds: {type: number, default: 1}
Steps:
  draft: { agent: developer, estimated_duration: 10min }
  release: { agent: developer, dependencies: [draft], approval: { approvers: [ana] } }
  announce: { agent: marketer, dependencies: [release] }
`;
const plain = `
Workflow: cli-plain
Steps:
  only: { agent: developer }
`;
const failing = `
Workflow: cli-failing
Steps:
  make: { agent: developer, compensate: unmake }
  check: { agent: tester, dependencies: [make], retry: {attempts: 1}, reassign: 0 }
`;
const failingAgents = `
agents:
  - {id: maker, role: developer, capacity: 10, executor: {kind: simulate, duration: 1ms}}
  - {id: checker, role: tester, capacity: 10, executor: {kind: simulate, duration: 1ms, success: 0}}
`;

beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-cli-'));
  cli = cliOf(vapora, folder);
  const files = {
    'gated.yaml': gated,
    'plain.yaml': plain,
    'agents.yaml': instantAgents.source,
    'failing.yaml': failing,
    'failing-agents.yaml': failingAgents,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'broken.yaml'), 'Workflow: broken\nSteps:\n  a: { agent: developer, dependencies: [b] }\n');
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('run --wait of a workflow that needs nobody: exit 0 and how it ended', async () => {
  const { exitCode, stdout } = await cli('workflow', 'run', 'plain.yaml', '--wait');
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'cli-plain completed (1 passed)\n' });
});

test('a gated run from start to end, by the documented commands and exit codes', async () => {
  const id = 'gated-1';
  const waiting = await cli('workflow', 'run', 'gated.yaml', '--id', id, '--input', 'topic=MFA', '--initiator', 'eva', '--wait');
  expect(waiting.exitCode).toBe(3);
  expect(waiting.stdout).toContain(`vapora workflow approve --id ${id} --gate release`);

  const again = await cli('workflow', 'run', 'gated.yaml', '--id', id, '--input', 'topic=x', '--detach');
  expect(again.exitCode).toBe(5);
  expect(again.stderr).toContain(`vapora workflow status --id ${id}`);

  const status = (await cli('workflow', 'status', '--id', id, '--json')).json();
  expect(status).toMatchObject({
    schemaVersion: 1,
    id,
    definition: 'cli-gated',
    status: 'waiting_approval',
    steps: [
      { id: 'draft', state: 'passed', generation: 1, role: 'developer' },
      { id: 'release', state: 'waiting_approval' },
      { id: 'announce', state: 'pending', waitsFor: ['release'] },
    ],
    gates: [{ id: 'release', state: 'open', decision: null, approvers: ['ana'], votes: [] }],
  });
  const text = await cli('workflow', 'status', '--id', id);
  expect(text.stdout).toContain('Status: waiting_approval');
  expect(text.stdout).toContain('Waiting for a person (1):');

  const unfinished = await cli('workflow', 'result', '--id', id);
  expect(unfinished).toMatchObject({ exitCode: 5, stdout: '' });

  const gates = (await waitFor('the list of gates to know the run', async () => {
    const answer = (await cli('gates', '--json')).json() as { gates: { run: string; id: string }[] };
    return answer.gates.length > 0 && answer;
  })) as { gates: unknown[] };
  expect(gates).toMatchObject({ schemaVersion: 1, gates: [{ run: id, id: 'release' }] });
  const mine = async (by: string): Promise<unknown[]> =>
    ((await cli('gates', '--mine', '--by', by, '--json')).json() as { gates: unknown[] }).gates;
  expect([await mine('bob'), await mine('ana')]).toMatchObject([[], [{ id: 'release' }]]);

  const decide = (decision: string, ...more: string[]) => cli('workflow', decision, '--id', id, '--gate', 'release', ...more);
  expect((await decide('reject', '--by', 'ana')).exitCode).toBe(2);
  const stranger = await decide('approve', '--by', 'bob', '--json');
  expect(stranger.exitCode).toBe(5);
  expect(JSON.parse(stranger.stderr)).toMatchObject({
    schemaVersion: 1,
    error: { code: 'refused', message: expect.stringContaining('bob') },
  });
  expect((await cli('workflow', 'approve', '--id', id, '--gate', 'nope', '--by', 'ana')).exitCode).toBe(5);
  expect((await decide('approve', '--by', 'ana', '--reason', 'fine')).exitCode).toBe(0);

  const result = await cli('workflow', 'result', '--id', id, '--wait', '--json');
  expect(result.exitCode).toBe(0);
  expect(result.json()).toMatchObject({ schemaVersion: 1, id, status: 'completed', steps: { passed: 3 } });

  const late = await decide('approve', '--by', 'ana');
  expect(late).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('has ended') });
  expect((await cli('workflow', 'cancel', '--id', id, '--reason', 'late')).exitCode).toBe(5);

  const timeline = (await cli('workflow', 'timeline', '--id', id, '--json')).json() as { steps: { step: string; outcome: string }[] };
  expect(timeline.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
    ['draft', 'success'],
    ['release', 'success'],
    ['announce', 'success'],
  ]);
  expect((await cli('workflow', 'timeline', '--id', id)).stdout).toContain('(est. 10min');
  expect((await cli('audit', 'verify', '--id', id)).exitCode).toBe(0);
  const audit = (await cli('audit', 'show', '--id', id, '--json')).json() as {
    events: { action: string; actor: { id: string }; reason?: string }[];
  };
  expect(audit.events).toContainEqual(expect.objectContaining({ actor: expect.objectContaining({ id: 'ana' }), reason: 'fine' }));
  expect((await cli('audit', 'show', '--id', id)).stdout).toContain('ana (person, local)');
  expect((await cli('workflow', 'describe', '--id', id, '--json')).json()).toMatchObject({
    id,
    temporalStatus: 'COMPLETED',
    searchAttributes: { VaporaStatus: 'completed' },
  });
  expect((await cli('workflow', 'history', '--id', id)).stdout).toContain('WORKFLOW_EXECUTION_COMPLETED');
});

test('an early vote is kept and says so; the same again changes nothing; both exit 0', async () => {
  const id = 'gated-early';
  await cli('workflow', 'run', 'gated.yaml', '--id', id, '--input', 'topic=x', '--wait');
  await cli('workflow', 'approve', '--id', id, '--gate', 'release', '--by', 'ana');
  expect((await cli('workflow', 'result', '--id', id, '--wait')).exitCode).toBe(0);

  // A closed id may run again.
  const held = `${gated.replace('draft: { agent: developer', 'draft: { agent: developer, approval: { approvers: [bob] }')}`;
  writeFileSync(join(folder, 'held.yaml'), held);
  expect((await cli('workflow', 'run', 'held.yaml', '--id', id, '--input', 'topic=x', '--wait')).exitCode).toBe(3);
  const first = await cli('workflow', 'approve', '--id', id, '--gate', 'release', '--by', 'ana');
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('not open yet') });
  expect(await cli('workflow', 'approve', '--id', id, '--gate', 'release', '--by', 'ana', '--json')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('"repeated"'),
  });
  await cli('workflow', 'approve', '--id', id, '--gate', 'draft', '--by', 'bob');
  expect((await cli('workflow', 'result', '--id', id, '--wait')).exitCode).toBe(0);
});

test('a run that fails exits 1 and says why', async () => {
  const { exitCode, stdout } = await cli('workflow', 'run', 'failing.yaml', '--agents', 'failing-agents.yaml', '--wait', '--json');
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'rolled_back', reason: expect.stringContaining('check'), steps: { compensated: 1 } });
  expect((await cli('workflow', 'result', '--id', 'cli-failing')).exitCode).toBe(1);
  expect((await cli('workflow', 'watch', '--id', 'cli-failing')).exitCode).toBe(1);
});

test('pause, resume and cancel', async () => {
  const id = 'gated-steered';
  await cli('workflow', 'run', 'gated.yaml', '--id', id, '--input', 'topic=x', '--wait');
  const steer = (verb: string, ...more: string[]) => cli('workflow', verb, '--id', id, ...more);
  expect((await steer('pause')).exitCode).toBe(2);
  expect((await steer('resume')).stderr).toContain('the run is not paused');
  expect((await steer('pause', '--reason', 'lunch', '--by', 'ana')).exitCode).toBe(0);
  expect((await steer('pause', '--reason', 'again')).exitCode).toBe(5);
  expect((await steer('status')).stdout).toContain('Paused by ana: lunch\n');
  const paused = await steer('result', '--wait');
  expect(paused).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('vapora workflow') });
  expect((await steer('resume')).exitCode).toBe(0);
  expect((await steer('cancel')).exitCode).toBe(2);
  expect((await steer('cancel', '--reason', 'changed our minds')).exitCode).toBe(0);
  const ended = await steer('result', '--wait', '--json');
  expect(ended.exitCode).toBe(1);
  expect(ended.json()).toMatchObject({ status: 'cancelled', reason: expect.stringContaining('changed our minds') });
});

test('lists find runs by status and definition', async () => {
  await cli('workflow', 'run', 'plain.yaml', '--id', 'listed', '--wait');
  await waitFor('visibility to know the run as completed', async () => {
    const { runs } = (await cli('workflow', 'list', '--definition', 'cli-plain', '--status', 'completed', '--json')).json() as {
      runs: { id: string }[];
    };
    return runs.some(({ id }) => id === 'listed');
  });
  const { runs } = (await cli('workflow', 'list', '--definition', 'cli-plain', '--limit', '1', '--json')).json() as { runs: unknown[] };
  expect(runs).toHaveLength(1);
  expect((await cli('workflow', 'list', '--status', 'nonsense')).exitCode).toBe(2);
});

test('watch in a pipe tells each change once, and ends with the run', async () => {
  const { exitCode, stdout } = await cli('workflow', 'run', 'plain.yaml', '--id', 'watched', '--watch');
  expect(exitCode).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => line.endsWith('watched completed (all, 100%)') || / watched completed/.test(line))).toHaveLength(1);
  expect(lines.some((line) => / only passed by sim-/.test(line))).toBe(true);
});

test('publishing gives versions; the same plan is the same version', async () => {
  expect((await cli('publish', 'plain.yaml', '--json')).json()).toMatchObject({ id: 'cli-plain', version: 1, isNew: true });
  expect((await cli('publish', 'plain.yaml', '--json')).json()).toMatchObject({ version: 1, isNew: false });
  expect((await cli('definitions', 'list')).stdout).toContain('cli-plain');
  expect((await cli('definitions', 'show', 'cli-plain')).stdout).toBe(plain.trimEnd() + '\n');
  expect((await cli('definitions', 'show', 'cli-plain', '--version', '7')).exitCode).toBe(2);
  expect((await cli('agents', 'list')).stdout).toContain('sim-1');
});

describe('nothing is started', () => {
  const isUnknown = async (id: string): Promise<void> => expect((await cli('workflow', 'status', '--id', id)).exitCode).toBe(2);

  test('by --dry-run', async () => {
    const { exitCode, stdout } = await cli('workflow', 'run', 'gated.yaml', '--id', 'dry', '--input', 'topic=x', '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('release: developer after draft');
    await isUnknown('dry');
  });

  test('of a file with errors: they are shown, exit 2', async () => {
    const { exitCode, stderr } = await cli('workflow', 'run', 'broken.yaml', '--wait');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('broken.yaml:3:');
    await isUnknown('broken');
  });

  test.each([
    ['two ways to wait', ['--wait', '--detach']],
    ['--local and --detach', ['--local', '--detach']],
    ['a time scale of nothing', ['--time-scale', '0']],
    ['an input without a value', ['--input', 'topic']],
    ['an input of the wrong type', ['--input', 'topic=x', '--input', 'rounds=many']],
    ['an id that Temporal and shells would not like', ['--id', 'a b']],
    ['a missing agents file', ['--agents', 'nowhere.yaml']],
  ])('with %s: exit 2', async (_, options) => expect((await cli('workflow', 'run', 'gated.yaml', ...options)).exitCode).toBe(2));
});

test('a missing required input is the mistake of who starts it', async () => {
  const { exitCode, stdout } = await cli('workflow', 'run', 'gated.yaml', '--id', 'no-input', '--wait');
  expect(exitCode).toBe(2);
  expect(stdout).toContain('--input topic=VALUE');
});

test.each([
  [['workflow', 'status', '--id', 'no-such-run'], 2],
  [['workflow', 'timeline', '--id', 'no-such-run'], 2],
  [['workflow', 'result', '--id', 'no-such-run'], 2],
  [['workflow', 'describe', '--id', 'no-such-run'], 2],
  [['workflow', 'history', '--id', 'no-such-run'], 2],
  [['workflow', 'watch', '--id', 'no-such-run'], 2],
  [['workflow', 'cancel', '--id', 'no-such-run', '--reason', 'x'], 2],
  [['workflow', 'approve', '--id', 'no-such-run', '--gate', 'x'], 2],
  [['audit', 'show', '--id', 'no-such-run'], 2],
  [['audit', 'verify', '--id', 'no-such-run'], 2],
])('%j exits %d', async (argv, expected) => {
  const { exitCode, stderr } = await cli(...argv);
  expect(exitCode).toBe(expected);
  expect(stderr).toContain('no run no-such-run');
});

describe('services that are not there: exit 4, and what to do', () => {
  // Port 1 is nobody's.
  const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  test.each([
    ['Temporal', ['workflow', 'list'], nowhere, "no Temporal server at 127.0.0.1:1: start one with 'vapora dev', or pass --local"],
    ['Temporal, for a start', ['workflow', 'run', 'plain.yaml', '--wait'], nowhere, "start one with 'vapora dev'"],
    ['Postgres', ['definitions', 'list'], nowhere, 'cannot connect to Postgres at 127.0.0.1:1'],
  ])('%s', async (_, argv, variables, message) => {
    const { exitCode, stderr } = await runInProcess(argv, wholeTable, { cwd: folder, variables });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(4);
  });
});

test('an interrupted wait leaves the run alone and exits 130', async () => {
  const interruption = new AbortController();
  const variables = {
    TEMPORAL_ADDRESS: testTemporalAddress(),
    DATABASE_URL: vapora.databaseUrl,
    VAPORA_TASK_QUEUE: 'a-queue-nobody-polls',
  };
  const running = runInProcess(['workflow', 'run', 'plain.yaml', '--id', 'left-alone', '--wait'], wholeTable, {
    cwd: folder,
    variables,
    signal: interruption.signal,
  });
  const temporal = await vapora.client.temporal();
  await waitFor('the run to be there', async () => (await temporal.workflow.getHandle('left-alone').describe()).status.name === 'RUNNING');
  interruption.abort(new AppError('interrupted', 'interrupted'));
  expect(await running).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('vapora workflow watch --id left-alone') });
  const { status } = await temporal.workflow.getHandle('left-alone').describe();
  expect(status.name).toBe('RUNNING');
  await temporal.workflow.getHandle('left-alone').terminate();
});

test('a run that Temporal has forgotten, as after its retention, still has its result and status', async () => {
  const id = 'cli-forgotten';
  expect((await cli('workflow', 'run', 'failing.yaml', '--agents', 'failing-agents.yaml', '--id', id, '--wait')).exitCode).toBe(1);
  const result = await cli('workflow', 'result', '--id', id, '--json');
  const { workflowService, options } = await vapora.client.temporal();
  await workflowService.deleteWorkflowExecution({ namespace: options.namespace, workflowExecution: { workflowId: id } });
  await waitFor('Temporal to forget the run', async () => (await peekStatus(vapora.client, id)) === undefined, 100_000);
  const remembered = await cli('workflow', 'result', '--id', id, '--json');
  const { failureType: _, ...outcome } = result.json() as Record<string, unknown>;
  expect(remembered.exitCode).toBe(1);
  expect(remembered.json()).toEqual(outcome);
  expect((await cli('workflow', 'status', '--id', id)).stdout).toContain('Status: rolled_back');
}, 120_000);

test('a gate is not among those of somebody whom it bars', async () => {
  const source =
    'Workflow: cli-barred\nSteps:\n  a: { agent: developer, approval: { approvers: [ana, bo], distinct_from: [initiator] } }\n';
  writeFileSync(join(folder, 'barred.yaml'), source);
  expect((await cli('workflow', 'run', 'barred.yaml', '--initiator', 'ana', '--wait')).exitCode).toBe(3);
  const mine = async (by: string): Promise<string[]> =>
    ((await cli('gates', '--mine', '--by', by, '--json')).json() as { gates: { run: string }[] }).gates.map(({ run }) => run);
  await waitFor('the gate to be recorded', async () => (await mine('bo')).includes('cli-barred'));
  expect(await mine('ana')).not.toContain('cli-barred');
});
