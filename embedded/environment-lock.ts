import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { identifyProcess, isProcessAlive, type ProcessIdentity } from './process-identity';

/** Held from before anything starts until all has ended. */
export interface EnvironmentLock {
  owner: ProcessIdentity;
  release(): void;
}

const maxAttempts = 10;

/**
 * Takes the lock file for this process, or returns the living process that holds it. A lock whose holder is dead is
 * taken over. Claims are made by `link`, which only one process can win, and a stale lock is moved away by `rename`,
 * then looked at: one taken by mistake, because it changed hands meanwhile, is put back.
 */
export function acquireEnvironmentLock(lockFile: string): EnvironmentLock | { heldBy: ProcessIdentity } {
  const owner = identifyProcess(process.pid);
  if (owner === undefined) throw new Error('cannot tell when this process started');
  const claim = `${lockFile}.${process.pid}`;
  const moved = `${claim}.stale`;
  writeFileSync(claim, JSON.stringify(owner), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (tryLink(claim, lockFile)) return { owner, release: () => releaseLock(lockFile, owner) };
      const holder = readHolder(lockFile);
      if (holder === 'absent') continue;
      if (holder !== 'unreadable' && isProcessAlive(holder)) return { heldBy: holder };
      if (!tryRename(lockFile, moved)) continue;
      const taken = readHolder(moved);
      if (typeof taken === 'object' && isProcessAlive(taken)) {
        tryLink(moved, lockFile);
        return { heldBy: taken };
      }
    }
    throw new Error(`${lockFile} keeps changing hands`);
  } finally {
    rmSync(claim, { force: true });
    rmSync(moved, { force: true });
  }
}

function releaseLock(lockFile: string, owner: ProcessIdentity): void {
  const holder = readHolder(lockFile);
  if (typeof holder === 'object' && holder.pid === owner.pid && holder.startedAt === owner.startedAt) rmSync(lockFile, { force: true });
}

function readHolder(file: string): ProcessIdentity | 'absent' | 'unreadable' {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity> | null;
    return typeof holder?.pid === 'number' && typeof holder.startedAt === 'string' ? (holder as ProcessIdentity) : 'unreadable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable';
  }
}

function tryLink(from: string, to: string): boolean {
  return unless('EEXIST', () => linkSync(from, to));
}

function tryRename(from: string, to: string): boolean {
  return unless('ENOENT', () => renameSync(from, to));
}

function unless(code: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}
