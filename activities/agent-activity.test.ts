import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { AgentActivityOutput } from '../core/contract/local-activities';
import type { ExecutorSpec } from '../core/contract/agents';
import { agentArguments } from '../test/support/agent-call';
import type { AgentCallOptions } from '../test/support/agent-call';
import { createAgentActivity } from './agent-activity';
import { artifactOf } from './artifacts';
import type { Executor } from './executors/types';

/** A key of this process alone: whatever carries an agent's key is killed with it, in another test run on this machine too. */
const rootRunId = `activity-${process.pid}-${Date.now()}`;

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'vapora-activity-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const log = new DefaultLogger('ERROR');
const mockEnvironment = (info: { attempt?: number } = {}): MockActivityEnvironment => new MockActivityEnvironment(info, { logger: log });
const simulated: ExecutorSpec = { kind: 'simulate' };
const commandOf = (source: string, more: object = {}): ExecutorSpec => ({ kind: 'command', argv: ['node', '-e', source], ...more });

interface RunOptions extends Partial<AgentCallOptions> {
  environment?: MockActivityEnvironment;
  execute?: Executor;
}

async function run({ environment = mockEnvironment({ attempt: 2 }), execute, ...options }: RunOptions = {}): Promise<AgentActivityOutput> {
  const { document, control } = agentArguments({ executor: simulated, rootRunId, ...options });
  const activity = createAgentActivity({
    db: null,
    log,
    workerIdentity: 'test',
    dataDir,
    ...(execute && { executors: { simulate: execute } }),
  });
  return environment.run(activity, document, control);
}

test('runs the agent and answers with its result and times', async () => {
  const beforeMs = Date.now();
  const output = await run();
  expect(output).toMatchObject({ result: { status: 'success' }, attempt: 2 });
  expect(output.startedAtMs).toBeGreaterThanOrEqual(beforeMs);
  expect(output.endedAtMs).toBeGreaterThanOrEqual(output.startedAtMs);
  // A simulated agent needs no directory.
  expect(readdirSync(dataDir)).toEqual([]);
});

test.each<[string, RunOptions, object]>([
  [
    'a failure keeps what the agent said',
    { execute: async () => ({ status: 'failure', summary: 'no luck', metrics: { tests_passing: false } }) },
    { type: 'AgentFailure', nonRetryable: false, message: 'no luck', details: [{ status: 'failure', metrics: { tests_passing: false } }] },
  ],
  [
    'a result that does not fit says where',
    { execute: async () => ({ status: 'success', metrics: { coverage: 'high' } }) },
    { type: 'BadResult', nonRetryable: false, message: expect.stringContaining('metrics.coverage: expected a number') },
  ],
  [
    'a promised output that was not delivered fails',
    { execute: async () => ({ status: 'success', outputs: { notes: 'x' } }), document: { outputs: ['notes.md', 'report.md'] } },
    {
      type: 'BadResult',
      message: 'the step promised the outputs notes.md, report.md, but report.md was not delivered (delivered: notes.md)',
    },
  ],
  [
    'an executor that is not there yet',
    { executor: { kind: 'llm' } },
    {
      type: 'NotRunnable',
      nonRetryable: true,
      message: 'agent agent-1 has an executor of kind "llm", which this worker cannot run; it runs: command, simulate',
    },
  ],
  [
    'no database for a recorded run',
    { control: { recording: 'full' } },
    { type: 'NotRunnable', message: expect.stringContaining('DATABASE_URL') },
  ],
  [
    'a path outside the workspace',
    { executor: commandOf(`console.log('{"status":"success","outputs":{"x":{"path":"/etc/hostname"}}}')`) },
    { type: 'BadResult', message: 'outputs.x: "/etc/hostname" lies outside the step\'s workspace; copy the file into it' },
  ],
  [
    'a path to nothing',
    { executor: commandOf(`console.log('{"status":"success","outputs":{"x":{"path":"none"}}}')`) },
    { type: 'BadResult', message: 'outputs.x: there is no file "none" in the step\'s workspace' },
  ],
  [
    'an input whose artifact is gone',
    { executor: commandOf(''), document: { inputs: { doc: { artifact: `sha256:${'0'.repeat(64)}` } } } },
    { type: 'AgentFailure', message: expect.stringContaining('the input "doc" is the artifact sha256:000') },
  ],
])('%s', async (_, options, failure) => {
  await expect(run(options)).rejects.toMatchObject(failure);
});

