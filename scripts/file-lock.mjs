import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 200;
const maxWaitMs = 15 * 60_000;

/**
 * Runs `task` while no other process of this machine holds `lockFile`. The holder's process id is in the file, so the lock of a
 * process that was killed is taken over. `onWait` is called once when another process holds the lock.
 */
export async function withFileLock(lockFile, task, onWait = () => {}) {
  fs.mkdirSync(path.dirname(lockFile), { recursive: true });
  await acquire(lockFile, onWait);
  const release = () => {
    if (readHolder(lockFile) === process.pid) fs.rmSync(lockFile, { force: true });
  };
  process.once('exit', release);
  try {
    return await task();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function acquire(lockFile, onWait) {
  // The file appears under its name with its content already in it: a reader never sees an empty lock.
  const own = `${lockFile}.${process.pid}`;
  fs.writeFileSync(own, String(process.pid));
  try {
    const deadlineMs = Date.now() + maxWaitMs;
    let told = false;
    while (!tryLink(own, lockFile)) {
      const holder = readHolder(lockFile);
      if (holder === undefined) continue;
      if (!isAlive(holder)) {
        removeStale(lockFile, holder);
        continue;
      }
      if (!told) onWait(holder);
      told = true;
      if (Date.now() > deadlineMs)
        throw new Error(`process ${holder} has held ${lockFile} for too long; if it is not a setup, delete that file`);
      await delay(pollMs);
    }
  } finally {
    fs.rmSync(own, { force: true });
  }
}

function tryLink(own, lockFile) {
  try {
    fs.linkSync(own, lockFile);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(lockFile) {
  try {
    return Number(fs.readFileSync(lockFile, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Two waiters may find the same dead holder: what is moved away is looked at again, and a live one's lock is put back. */
function removeStale(lockFile, holder) {
  const moved = `${lockFile}.stale.${process.pid}`;
  try {
    fs.renameSync(lockFile, moved);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readHolder(moved) !== holder) tryLink(moved, lockFile);
  fs.rmSync(moved, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
