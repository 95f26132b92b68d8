import { NativeConnection, Worker } from '@temporalio/worker';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';
import type { RunningWorker } from '../../../workers/start-worker';
import { workerTuning } from '../../../workers/tuning';
import { connectDatabase } from '../../../db/connect';
import { baselineTaskQueue } from './contract';
import { createRecordingActivities } from './recording-activities';
import { work } from './work-activities';

export const baselineBundleOptions: BundleOptions = { workflowsPath: require.resolve('./workflows') };

export interface BaselineWorkerOptions {
  temporalAddress: string;
  databaseUrl: string;
  workflowBundle: { codePath: string };
  options: Partial<WorkerOptions>;
}

/** The worker of the hand-written workflows: same settings, same number of database connections, a process of its own. */
export async function startBaselineWorker({
  temporalAddress,
  databaseUrl,
  workflowBundle,
  options,
}: BaselineWorkerOptions): Promise<RunningWorker> {
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const db = await connectDatabase(databaseUrl, { max: workerTuning.databaseConnections });
  const worker = await Worker.create({
    connection,
    taskQueue: baselineTaskQueue,
    workflowBundle,
    activities: { work, ...createRecordingActivities(db) },
    ...options,
  });
  const done = worker.run().finally(() => Promise.allSettled([connection.close(), db.destroy()]));
  return {
    done,
    async shutdown() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await done;
    },
  };
}