test('undo and samples promise no outputs', async () => {
  const execute: Executor = async () => ({ status: 'success' });
  await run({ execute, effect: { mode: 'undo' }, document: { outputs: ['a.md'] } });
  await run({ execute, document: { outputs: ['a.md'], sample: { index: 0, of: 3 } } });
});

test('small text stays in the result under its promised name; large text and files become artifacts', async () => {
  const source = `
    require('fs').writeFileSync('image.png', Buffer.from([137, 80, 78, 71, 0]));
    console.log(JSON.stringify({ status: 'success', outputs: { small: 'text', large: 'x'.repeat(5000), image: { path: 'image.png' } } }));`;
  const { result } = await run({ executor: commandOf(source), document: { outputs: ['small.md', 'image.png'] } });
  const large = artifactOf(Buffer.from('x'.repeat(5000)), 'text/plain');
  expect(result.outputs).toEqual({
    'small.md': 'text',
    large: { artifact: large.ref, mediaType: 'text/plain', sizeBytes: 5000 },
    'image.png': { artifact: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), mediaType: 'image/png', sizeBytes: 5 },
  });
  expect(readFileSync(join(dataDir, 'artifacts', large.ref.slice('sha256:'.length)), 'utf8')).toBe('x'.repeat(5000));
});

test('many small texts are inline within a budget, the rest become artifacts', async () => {
  const outputs = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`part-${n}`, 'x'.repeat(4_000)]));
  const { result } = await run({ execute: async () => ({ status: 'success', outputs }) });
  const stored = Object.values(result.outputs ?? {});
  expect(stored).toHaveLength(600);
  expect(stored.filter((output) => typeof output === 'string')).toHaveLength(16);
  expect(JSON.stringify(result).length).toBeLessThan(256 * 1024);
});

test.each<[string, number, string, string]>([
  ['too many outputs', 1_001, 'o', 'the result has 1001 outputs, more than 1000'],
  ['too large a result', 1_000, 'ü'.repeat(90), 'with its outputs by reference, more than 262144'],
])('%s is a bad result', async (_, count, name, message) => {
  const outputs = Object.fromEntries(Array.from({ length: count }, (_unused, n) => [`${name}${n}`, 'x'.repeat(100)]));
  const running = run({ execute: async () => ({ status: 'success', outputs }) });
  await expect(running).rejects.toMatchObject({ type: 'BadResult', message: expect.stringContaining(message) });
});

test('a second attempt of one effect on this worker waits until the first has ended', async () => {
  const { document, control } = agentArguments({ executor: simulated });
  let atWork = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const simulate: Executor = async () => {
    most = Math.max(most, ++atWork);
    await new Promise<void>((resolve) => finish.push(resolve));
    atWork--;
    return { status: 'success' };
  };
  const activity = createAgentActivity({ db: null, log, workerIdentity: 'test', dataDir, executors: { simulate } });
  const first = mockEnvironment({ attempt: 1 }).run(activity, document, control);
  const second = mockEnvironment({ attempt: 2 }).run(activity, document, control);
  while (finish.length === 0) await new Promise(setImmediate);
  finish[0]!();
  await first;
  while (finish.length === 1) await new Promise(setImmediate);
  finish[1]!();
  await second;
  expect(most).toBe(1);
});

