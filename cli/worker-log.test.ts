import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliIo } from './command';
import { createWorkerLog, readableLine } from './worker-log';

const time = new Date(2025, 10, 9, 12, 3, 4).getTime();

test.each([
  [{ level: 50, time, msg: 'it failed' }, '12:03:04 ERROR it failed'],
  [
    { level: 60, time, msg: 'it failed', run: 'r1', step: 'deploy', cause: 'no disk' },
    '12:03:04 FATAL it failed (run r1, step deploy): no disk',
  ],
  [
    { level: 40, time, msg: 'lost', workflowId: 'r1', activityId: 'deploy#1', err: { message: 'a\nb', stack: 'at x' } },
    '12:03:04 WARN lost (run r1, step deploy#1): a b',
  ],
])('%j as a person reads it', (entry, line) => expect(readableLine(JSON.stringify(entry))).toBe(line));

test('what is no JSON stays readable', () => expect(readableLine('oops\u001b[2J\n')).toBe('oops'));

test('standard error shows errors, the file has everything from info on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vapora-log-'));
  try {
    const shown: string[] = [];
    const io = { variables: {}, stderr: { write: (text: string) => shown.push(text) } } as unknown as CliIo;
    const file = join(folder, 'log', 'worker.log');
    const log = createWorkerLog({ io }, { file });
    log.debug('details');
    log.info('started');
    log.warn({ step: 'a' }, 'slow');
    log.error({ step: 'a' }, 'broken');
    expect(shown).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d ERROR broken \(step a\)\n$/)]);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['started', 'slow', 'broken']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
