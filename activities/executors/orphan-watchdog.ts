import { spawn } from 'node:child_process';

/** Set for every agent and inherited by all it starts: how its processes are found when only they are left. */
export const idempotencyKeyVariable = 'VAPORA_IDEMPOTENCY_KEY';

/**
 * Lives in a session of its own and reads a pipe that only the worker holds. The end of that pipe without `done` means that
 * the worker is gone, whatever ended it, or that it asks for a clean sweep: then the agent's process group ends, and so does
 * whatever left the group but carries the idempotency key in its environment (Linux).
 */
const script = [
  'key=$1',
  'group=',
  'while IFS= read -r line; do',
  '  case $line in done) exit 0 ;; *) group=$line ;; esac',
  'done',
  'strike() {',
  '  found=',
  '  [ -n "$group" ] && kill -s "$1" -- "-$group" && found=1',
  '  for file in $(grep -lzxF -e "$key" /proc/[0-9]*/environ); do',
  '    pid=${file#/proc/}',
  '    kill -s "$1" "${pid%/environ}" && found=1',
  '  done',
  '}',
  'strike TERM',
  '[ -z "$found" ] && exit 0',
  'sleep 0.5 || sleep 1',
  // Again until nothing is found: a process may have forked while the list was read.
  'for round in 1 2 3 4 5; do',
  '  strike KILL',
  '  [ -z "$found" ] && exit 0',
  '  sleep 0.1',
  'done',
].join('\n');

export interface OrphanWatchdog {
  /** Tells it which process group to watch. */
  watch(groupId: number): void;
  /** All is well: nothing is killed. */
  disarm(): void;
  /** Once the group has ended: kills now what has left it; resolves when that is done. */
  sweep(): Promise<void>;
}

/**
 * Starts the watchdog for one agent: one shell, a few milliseconds. Beside it `setpriv --pdeathsig` ends the direct child at
 * once, but not what that started; and a pid namespace would make the agent process 1, which ignores TERM, and needs rights
 * that a worker rarely has.
 */
export function startOrphanWatchdog(idempotencyKey: string): OrphanWatchdog {
  const child = spawn('/bin/sh', ['-c', script, 'vapora-watchdog', `${idempotencyKeyVariable}=${idempotencyKey}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not the worker's environment: that may carry the key of an agent that started the worker.
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // Without a shell there is no watchdog; the agent still dies with the worker where there is setpriv.
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  return {
    watch: (groupId) => void child.stdin.write(`${groupId}\n`),
    disarm: () => void child.stdin.end('done\n'),
    sweep: async () => {
      // No group: its zombies, where nobody reaps them, would look like something left to kill.
      child.stdin.end('\n');
      await exited;
    },
  };
}