test('what one agent puts out the next one gets: text in the document, more as a file of its workspace', async () => {
  const { result } = await run({
    executor: commandOf(`console.log(JSON.stringify({status: 'success', outputs: {medium: 'm'.repeat(5000), large: 'l'.repeat(100000)}}))`),
  });
  const { medium, large } = result.outputs as Record<string, { artifact: string }>;
  const source = `
    let text = '';
    process.stdin.on('data', (part) => (text += part)).on('end', () => {
      const { inputs } = JSON.parse(text);
      const read = require('fs').readFileSync(inputs.large.path, 'utf8');
      console.log(JSON.stringify({ status: 'success', metrics: { medium: inputs.medium.text.length, large: read.length }, summary: inputs.large.path }));
    });`;
  const next = await run({
    executor: commandOf(source),
    effect: { path: 'next' },
    document: { inputs: { medium: { artifact: medium!.artifact }, large: { artifact: large!.artifact } } },
  });
  expect(next.result).toMatchObject({
    metrics: { medium: 5000, large: 100000 },
    summary: expect.stringMatching(/\/next_1-[0-9a-f]{8}\/inputs\/large$/),
  });
});

describe('secrets', () => {
  const secret = 'correct horse battery';
  beforeEach(() => (process.env['VAPORA_TEST_PASSPHRASE'] = secret));
  afterEach(() => delete process.env['VAPORA_TEST_PASSPHRASE']);
  const executor = (source: string): ExecutorSpec => commandOf(source, { env: ['PASSPHRASE=${secret:VAPORA_TEST_PASSPHRASE}'] });

  test('reach the agent and nobody else', async () => {
    const { result } = await run({
      executor: executor(`
        const { PASSPHRASE } = process.env;
        require('fs').writeFileSync('log.txt', 'used ' + PASSPHRASE);
        console.log(JSON.stringify({ status: 'success', summary: PASSPHRASE.length + ' ' + PASSPHRASE, reasons: [Buffer.from(PASSPHRASE).toString('base64')], outputs: { log: { path: 'log.txt' } } }));`),
    });
    expect(JSON.stringify(result)).not.toContain(secret);
    expect(result).toMatchObject({ summary: '21 [redacted:VAPORA_TEST_PASSPHRASE]', reasons: ['[redacted:VAPORA_TEST_PASSPHRASE]'] });
    const [stored] = readdirSync(join(dataDir, 'artifacts'));
    expect(readFileSync(join(dataDir, 'artifacts', stored!), 'utf8')).toBe('used [redacted:VAPORA_TEST_PASSPHRASE]');
  });

  test('nor does a failure tell them', async () => {
    const failing = run({ executor: executor('console.error("cannot log in with " + process.env.PASSPHRASE); process.exit(1)') });
    await expect(failing).rejects.toMatchObject({
      message: 'agent-1 exited with code 1; its last lines: cannot log in with [redacted:VAPORA_TEST_PASSPHRASE]',
    });
  });
});

test('the heart beats every second with the latest progress, whatever the agent does', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  try {
    const environment = mockEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push(details));
    let finish: (result: unknown) => void = () => undefined;
    const execute: Executor = ({ onProgress }) => {
      setTimeout(() => onProgress({ progress: 0.4, message: 'on it' }), 1_500);
      return new Promise((resolve) => (finish = resolve));
    };
    const running = run({ environment, execute });
    await jest.advanceTimersByTimeAsync(3_100);
    expect(beats).toEqual([{}, { progress: 0.4, message: 'on it' }, { progress: 0.4, message: 'on it' }]);
    finish({ status: 'success' });
    await running;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(beats).toHaveLength(3);
  } finally {
    jest.useRealTimers();
  }
});

test('a cancel stops the agent, and only then the activity ends as cancelled', async () => {
  const environment = mockEnvironment();
  const file = join(dataDir, 'pid');
  const executor = commandOf(
    `process.on('SIGTERM', () => { require('fs').appendFileSync(${JSON.stringify(file)}, 'stopped'); process.exit(1); });
     require('fs').writeFileSync(${JSON.stringify(file)}, ''); setInterval(() => {}, 1000)`,
  );
  const running = run({ environment, executor });
  const started = setInterval(() => existsSync(file) && environment.cancel(), 20);
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  clearInterval(started);
  expect(readFileSync(file, 'utf8')).toBe('stopped');
});
