/** A worker of somebody else: it serves roles on a queue of its own, and knows neither our wrapper nor our database. */
import { NativeConnection, Worker } from '@temporalio/worker';
import type { AgentDocument } from '../../core/contract/agent-document';
import { createTestTaskQueue, testTemporalAddress } from './environment';

export async function withForeignWorker<T>(
  roles: Record<string, (document: AgentDocument) => unknown>,
  use: (taskQueue: string) => Promise<T>,
): Promise<T> {
  const connection = await NativeConnection.connect({ address: testTemporalAddress() });
  try {
    const taskQueue = createTestTaskQueue();
    const activities = Object.fromEntries(
      Object.entries(roles).map(([role, work]) => [role, (document: AgentDocument) => Promise.resolve(work(document))]),
    );
    const worker = await Worker.create({ connection, taskQueue, activities });
    return await worker.runUntil(() => use(taskQueue));
  } finally {
    await connection.close();
  }
}
