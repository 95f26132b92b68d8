import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentResult } from '../../core/contract/agent-document';
import { executorCall } from '../../test/support/agent-call';
import type { AgentCallOptions } from '../../test/support/agent-call';
import { command } from './command';

/** A key of this process alone: whatever carries an agent's key is killed with it, in another test run on this machine too. */
const rootRunId = `command-${process.pid}-${Date.now()}`;

let dataDir: string;
beforeEach(() => (dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'vapora-command-')))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

type Options = Omit<AgentCallOptions, 'executor'> & { executor?: Record<string, unknown>; onProgress?: () => void };

function callOf(argv: string[], { executor, ...options }: Options = {}) {
  return executorCall({ rootRunId, ...options, executor: { kind: 'command', argv, ...executor }, dataDir });
}
/** A Node program given on the command line. */
const node = (source: string, ...args: string[]): string[] => ['node', '-e', source, ...args];
const run = async (argv: string[], options: Options = {}): Promise<AgentResult> => (await command(callOf(argv, options))) as AgentResult;
const print = (value: unknown): string => `console.log(${JSON.stringify(JSON.stringify(value))});`;

async function until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + 15_000; ;) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}

const isAlive = (pid: number): boolean => {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return stat !== '' && !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
};
const pidIn = (file: string): number | undefined => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.endsWith('\n') ? Number(text) : undefined;
};

test('gives the document on standard input and reads progress and the result', async () => {
  const source = `
    let text = '';
    process.stdin.on('data', (part) => (text += part)).on('end', () => {
      const { step, workspace, idempotencyKey } = JSON.parse(text);
      console.log('a greeting that is not JSON');
      console.log(JSON.stringify({ progress: 0.5, message: 'half' }));
      console.log(JSON.stringify({ status: 'success', summary: [step.id, workspace === process.cwd(), idempotencyKey].join(' ') }));
    });`;
  const call = callOf(node(source));
  expect(await command(call)).toEqual({ status: 'success', summary: `build true ${rootRunId}/build#1` });
  expect(call.progress).toEqual([{ progress: 0.5, message: 'half' }]);
});

test('hands over the allowed environment only', async () => {
  process.env['VAPORA_TEST_SECRETIVE'] = 'not for agents';
  process.env['VAPORA_TEST_WANTED'] = 'wanted';
  try {
    const { summary } = await run(node('console.log(JSON.stringify({status: "success", summary: JSON.stringify(process.env)}))'), {
      executor: { env: ['VAPORA_TEST_WANTED', 'FIXED=1 {{step.id}}'] },
    });
    const env = JSON.parse(summary ?? '') as Record<string, string>;
    const allowed = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'VAPORA_IDEMPOTENCY_KEY', 'VAPORA_TEST_WANTED', 'FIXED'];
    expect(Object.keys(env).filter((name) => !allowed.includes(name))).toEqual([]);
    expect(env).toMatchObject({ VAPORA_TEST_WANTED: 'wanted', FIXED: '1 build', VAPORA_IDEMPOTENCY_KEY: `${rootRunId}/build#1` });
  } finally {
    delete process.env['VAPORA_TEST_SECRETIVE'];
    delete process.env['VAPORA_TEST_WANTED'];
  }
});

test('never uses a shell: an input stays one argument, whatever is in it', async () => {
  const hostile = '$(touch broken) `touch broken` ; touch broken && "a b" {{workspace}} ${secret:PATH}';
  const source = 'console.log(JSON.stringify({status: "success", summary: process.argv[1], reasons: process.argv.slice(2)}))';
  const result = await run(node(source, '{{inputs.text}}', '--dir={{workspace}}', '{{with.deep.key}}'), {
    document: { inputs: { text: { text: hostile } }, with: { deep: { key: 7 } } },
  });
  expect(result.summary).toBe(hostile);
  expect(result.reasons?.[0]).toMatch(/^--dir=.*\/workspaces\/command-\d+-\d+\/build_1-[0-9a-f]{8}$/);
  expect(result.reasons?.[1]).toBe('7');
  expect(readdirSync(dataDir, { recursive: true }).filter((name) => String(name).includes('broken'))).toEqual([]);
});

