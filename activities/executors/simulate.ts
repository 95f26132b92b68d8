import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentDocument, AgentResult, MetricValue } from '../../core/contract/agent-document';
import type { AgentSpec, SimulatedMetric, SimulatedOutcome, SimulateExecutorSpec } from '../../core/contract/agents';
import type { AgentActivityControl } from '../../core/contract/local-activities';
import { verdicts } from '../../core/contract/states';
import type { Verdict } from '../../core/contract/states';

import { notRunnable } from '../agent-failures';
import { createDraw } from './deterministic-draw';
import type { Draw } from './deterministic-draw';
import { withCost } from './simulated-cost';
import { simulatedArtifact, simulatedDefaultsOf } from './simulated-defaults';
import type { SimulatedDefaults } from './simulated-defaults';
import type { Executor, ExecutorCall } from './types';

/** For `duration: estimate` where nobody estimated. */
const unknownEstimateMs = 60_000;
/** Undoing takes this part of doing. */
const undoShare = 0.25;
const reportEveryMs = 500;
/** Node's timers fire at once beyond this. */
const maxTimerMs = 2 ** 31 - 1;

export interface Simulation {
  /** Simulated time, before the time scale. */
  durationMs: number;
  result: AgentResult;
}

/** An agent that acts by dice: demos, dry runs and tests. Idempotent, because the same key always gives the same result. */
export const simulate: Executor = async (call) => {
  const { executor } = call.agent;
  if (executor.kind !== 'simulate') throw notRunnable(`agent ${call.agent.id} is not a simulated one`);
  const spec = executor;
  call.signal.throwIfAborted();
  if (spec.journal !== undefined) await appendFile(spec.journal, `${call.document.idempotencyKey} ${call.attempt}\n`);
  const { durationMs, result } = planSimulation(call);
  await passTime(durationMs / call.control.timeScale, call);
  return result;
};

/**
 * What the agent will do: a pure function of (seed, step path, slot, agent, generation), and of the attempt only where a script
 * says that the first ones fail.
 */
export function planSimulation(given: {
  document: AgentDocument;
  agent: AgentSpec;
  control: Pick<AgentActivityControl, 'effect' | 'seed' | 'estimateMs' | 'sample'>;
  attempt: number;
}): Simulation {
  const { document, agent, control, attempt } = given;
  const { path, generation, slot, mode } = control.effect;
  const spec = agent.executor as SimulateExecutorSpec;
  const draw = createDraw(control.seed, path, mode, slot, agent.id, generation);
  const scripted = findScripted(spec, document, control.effect);
  const durationMs = scripted?.durationMs ?? drawDurationMs(spec, given, draw);
  const failsByScript = scripted !== undefined && attempt <= (scripted.failAttempts ?? 0);
  const isSuccess = !failsByScript && (scripted?.status ?? drawStatus(spec, given, draw)) === 'success';
  const defaults = simulatedDefaultsOf(document.step.taskType);
  const result = isSuccess
    ? succeed({ document, spec, scripted, defaults, draw })
    : fail({ document, scripted, attempt, failsByScript, draw });
  return { durationMs, result: withCost(result, agent.cost, durationMs) };
}

/** Looked up by the effect's path, then by the step; an undo has its own entries, written `<path>!undo`. */
function findScripted(
  { script = {} }: SimulateExecutorSpec,
  document: AgentDocument,
  { path, generation, mode }: AgentActivityControl['effect'],
): SimulatedOutcome | undefined {
  const suffix = mode === 'undo' ? '!undo' : '';
  const keys = [path, document.step.id, document.step.id.replace(/\[[^\]]*\]$/, '')].map((key) => key + suffix);
  const key = keys.find((candidate) => Object.hasOwn(script, candidate));
  const outcomes = key === undefined ? [] : (script[key] ?? []);
  return outcomes[Math.min(generation, outcomes.length) - 1];
}

function drawDurationMs(spec: SimulateExecutorSpec, { document, control }: Parameters<typeof planSimulation>[0], draw: Draw): number {
  // A sample is one look: the time of a monitor step is the workflow's timer.
  if (spec.duration === undefined || control.sample) return 0;
  const isSubStep = document.mode === 'do' && document.action !== undefined && document.actions.length > 1;
  const share = document.mode === 'undo' ? undoShare : isSubStep ? 1 / document.actions.length : 1;
  if (spec.duration === 'estimate') return Math.round((control.estimateMs ?? unknownEstimateMs) * share);
  const { minMs, maxMs } = spec.duration;
  return Math.round(drawBetween(minMs, maxMs, () => draw('duration')) * share);
}

/** Dice cost a hash: they are cast only where there is something to decide. */
function drawBetween(min: number, max: number, cast: () => number): number {
  return min === max ? min : min + cast() * (max - min);
}

