import { condition, defineQuery, defineSignal, setHandler, sleep } from '@temporalio/workflow';
import type { AgentResult } from '../../../core/contract/agent-document';
import type { BaselineInput } from './contract';
import { openStepRunner } from './step-runner';

export interface MonitorShape {
  durationMs: number;
  intervalMs: number;
}

export interface FeatureInput extends BaselineInput {
  /** Approvals are given at once, as `autoApprove` does for ours. */
  autoApprove: boolean;
  /** The time scale is applied already: the same real times and numbers of samples as ours. */
  stagingMonitor: MonitorShape;
  productionMonitor: MonitorShape;
}

const approveSignal = defineSignal<[{ gate: string; by: string }]>('approve');
const statusQuery = defineQuery<Record<string, string>>('status');

/** `examples/feature-auth-mfa/workflow.yaml`, written by hand. */
export async function featureAuthMfa(input: FeatureInput): Promise<Record<string, string>> {
  const status: Record<string, string> = {};
  const approvals = new Set<string>();
  setHandler(approveSignal, ({ gate }) => void approvals.add(gate));
  setHandler(statusQuery, () => status);
  const runner = await openStepRunner(input);

  async function perform(id: string, role: string): Promise<AgentResult> {
    status[id] = 'running';
    const result = await runner.perform({ id, role });
    if (result.status !== 'success') throw new Error(`${id} failed: ${result.summary ?? 'no reason given'}`);
    status[id] = 'passed';
    return result;
  }

  async function approval(gate: string): Promise<void> {
    status[gate] = 'waiting_approval';
    if (input.autoApprove) approvals.add(gate);
    await condition(() => approvals.has(gate));
    await runner.approved(gate, 'auto');
    status[gate] = 'approved';
  }

  /** The first sample at once, then one per interval; a sample that is late makes it skip points, as ours does. */
  async function monitor(id: string, { durationMs, intervalMs }: MonitorShape, maxErrorRate: number): Promise<void> {
    status[id] = 'running';
    const startedAt = Date.now();
    const monitoring = await runner.monitor({ id, role: 'monitor' });
    const samples = Math.ceil(durationMs / intervalMs);
    for (let next = 0; next < samples;) {
      const { metrics } = await monitoring.sample(next);
      if (Number(metrics?.['error_rate'] ?? 0) > maxErrorRate) status[`${id}:alert`] = 'error rate';
      next = Math.max(next + 1, Math.ceil((Date.now() - startedAt) / intervalMs));
      const waitMs = startedAt + Math.min(durationMs, next * intervalMs) - Date.now();
      if (waitMs > 0) await sleep(waitMs);
    }
    monitoring.end({ status: 'success', summary: 'monitored' });
    status[id] = 'passed';
  }

  // 1: planning
  await perform('1_architect_designs', 'architect');
  await perform('2_pm_validates', 'project-manager');
  await perform('3_decision_maker_approves', 'decision-maker');
  await approval('3_decision_maker_approves');

  // 2: implementation, 3: review; each review starts with the work it needs
  const frontend = perform('4_frontend_dev', 'developer');
  const backend = perform('4_backend_dev', 'developer');
  const audit = perform('5_security_audit', 'security');
  const docs = perform('6_docs_start', 'documenter');
  const frontendReview = frontend.then(() => perform('7a_frontend_review', 'code-reviewer'));
  const backendReview = backend.then(() => perform('7b_backend_review', 'code-reviewer'));
  const securityReview = Promise.all([backend, audit]).then(() => perform('7c_security_review', 'security'));
  const coverage = Promise.all([frontend, backend]).then(() => perform('7d_test_coverage', 'tester'));
  const [{ metrics }] = await Promise.all([coverage, frontendReview, backendReview, securityReview]);
  if (metrics?.['tests_passing'] !== true || Number(metrics['coverage']) <= 85)
    throw new Error('the tests do not pass with more than 85 % coverage');

  // 4: merge and staging
  await approval('8_merge_to_dev');
  await perform('8_merge_to_dev', 'code-reviewer');
  await perform('9_deploy_staging', 'devops');
  await Promise.all([perform('10_smoke_test', 'tester'), monitor('11_monitor_staging', input.stagingMonitor, 0.01)]);

  // 5: release
  await perform('12_final_approval', 'decision-maker');
  await approval('13_deploy_production');
  for (const part of ['deploy', 'health_check', 'traffic_switch']) await perform(`13_deploy_production/${part}`, 'devops');
  await Promise.all([
    monitor('14_monitor_production', input.productionMonitor, 0.005),
    perform('15_announce_release', 'marketer'),
    perform('16_update_docs', 'documenter'),
    docs,
  ]);
  await runner.close();
  return status;
}
