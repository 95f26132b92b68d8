import type { WorkerOptions } from '@temporalio/worker';

/** Worker settings, each with the reason; `npm run bench` shows what they change. */
export const workerTuning = {
  /** Every agent activity needs one for two short moments, every wave for one. */
  databaseConnections: 20,
  options: {
    /** A killed worker is noticed in seconds, and a cancel reaches the agent in about one. */
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    /** Agents mostly wait for others: their number is bounded by capacity in Postgres, not by this process. */
    maxConcurrentActivityTaskExecutions: 500,
    maxConcurrentLocalActivityExecutions: 100,
    maxConcurrentWorkflowTaskExecutions: 100,
    maxCachedWorkflows: 2_000,
    /** A fan of 100 starts with the answer to one workflow task instead of 100 trips through the matching service. */
    maxEagerActivityReservationsPerWorkflowTask: 100,
    /** Within it a stopping worker lets agents end; then they are cancelled and tried again elsewhere. */
    shutdownGraceTime: '5s',
    shutdownForceTime: '30s',
  } satisfies Partial<WorkerOptions>,
};
