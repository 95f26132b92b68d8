import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { acquireEnvironmentLock } from './environment-lock';
import { identifyProcess, type ProcessIdentity } from './process-identity';

let dir: string;
let lockFile: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vapora-lock-'));
  lockFile = join(dir, 'dev.lock');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function acquired(): boolean {
  const lock = acquireEnvironmentLock(lockFile);
  return !('heldBy' in lock);
}

test.each<[string, string]>([
  ['a process that ended', JSON.stringify({ pid: 999_999_999, startedAt: 'long ago' })],
  ['another process with our pid', JSON.stringify({ pid: process.pid, startedAt: 'long ago' })],
  ['nobody, cut short', '{"pid": 12'],
  ['nobody, empty', ''],
])('a lock of %s is taken over', (_who, content) => {
  writeFileSync(lockFile, content);
  expect(acquired()).toBe(true);
  expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toEqual(identifyProcess(process.pid));
  expect(readdirSync(dir)).toEqual(['dev.lock']);
});

test('the lock of a living process is respected until it is released', async () => {
  const child = spawn('sleep', ['60']);
  try {
    const holder = identifyProcess(child.pid as number) as ProcessIdentity;
    writeFileSync(lockFile, JSON.stringify(holder));
    expect(acquireEnvironmentLock(lockFile)).toEqual({ heldBy: holder });
    expect(readdirSync(dir)).toEqual(['dev.lock']);
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  const lock = acquireEnvironmentLock(lockFile);
  if ('heldBy' in lock) throw new Error('still held');
  expect(acquired()).toBe(false); // twice in one process, too
  lock.release();
  expect(existsSync(lockFile)).toBe(false);
});

test('releasing leaves the lock of another owner alone', () => {
  const lock = acquireEnvironmentLock(lockFile);
  if ('heldBy' in lock) throw new Error('held');
  const other = JSON.stringify({ pid: 1, startedAt: 'x' });
  writeFileSync(lockFile, other);
  lock.release();
  expect(readFileSync(lockFile, 'utf8')).toBe(other);
});
