import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentResult, MetricValue } from '../../../core/contract/agent-document';
import type { WorkStep } from './contract';

/** What the agent of a role reports: the metrics that the feature's gates and monitors read. */
const metricsByRole: Record<string, Record<string, MetricValue>> = {
  tester: { tests_passing: true, coverage: 91 },
  monitor: { error_rate: 0.002, latency: 210, p99_latency: 210, cpu: 0.45, memory: 0.6 },
  security: { critical_vulns: 0, high_vulns: 0 },
};

/** An agent that takes its time and succeeds. */
export async function work({ role, durationMs = 0 }: WorkStep): Promise<AgentResult> {
  if (durationMs > 0) await sleep(durationMs);
  const metrics = metricsByRole[role];
  return { status: 'success', ...(metrics && { metrics }) };
}
