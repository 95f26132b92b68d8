import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentLogLine } from '../core/contract/agent-log';
import { dataFolders } from '../core/contract/data-folders';
import { agentArguments } from '../test/support/agent-call';
import { createAgentLog, type AgentLog, type AgentLogOptions } from './agent-log';
import { createSecrets } from './secrets';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'vapora-log-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const { document } = agentArguments({ executor: { kind: 'command', argv: ['x'] } });
const noProblem = (error: Error): never => {
  throw error;
};
const open = (options: Partial<AgentLogOptions> = {}): AgentLog =>
  createAgentLog({ dataDir, document, secrets: createSecrets(), onProblem: noProblem, ...options });
const folder = (): string => join(dataDir, dataFolders.agentLogs, 'run-1');
const files = (): string[] => readdirSync(folder()).sort();
const linesOf = (file: string): AgentLogLine[] =>
  readFileSync(join(folder(), file), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AgentLogLine);
const allLines = (): AgentLogLine[] => files().flatMap(linesOf);

test('what is printed is kept line by line, with where it comes from; an agent that prints nothing leaves no file', async () => {
  await open().close();
  expect(readdirSync(dataDir)).toEqual([]);
  const log = open();
  await log.note('attempt 1');
  await log.write('stderr', Buffer.from('compi'));
  await log.write('stdout', Buffer.from('{"progress": 0.5}\n'));
  await log.write('stderr', Buffer.from('ling\r\n\nthe end'));
  await log.close();
  expect(allLines().map(({ stream, text }) => [stream, text])).toEqual([
    ['note', 'attempt 1'],
    ['stdout', '{"progress": 0.5}'],
    ['stderr', 'compiling'],
    ['stderr', ''],
    ['stderr', 'the end'],
  ]);
  expect(allLines()[0]).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    step: 'build',
    effect: 'build#1',
    agent: 'agent-1',
    attempt: 1,
    stream: 'note',
    text: 'attempt 1',
  });
  expect(statSync(join(folder(), files()[0] ?? '')).mode & 0o777).toBe(0o600);
});

test('secrets are taken out, also where a chunk or the cut of a long line would part them', async () => {
  const secrets = createSecrets({ env: { TOKEN: 'correct-horse-battery' }, folder: dataDir });
  await secrets.resolve('TOKEN');
  const log = open({ secrets });
  await log.write('stderr', Buffer.from('the token is correct-ho'));
  await log.write('stderr', Buffer.from('rse-battery\n'));
  await log.write('stderr', Buffer.from(`${'x'.repeat(8 * 1024 - 10)}correct-horse-battery and so on\n`));
  await log.write('stderr', Buffer.from(`${'y'.repeat(200_000)}\n`));
  await log.close();
  const texts = allLines().map(({ text }) => text);
  expect(texts[0]).toBe('the token is [redacted:TOKEN]');
  expect(texts.join()).not.toMatch(/correct/);
  expect(texts[2]).toMatch(/^y{8192}…$/);
});

test('its size is bounded: the newest two files of an attempt stay, and they end with the last line', async () => {
  const log = open({ fileBytes: 2_000 });
  for (let n = 1; n <= 200; n += 1) await log.write('stdout', Buffer.from(`line ${n}\n`));
  await log.close();
  expect(files()).toHaveLength(2);
  const texts = files()
    .sort((a, b) => Number(/-(\d+)\.jsonl/.exec(a)?.[1]) - Number(/-(\d+)\.jsonl/.exec(b)?.[1]))
    .flatMap(linesOf)
    .map(({ text }) => text);
  expect(texts.at(-1)).toBe('line 200');
  // Nothing between is lost.
  expect(texts).toEqual(texts.map((_, index) => `line ${200 - texts.length + 1 + index}`));
  for (const file of files()) expect(statSync(join(folder(), file)).size).toBeLessThan(2_400);
});

test('a later attempt has a file of its own; one that is made again goes on in its file', async () => {
  for (const attempt of [1, 2, 2]) {
    const log = open({ document: { ...document, attempt } });
    await log.note(`attempt ${attempt}`);
    await log.close();
  }
  expect(files().map((file) => linesOf(file).map(({ text }) => text))).toEqual([['attempt 1'], ['attempt 2', 'attempt 2']]);
});

test('a log that cannot be written is told once and stops nobody', async () => {
  writeFileSync(join(dataDir, 'log'), 'in the way');
  const problems: Error[] = [];
  const log = open({ onProblem: (error) => problems.push(error) });
  await log.note('one');
  await log.write('stdout', Buffer.from('two\n'));
  await log.close();
  expect(problems).toHaveLength(1);
});