/** `success` is the probability of the whole step: its sub-steps share the risk, and all samples of a monitor share one fate. */
function drawStatus(spec: SimulateExecutorSpec, given: Parameters<typeof planSimulation>[0], draw: Draw): AgentResult['status'] {
  const { document, agent, control } = given;
  if (document.mode === 'undo') return 'success';
  const probability = spec.success ?? 1;
  if (probability >= 1) return 'success';
  if (control.sample) {
    const fate = createDraw(control.seed, document.step.id, agent.id, control.effect.generation)('success');
    return fate < probability ? 'success' : 'failure';
  }
  const parts = document.action === undefined ? 1 : Math.max(1, document.actions.length);
  return draw('success') < probability ** (1 / parts) ? 'success' : 'failure';
}

interface Success {
  document: AgentDocument;
  spec: SimulateExecutorSpec;
  scripted: SimulatedOutcome | undefined;
  defaults: SimulatedDefaults;
  draw: Draw;
}

function succeed({ document, spec, scripted, defaults, draw }: Success): AgentResult {
  const what = document.step.title ?? document.step.id;
  if (document.mode === 'undo') {
    return {
      status: 'success',
      summary: scripted?.summary ?? `undid ${what} (${document.action ?? 'undo'})`,
      ...metricsOf(scripted, draw),
    };
  }
  const isNegative = scripted?.verdict !== undefined && scripted.verdict !== 'approved';
  const verdict = verdictOf(scripted?.verdict ?? spec.verdict ?? defaults.verdict);
  const configured = { ...defaults.metrics, ...spec.metrics, ...scripted?.metrics };
  const lines = document.action === undefined ? [...document.tasks, ...document.actions] : [document.action];
  const summary = scripted?.summary ?? `${defaults.did} ${what}${document.action === undefined ? '' : `: ${document.action}`}`;
  const artifact = { title: what, agent: document.agent.id, role: document.step.role, lines };
  return {
    status: 'success',
    ...(verdict && { verdict }),
    summary,
    ...(isNegative && { reasons: [summary] }),
    ...(document.outputs.length > 0 && {
      outputs: Object.fromEntries(document.outputs.map((name) => [name, simulatedArtifact(name, artifact)])),
    }),
    ...metricsOf({ metrics: configured }, draw),
  };
}

interface Failure {
  document: AgentDocument;
  scripted: SimulatedOutcome | undefined;
  attempt: number;
  failsByScript: boolean;
  draw: Draw;
}

function fail({ document, scripted, attempt, failsByScript, draw }: Failure): AgentResult {
  const what = document.step.title ?? document.step.id;
  const byScript = `attempt ${attempt} of ${what} failed, as its script says`;
  const summary = failsByScript ? byScript : (scripted?.summary ?? `${document.agent.id} failed at ${what} (simulated)`);
  const verdict = verdictOf(scripted?.verdict);
  return {
    status: 'failure',
    ...(verdict && { verdict }),
    summary,
    reasons: [summary],
    ...metricsOf(failsByScript ? undefined : scripted, draw),
  };
}

function metricsOf(from: { metrics?: Record<string, SimulatedMetric> } | undefined, draw: Draw): { metrics?: Record<string, MetricValue> } {
  const entries = Object.entries(from?.metrics ?? {});
  if (entries.length === 0) return {};
  return { metrics: Object.fromEntries(entries.map(([name, metric]) => [name, drawMetric(name, metric, draw)])) };
}

function drawMetric(name: string, metric: SimulatedMetric, draw: Draw): MetricValue {
  if (typeof metric !== 'object' || 'value' in metric) return metric;
  const { min, max, unit } = metric;
  const isCount = unit === undefined && Number.isInteger(min) && Number.isInteger(max);
  // `latency` is another name of the 99th percentile: both must tell the same story.
  const label = name === 'latency' || name === 'p99' ? 'p99_latency' : name;
  const drawn = min + draw(`metric ${label}`) * (max - min + (isCount ? 1 : 0));
  const value = isCount ? Math.floor(drawn) : Number(drawn.toPrecision(6));
  return unit === undefined ? value : { value, unit };
}

function verdictOf(text: string | undefined): Verdict | undefined {
  if (text === undefined) return undefined;
  const verdict = verdicts.find((known) => known === text);
  if (verdict === undefined) throw notRunnable(`a simulated agent cannot give the verdict "${text}": write one of ${verdicts.join(', ')}`);
  return verdict;
}

/** Waits in real time, reporting which of the tasks it is at; a cancel ends it at once. */
async function passTime(realMs: number, { document, signal, onProgress }: ExecutorCall): Promise<void> {
  signal.throwIfAborted();
  if (realMs < 1) return;
  const startedAtMs = performance.now();
  const stages = document.action === undefined ? [...document.tasks, ...document.actions] : [document.action];
  const report = (): void => {
    const progress = Math.min(1, (performance.now() - startedAtMs) / realMs);
    const message = stages[Math.min(stages.length - 1, Math.floor(progress * stages.length))];
    onProgress({ progress, ...(message !== undefined && { message }) });
  };
  report();
  const reporting = setInterval(report, reportEveryMs);
  try {
    for (let leftMs = realMs; leftMs > 0; leftMs -= maxTimerMs) await sleep(Math.min(leftMs, maxTimerMs), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(reporting);
  }
}
