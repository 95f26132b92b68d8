import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './find-program';
import { startOrphanWatchdog } from './orphan-watchdog';
import { stopGroup } from './process-group';

/** What an agent left running in its group gets to end by itself, once the agent has ended. */
const leftoverGraceMs = 2_000;
/** A daemon that the agent started may hold its output open for ever. */
const closeLimitMs = 1_000;

export interface AgentProcessOptions {
  /** Absolute path. */
  program: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Written to its standard input, which is then closed. */
  stdin: string;
  idempotencyKey: string;
  signal: AbortSignal;
  timeoutMs: number | undefined;
  /** Between TERM and KILL. */
  graceMs: number;
  onStdout: (chunk: Buffer) => Promise<void> | void;
  onStderr: (chunk: Buffer) => Promise<void> | void;
}

export interface AgentProcessEnd {
  exitCode: number | null;
  killedBy: NodeJS.Signals | null;
  /** What ended it, where it was not the agent itself. */
  stopped: 'cancel' | 'timeout' | null;
}

/**
 * Runs one agent as the leader of a process group of its own. When this settles nothing of the group is running; after a cancel
 * or a timeout nothing that the agent started at all. It does not outlive the worker either, not even a killed one.
 */
export async function runAgentProcess(options: AgentProcessOptions): Promise<AgentProcessEnd> {
  const { program, args, signal, timeoutMs, graceMs } = options;
  const launcher = await deathSignalLauncher();
  signal.throwIfAborted();
  // Before the agent: should the worker die between the two, the key alone leads the watchdog to the agent.
  const watchdog = startOrphanWatchdog(options.idempotencyKey);
  const [file = program, ...launcherArgs] = [...launcher, program, ...args];
  const child = spawn(file, launcherArgs, { cwd: options.cwd, env: options.env, detached: true, stdio: 'pipe' });
  const spawned = await started(child);
  if (!spawned.ok) {
    watchdog.disarm();
    throw spawned.error;
  }
  watchdog.watch(spawned.groupId);

  let stopped: AgentProcessEnd['stopped'] = null;
  let stopping: Promise<void> | undefined;
  const stop = (why: 'cancel' | 'timeout'): void => {
    stopped ??= why;
    stopping ??= stopGroup(spawned.groupId, { graceMs });
  };
  const onAbort = (): void => stop('cancel');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop('timeout'), timeoutMs);

  // An agent that does not read its input closes the pipe early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin);
  const drained = Promise.all([drain(child.stdout, options.onStdout), drain(child.stderr, options.onStderr)]);
  // Output that nobody reads any more would block the agent for ever.
  drained.catch(() => (stopping ??= stopGroup(spawned.groupId, { graceMs })));
  const [exitCode, killedBy] = await spawned.exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  await (stopping ?? stopGroup(spawned.groupId, { graceMs: leftoverGraceMs }));
  if (stopped === null) watchdog.disarm();
  else await watchdog.sweep();
  await closeWithin(closeLimitMs, child, drained);
  return { exitCode, killedBy, stopped };
}

type Exit = [code: number | null, signal: NodeJS.Signals | null];
type Started = { ok: true; groupId: number; exited: Promise<Exit> } | { ok: false; error: Error };

async function started(child: ChildProcessWithoutNullStreams): Promise<Started> {
  // Listened for at once: a quick agent may be gone before the next line runs.
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));
  const outcome = await new Promise<Error | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
  child.on('error', () => undefined);
  if (outcome !== undefined || child.pid === undefined) return { ok: false, error: outcome ?? new Error('the process has no id') };
  return { ok: true, groupId: child.pid, exited };
}

/** Reads one chunk after the other, so that a slow reader slows the agent down. A pipe that is torn down ends it. */
async function drain(stream: Readable, onChunk: (chunk: Buffer) => Promise<void> | void): Promise<void> {
  try {
    for await (const chunk of stream) await onChunk(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function closeWithin(limitMs: number, child: ChildProcessWithoutNullStreams, drained: Promise<unknown>): Promise<void> {
  const timeout = new AbortController();
  const limit = sleep(limitMs, 'limit', { signal: timeout.signal }).catch(() => undefined);
  const first = await Promise.race([drained, limit]);
  timeout.abort();
  if (first !== 'limit') return;
  child.stdout.destroy();
  child.stderr.destroy();
  await drained;
}

let launcherProbe: Promise<string[]> | undefined;

/** `setpriv --pdeathsig KILL`, where this machine has one that can: the kernel then ends the agent when the worker ends. */
function deathSignalLauncher(): Promise<string[]> {
  launcherProbe ??= probeLauncher();
  return launcherProbe;
}

async function probeLauncher(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  // By its full path: the agent's own PATH may not lead to it.
  const found = await findProgram('setpriv', { path: process.env['PATH'] ?? '', cwd: '/' });
  if (!found.ok) return [];
  const launcher = [found.path, '--pdeathsig', 'KILL', '--'];
  return new Promise((resolve) => {
    execFile(found.path, [...launcher.slice(1), '/bin/true'], (error) => resolve(error ? [] : launcher));
  });
}
