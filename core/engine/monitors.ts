import type { AgentResult, MetricValue } from '../contract/agent-document';
import type { AlertRecord, AssignedAgent } from '../contract/local-activities';
import type { PlanMonitor } from '../plan/types';
import { addAlert } from './alerts';
import { settleStopped } from './completion';
import { checkSample } from './conditions';
import { beginEnding } from './ending';
import { isSuccess, launchEffect, type EffectEnded } from './launching';
import { currentAssignment, recordMonitorEnd } from './monitor-end';
import type { StepNode } from './plan-index';
import { moveStep } from './moves';
import { engineActor, realMs, startTimer, type Run } from './run';
import { failStep, sampleTimerId } from './setbacks';
import type { MonitorRunState } from './run-state';

/** A default interval is never shorter than this in real time: a time scale then means fewer samples. */
const shortestDefaultIntervalMs = 100;
/** After so many samples without its metrics, a condition raises a "no data" alert. */
const samplesWithoutData = 3;

/** The first sample is taken at once, the others by timer: a monitor waits without an activity. */
export function startMonitor(run: Run, node: StepNode, agent: AssignedAgent): void {
  const plan = node.plan.monitor as PlanMonitor;
  const durationMs = realMs(run, plan.durationMs);
  const scaledMs = realMs(run, plan.intervalMs);
  const intervalMs = Math.max(
    1,
    plan.intervalIsExplicit ? scaledMs : Math.max(scaledMs, Math.min(shortestDefaultIntervalMs, plan.intervalMs)),
  );
  node.run.monitor = {
    agent,
    startedAtMs: run.now,
    intervalMs,
    durationMs,
    of: Math.max(1, Math.ceil(durationMs / intervalMs)),
    next: 0,
    taken: 0,
    failed: 0,
    totals: {},
    alerts: plan.alerts.map(() => ({ held: 0, missing: 0, raised: false, noData: false })),
    raisedCount: 0,
  };
  (node.run.effects ??= []).push({
    generation: node.run.generation,
    slot: 1,
    assignment: currentAssignment(node),
    mode: 'do',
    agent: agent.id,
    startedAtMs: run.now,
  });
  takeSample(run, node, node.run.monitor);
}

export function onSampleTimer(run: Run, node: StepNode): void {
  const { monitor } = node.run;
  if (monitor === undefined || node.run.state !== 'running') return;
  if (monitor.next < monitor.of) takeSample(run, node, monitor);
  else finishMonitor(run, node, monitor);
}

function takeSample(run: Run, node: StepNode, monitor: MonitorRunState): void {
  launchEffect(run, node, 'sample', {
    effect: { path: `${node.plan.id}/sample-${monitor.next}`, generation: node.run.generation, slot: 1, assignment: 1, mode: 'do' },
    agent: monitor.agent,
    sample: { index: monitor.next, of: monitor.of },
  });
}

export function onSampleEnded(run: Run, node: StepNode, event: EffectEnded): void {
  const { monitor } = node.run;
  if (run.state.ending !== undefined) return settleStopped(run, node);
  if (monitor === undefined || node.run.state !== 'running' || event.effect.generation !== node.run.generation) return;
  const hasFailed = !isSuccess(event);
  monitor.taken += 1;
  if (hasFailed) monitor.failed += 1;
  const metrics = event.result?.metrics ?? event.failure?.result?.metrics ?? {};
  addMetrics(monitor, metrics);
  monitor.last = metrics;
  run.changes.steps.add(node);
  judgeSample(run, node, monitor, { metrics, hasFailed });
  // An alert may have ended the step or the whole run.
  if ((node.run.state as string) !== 'running' || run.state.ending !== undefined) return;
  // A sample that took longer than the interval makes the monitor skip points rather than last longer.
  const elapsed = Math.ceil((run.now - monitor.startedAtMs) / monitor.intervalMs);
  monitor.next = Math.min(monitor.of, Math.max(monitor.next + 1, elapsed));
  const atMs = monitor.startedAtMs + (monitor.next >= monitor.of ? monitor.durationMs : monitor.next * monitor.intervalMs);
  if (monitor.next >= monitor.of && atMs <= run.now) return finishMonitor(run, node, monitor);
  const summary = monitor.next < monitor.of ? `sample ${monitor.next + 1} of ${monitor.of}` : 'end of monitoring';
  startTimer(run, sampleTimerId(node), { atMs, kind: 'sample', target: node.plan.id, summary });
}

