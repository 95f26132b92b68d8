/** A worker as a process of its own, so that a test can kill it. Configuration: one JSON object as its argument. */
import pino from 'pino';
import { startWorker } from '../../workers/start-worker';

interface WorkerProcessOptions {
  temporalAddress: string;
  databaseUrl: string;
  taskQueue: string;
  dataDir: string;
  bundle: string;
}

const { bundle, ...options } = JSON.parse(process.argv[2] ?? '{}') as WorkerProcessOptions;
void startWorker({
  ...options,
  log: pino({ level: process.env['VAPORA_TEST_LOG'] ?? 'silent' }),
  workflowBundle: { codePath: bundle },
}).then(async (worker) => {
  process.once('SIGTERM', () => void worker.shutdown());
  console.log('started');
  await worker.done;
});
