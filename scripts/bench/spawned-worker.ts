import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { WorkerProcessOptions, WorkerReply, WorkerRequest, WorkerUsage } from './worker-process';

export interface SpawnedWorker {
  kind: WorkerProcessOptions['kind'];
  pid: number;
  readUsage(): Promise<WorkerUsage>;
  stop(): Promise<void>;
}

const stopTimeoutMs = 60_000;

/** Starts a worker process and waits until it polls. */
export async function spawnWorker(options: WorkerProcessOptions): Promise<SpawnedWorker> {
  const child = fork(require.resolve('./worker-process'), [JSON.stringify(options)], {
    execArgv: ['--require', require.resolve('../../test/support/typescript-hook.cjs')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const nextReply = async (): Promise<WorkerReply> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      exited.then(([code]) => [{ type: 'failed', message: `the ${options.kind} worker ended with ${String(code)}` }]),
    ])) as [WorkerReply];
    return message;
  };
  const send = (request: WorkerRequest): void => void child.send(request);

  const first = await nextReply();
  if (first.type === 'failed') throw new Error(first.message);
  return {
    kind: options.kind,
    pid: child.pid ?? 0,
    async readUsage() {
      const answer = nextReply();
      send({ type: 'usage' });
      const message = await answer;
      if (message.type !== 'usage') throw new Error(message.type === 'failed' ? message.message : 'the worker answered something else');
      return message;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (child.connected) send({ type: 'stop' });
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