test.each<[string, string[], Options, RegExp]>([
  ['a missing program', ['no-such-program-here'], {}, /agent agent-1: the program "no-such-program-here" is not on the PATH.*install it/],
  ['a missing path', ['./no/such'], {}, /there is no program .*\/no\/such; correct the path/],
  ['a missing directory', ['node'], { executor: { cwd: 'nowhere' } }, /the directory .*nowhere of its executor's cwd does not exist/],
  ['an unknown placeholder', ['node', '{{nonsense}}'], {}, /asks for \{\{nonsense\}\}, but there is no such placeholder; known are/],
  ['an input nobody named', ['node', '{{inputs.x}}'], {}, /the step has no input "x"/],
  [
    'an absent input',
    ['node', '{{inputs.x}}'],
    { document: { inputs: { x: { absent: true } } } },
    /nobody produced the input "x": pass it with --input x=VALUE/,
  ],
  [
    'a missing secret',
    ['node', '${secret:VAPORA_TEST_NO_SUCH}'],
    {},
    /secret VAPORA_TEST_NO_SUCH is not known on this worker: set the environment variable/,
  ],
])('%s is not runnable, and no retry mends it', async (_, argv, options, message) => {
  await expect(command(callOf(argv, options))).rejects.toMatchObject({
    type: 'NotRunnable',
    nonRetryable: true,
    message: expect.stringMatching(message),
  });
});

test('a program that is not executable is named with the remedy', async () => {
  const file = join(dataDir, 'agent.sh');
  writeFileSync(file, '#!/bin/sh\n');
  await expect(command(callOf([file]))).rejects.toMatchObject({ message: expect.stringContaining(`chmod +x ${file}`) });
  chmodSync(file, 0o755);
  await expect(command(callOf([file]))).rejects.toMatchObject({ type: 'BadResult' });
});

test.each<[string, string, RegExp]>([
  ['no result', '', /agent-1 ended, but it printed no result/],
  ['no result, with words', 'console.error("I gave up")', /printed no result; its last lines: I gave up/],
  ['broken JSON', `console.log('{"status": "succ')`, /line 1 is not JSON: "\{\\"status\\": \\"succ"/],
  ['broken JSON after the result', `${print({ status: 'success' })} console.log('{"oops')`, /line 2 is not JSON: "\{\\"oops"/],
])('%s is a bad result that says so', async (_, source, message) => {
  await expect(run(node(source))).rejects.toMatchObject({
    type: 'BadResult',
    nonRetryable: false,
    message: expect.stringMatching(message),
  });
});

test('an object without a status is left to the contract to explain', async () => {
  expect(await run(node(print({ verdict: 'approved' })))).toEqual({ verdict: 'approved' });
});

test.each<[string, string, RegExp]>([
  [
    'an exit code',
    'console.error("first"); console.error("last words"); process.exit(3)',
    /^agent-1 exited with code 3; its last lines: first ⏎ last words$/,
  ],
  ['an exit code after "success"', `${print({ status: 'success' })} process.exitCode = 4`, /exited with code 4/],
  ['a signal', 'process.kill(process.pid, "SIGKILL")', /was killed by SIGKILL/],
  ['a failure it reports itself', `${print({ status: 'failure', summary: 'no luck' })} process.exitCode = 1`, /^no luck$/],
])('%s is a failure', async (_, source, summary) => {
  expect(await run(node(source))).toEqual({ status: 'failure', summary: expect.stringMatching(summary) });
});

test.each([
  ['a crash', 'function f() { throw new TypeError("no such table") } f()'],
  [
    'a crash with an endless stack',
    'console.error("Error: no such table"); for (let n = 0; n < 60; n++) console.error("    at " + "f".repeat(100)); process.exit(1)',
  ],
])('%s is quoted with the line that names the error', async (_, source) => {
  const { summary } = (await run(node(source))) as { summary: string };
  expect(summary).toMatch(/Error: no such table/);
  expect(summary.length).toBeLessThan(2_100);
});

test('plain: the text is the promised output and the exit code the status', async () => {
  const source = 'require("fs").writeFileSync("notes.md", "# by hand"); console.log("the text")';
  const options: Options = { executor: { plain: true }, document: { outputs: ['notes.md', 'log.txt'] } };
  expect(await run(node(source), options)).toEqual({
    status: 'success',
    summary: 'the text',
    outputs: { 'notes.md': { path: 'notes.md' }, 'log.txt': 'the text\n' },
  });
  expect(await run(node('console.log("why"); process.exit(2)'), options)).toEqual({
    status: 'failure',
    summary: 'agent-1 exited with code 2; its last lines: why',
  });
});

test('plain: more output than memory should hold goes to a file, all of it', async () => {
  const source =
    'const block = "x".repeat(1024 * 1024); let n = 0; (function next() { if (n++ < 11) process.stdout.write(block, next); })()';
  const { outputs } = await run(node(source), { executor: { plain: true } });
  const output = outputs?.['output'] as { path: string };
  expect(readFileSync(output.path).length).toBe(11 * 1024 * 1024);
});

test('an agent that does not read a large document does no harm', async () => {
  const inputs = { big: { text: 'y'.repeat(2_000_000) } };
  expect(await run(node(print({ status: 'success' })), { document: { inputs } })).toEqual({ status: 'success' });
});

test('a timeout ends the agent and what it started', async () => {
  const file = join(dataDir, 'pid');
  const source = `const child = require("child_process").spawn("sleep", ["1000"], {stdio: "ignore"});
    require("fs").writeFileSync(${JSON.stringify(file)}, child.pid + "\\n"); setInterval(() => {}, 1000)`;
  const result = await run(node(source), { executor: { timeoutMs: 700 } });
  expect(result).toEqual({ status: 'failure', summary: 'agent-1 took longer than 0.7 s and was stopped' });
  expect(isAlive(pidIn(file) ?? 0)).toBe(false);
});

test('a cancel ends even what has left the process group', async () => {
  const file = join(dataDir, 'pid');
  const source = `const child = require("child_process").spawn("sleep", ["1000"], {stdio: "ignore", detached: true});
    require("fs").writeFileSync(${JSON.stringify(file)}, child.pid + "\\n"); setInterval(() => {}, 1000)`;
  const call = callOf(node(source));
  const running = command(call);
  const pid = await until('the grandchild', () => pidIn(file));
  expect(isAlive(pid)).toBe(true);
  call.abort();
  await expect(running).rejects.toThrow('cancelled by the test');
  expect(isAlive(pid)).toBe(false);
});

test('what an agent leaves behind in its group ends with it', async () => {
  const file = join(dataDir, 'pid');
  const source = `const child = require("child_process").spawn("sleep", ["1000"], {stdio: "inherit"});
    require("fs").writeFileSync(${JSON.stringify(file)}, child.pid + "\\n"); ${print({ status: 'success' })} process.exit(0)`;
  expect(await run(node(source))).toEqual({ status: 'success' });
  expect(isAlive(pidIn(file) ?? 0)).toBe(false);
});

/** A worker with this agent, as a process that can be killed. */
function workerSource(argv: string[]): string {
  const options = { executor: { kind: 'command', argv }, rootRunId: `killed-${process.pid}-${Date.now()}`, dataDir };
  return `
    const { command } = require('./activities/executors/command.ts');
    const { executorCall } = require('./test/support/agent-call.ts');
    void command(executorCall(${JSON.stringify(options)}));`;
}

test('nothing outlives a worker that is killed with SIGKILL', async () => {
  const files = ['agent', 'child', 'daemon'].map((name) => join(dataDir, name));
  const source = `const { spawn } = require("child_process"); const { writeFileSync } = require("fs");
    process.on("SIGTERM", () => {});
    const files = ${JSON.stringify(files)};
    const stubborn = ["-c", "trap '' TERM; while :; do sleep 1; done"];
    writeFileSync(files[1], spawn("sh", stubborn, {stdio: "ignore"}).pid + "\\n");
    writeFileSync(files[2], spawn("sh", stubborn, {stdio: "ignore", detached: true}).pid + "\\n");
    writeFileSync(files[0], process.pid + "\\n"); setInterval(() => {}, 1000)`;
  const worker = spawn(process.execPath, ['--require', './test/support/typescript-hook.cjs', '-e', workerSource(node(source))], {
    cwd: resolve(__dirname, '../..'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const pids = await until('the agent and its children', () => {
    const found = files.map(pidIn);
    return found.every((pid) => pid !== undefined) && found;
  });
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  worker.kill('SIGKILL');
  await until('all to be gone', () => !pids.some(isAlive));
});