function judgeSample(
  run: Run,
  node: StepNode,
  monitor: MonitorRunState,
  sample: { metrics: Record<string, MetricValue>; hasFailed: boolean },
): void {
  const plan = node.plan.monitor as PlanMonitor;
  let raised: string | undefined;
  plan.alerts.forEach(({ condition, text }, index) => {
    const alert = monitor.alerts[index];
    if (alert === undefined) return;
    const { value, explanation } = checkSample(run, node, condition, sample);
    const message = explanation.join('; ');
    if (value === 'unknown') {
      alert.missing += 1;
      if (alert.missing >= samplesWithoutData && !alert.noData) {
        alert.noData = true;
        recordAlert(run, node, { name: `no data: ${text}`, severity: 'warning', message, state: 'raised' });
      }
      return;
    }
    alert.missing = 0;
    if (alert.noData) {
      alert.noData = false;
      recordAlert(run, node, {
        name: `no data: ${text}`,
        severity: 'warning',
        message: 'its metrics are reported again',
        state: 'cleared',
      });
    }
    alert.held = value ? alert.held + 1 : 0;
    if (value && alert.held >= plan.forSamples && !alert.raised) {
      alert.raised = true;
      monitor.raisedCount += 1;
      raised ??= `${text}: ${message}`;
      recordAlert(run, node, { name: text, severity: plan.onAlert === 'continue' ? 'warning' : 'critical', message, state: 'raised' });
    } else if (!value && alert.raised) {
      alert.raised = false;
      recordAlert(run, node, { name: text, severity: 'warning', message, state: 'cleared' });
    }
  });
  if (plan.autoRollbackIf !== undefined) {
    const { value, explanation } = checkSample(run, node, plan.autoRollbackIf, sample);
    if (value === true) {
      const text = plan.autoRollbackText ?? 'auto_rollback_if';
      const message = explanation.join('; ');
      monitor.raisedCount += 1;
      recordAlert(run, node, { name: text, severity: 'critical', message, state: 'raised' });
      return rollBackWatched(run, node, monitor, `${text}: ${message}`);
    }
  }
  if (raised === undefined) return;
  if (plan.onAlert === 'rollback') rollBackWatched(run, node, monitor, raised);
  else if (plan.onAlert === 'fail') endFailed(run, node, monitor, `alert ${raised}`);
}

/** Undoes the deployments that the monitor watches, and only those; the rest of the run is cancelled. */
function rollBackWatched(run: Run, node: StepNode, monitor: MonitorRunState, reason: string): void {
  closeMonitor(run, node, { ...reportOf(monitor), status: 'failure', summary: reason });
  moveStep(run, node, 'fail', { reason });
  beginEnding(run, { kind: 'fail', reason: `monitor ${node.plan.id}: ${reason}`, rollback: 'steps', steps: watchedDeployments(run, node) });
}

/** The deployments among its dependencies; where none is, the nearest ones before them. */
function watchedDeployments(run: Run, node: StepNode): string[] {
  let front = [node];
  const seen = new Set<StepNode>();
  while (front.length > 0) {
    const before = new Set<StepNode>();
    for (const one of front) {
      for (const { step } of one.plan.dependsOn) {
        const found = run.index.byId.get(step);
        if (found !== undefined && !seen.has(found)) before.add(found);
      }
    }
    const deployments = [...before].filter((one) => one.plan.deploys);
    if (deployments.length > 0) return deployments.sort((a, b) => a.index - b.index).map((one) => one.plan.id);
    for (const one of before) seen.add(one);
    front = [...before];
  }
  return [];
}

function finishMonitor(run: Run, node: StepNode, monitor: MonitorRunState): void {
  if (monitor.failed === monitor.taken) return endFailed(run, node, monitor, `all ${monitor.taken} samples failed`);
  const result = reportOf(monitor);
  closeMonitor(run, node, result);
  node.run.result = result;
  run.work.end.push(node);
}

function endFailed(run: Run, node: StepNode, monitor: MonitorRunState, reason: string): void {
  closeMonitor(run, node, { ...reportOf(monitor), status: 'failure', summary: reason });
  failStep(run, node, reason);
}

function closeMonitor(run: Run, node: StepNode, result: AgentResult): void {
  recordMonitorEnd(run, node, { outcome: result.status, result });
}

function addMetrics(monitor: MonitorRunState, metrics: Record<string, MetricValue>): void {
  for (const [name, metric] of Object.entries(metrics)) {
    const value = typeof metric === 'object' ? metric.value : Number(metric);
    const total = Object.hasOwn(monitor.totals, name) ? monitor.totals[name] : undefined;
    if (total === undefined) {
      const unit = typeof metric === 'object' ? { unit: metric.unit } : {};
      monitor.totals[name] = { sum: value, max: value, n: 1, ...unit };
    } else {
      total.sum += value;
      total.max = Math.max(total.max, value);
      total.n += 1;
    }
  }
}

/** What later steps read: of each metric its mean (under its own name) and its maximum (`<name>_max`), and how many alerts were raised. */
function reportOf(monitor: MonitorRunState): AgentResult {
  const metrics: Record<string, MetricValue> = { alerts: monitor.raisedCount, samples: monitor.taken, failed_samples: monitor.failed };
  for (const [name, { sum, max, n, unit }] of Object.entries(monitor.totals)) {
    const mean = sum / n;
    metrics[name] = unit === undefined ? mean : { value: mean, unit };
    metrics[`${name}_max`] = unit === undefined ? max : { value: max, unit };
  }
  const failed = monitor.failed > 0 ? `, ${monitor.failed} failed` : '';
  const alerts = monitor.raisedCount === 1 ? '1 alert' : `${monitor.raisedCount} alerts`;
  return { status: 'success', summary: `${monitor.taken} samples${failed}, ${alerts}`, metrics };
}

function recordAlert(run: Run, node: StepNode, alert: Omit<AlertRecord, 'step' | 'atMs'>): void {
  addAlert(run, { step: node.plan.id, ...alert }, { actor: engineActor, object: node.plan.id });
}
