import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { AppError } from '../core/contract/errors';
import { identifyProcess, type ProcessIdentity } from './process-identity';

/** The unprivileged user a process runs as; only root can give one. */
export interface ProcessUser {
  uid: number;
  gid: number;
}

export interface SupervisedProcessOptions {
  /** For messages. */
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  user?: ProcessUser | undefined;
  /** Standard output and error are appended here. A file, not a pipe: it outlives us. */
  logFile: string;
  /** What the process gets when this one dies without a chance to stop it, even by SIGKILL. */
  deathSignal: 'SIGINT' | 'SIGKILL';
  /** What `stop` sends first. */
  stopSignal: NodeJS.Signals;
  /** How the death of this process is noticed; by default the best one that works here. */
  guard?: ProcessGuard | undefined;
}

/**
 * `setpriv`: the kernel sends the signal (Linux, util-linux). `watchdog`: a shell that waits for the end of a pipe we
 * hold open, and then sends it.
 */
export type ProcessGuard = 'setpriv' | 'watchdog';

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SupervisedProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** Resolves once, when the process ended for whatever reason; never rejects. */
  readonly exited: Promise<ExitStatus>;
  hasExited(): boolean;
  /** What this process has written to its log, at most 32 KiB: the beginning says why a start failed, the end why it crashed. */
  readLog(part: 'beginning' | 'end'): string;
  /** Sends `signal` (by default the stop signal) and resolves when the process is gone; insists with SIGKILL after `graceMs`. */
  stop(options?: { signal?: NodeJS.Signals; graceMs?: number }): Promise<void>;
}

const defaultGraceMs = 8_000;
const logPartBytes = 32_768;
const maxLogBytes = 10 * 1024 * 1024;

/** Starts a process that cannot outlive this one. Rejects with `unavailable` if it cannot be started. */
export async function startSupervised(options: SupervisedProcessOptions): Promise<SupervisedProcess> {
  const guard = options.guard ?? defaultGuard();
  const [command, args] =
    guard === 'setpriv'
      ? [findOnPath('setpriv') ?? 'setpriv', ['--pdeathsig', options.deathSignal.slice(3), '--', options.command, ...options.args]]
      : [options.command, options.args];

  const log = openLog(options.logFile);
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      env: options.env ?? process.env,
      // Not where we are: the other user may not be allowed there.
      cwd: '/',
      // Its own session: Ctrl-C on the terminal reaches only us, and we stop things in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(options.user ?? {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (cause) {
    throw new AppError('unavailable', `cannot start ${options.name}: ${(cause as Error).message}`, { cause });
  } finally {
    closeSync(log.fd);
  }
  return supervise(child, options, guard, log.startOffset);
}

/** Whether the kernel can be asked to end a child with us. */
export function hasSetpriv(): boolean {
  setprivWorks ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore', timeout: 5_000 }).status === 0;
  return setprivWorks;
}
let setprivWorks: boolean | undefined;

/** An executable of this name on PATH. */
export function findOnPath(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  for (const dir of path.split(delimiter)) {
    if (!isAbsolute(dir)) continue;
    const candidate = join(dir, name);
    if (existsSync(candidate) && (statSync(candidate).mode & 0o111) !== 0 && statSync(candidate).isFile()) return candidate;
  }
  return undefined;
}

function defaultGuard(): ProcessGuard {
  // The kernel's signal comes with the end of the *thread* that spawned, so it would be wrong in a worker thread.
  return isMainThread && hasSetpriv() ? 'setpriv' : 'watchdog';
}

function supervise(child: ChildProcess, options: SupervisedProcessOptions, guard: ProcessGuard, logStart: number): SupervisedProcess {
  const pid = child.pid as number;
  let exit: ExitStatus | undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      watchdog?.kill('SIGKILL');
      resolve(exit);
    });
  });
  const watchdog = guard === 'watchdog' ? startWatchdog(pid, options) : undefined;
  // Gone already? Then a start time that matches nothing.
  const identity = identifyProcess(pid) ?? { pid, startedAt: 'ended' };

  return {
    name: options.name,
    identity,
    logFile: options.logFile,
    stopSignal: options.stopSignal,
    exited,
    hasExited: () => exit !== undefined,
    readLog: (part) => readLogPart(options.logFile, logStart, part),
    async stop({ signal = options.stopSignal, graceMs = defaultGraceMs } = {}) {
      if (exit !== undefined) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Reads until the pipe's other end (ours) is closed, which the kernel does however we end. */
function startWatchdog(pid: number, options: SupervisedProcessOptions): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -s "$1" "$2"', 'vapora-watchdog', options.deathSignal.slice(3), String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(options.user ?? {}),
  });
  watchdog.on('error', () => undefined); // without a shell only the recovery of the next start is left
  watchdog.unref();
  (watchdog.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return watchdog;
}

function openLog(file: string): { fd: number; startOffset: number } {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.old`);
  // Append mode: several starts, and the parts of one process, share the file.
  const fd = openSync(file, 'a', 0o600);
  return { fd, startOffset: statSync(file).size };
}

function readLogPart(file: string, start: number, part: 'beginning' | 'end'): string {
  const fd = openSync(file, 'r');
  try {
    const size = statSync(file).size;
    const from = part === 'beginning' ? start : Math.max(start, size - logPartBytes);
    const buffer = Buffer.alloc(Math.min(logPartBytes, Math.max(0, size - from)));
    const bytes = readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, bytes).trim();
  } finally {
    closeSync(fd);
  }
}
