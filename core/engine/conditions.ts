import type { AgentResult, MetricValue } from '../contract/agent-document';
import type { Condition } from '../plan/condition';
import { evaluateCondition, type ConditionResult, type ScopeStep } from '../plan/evaluate';
import type { StepState } from '../contract/states';
import { dependencyIds, type PhaseNode, type StepNode } from './plan-index';
import { findStep, type Run } from './run';

/** `if`: about inputs and whatever has ended before. */
export function checkIf(run: Run, node: StepNode, condition: Condition): ConditionResult {
  return evaluate(run, condition, { steps: dependenciesOf(run, node) });
}

/** `requires`: speaks of the dependencies. */
export function checkRequires(run: Run, node: StepNode, condition: Condition): ConditionResult {
  return evaluate(run, condition, { steps: dependenciesOf(run, node) });
}

/** `must_pass` / `gate`: the step's own result first, then its dependencies. */
export function checkGate(run: Run, node: StepNode, condition: Condition): ConditionResult {
  return evaluate(run, condition, { own: scopeStep(node, { outcome: 'passed' }), steps: dependenciesOf(run, node) });
}

/** A phase gate speaks of the phase's steps, but for those that nothing waits for. */
export function checkPhaseGate(run: Run, phase: PhaseNode, condition: Condition): ConditionResult {
  return evaluate(run, condition, { steps: phase.steps.filter((node) => !node.plan.async) });
}

/** An alert or `auto_rollback_if`: one sample is the step's own result. */
export function checkSample(
  run: Run,
  node: StepNode,
  condition: Condition,
  sample: { metrics: Record<string, MetricValue>; hasFailed: boolean },
): ConditionResult {
  const own = scopeStep(node, { outcome: sample.hasFailed ? 'failed' : 'passed', metrics: sample.metrics });
  return evaluate(run, condition, { own, steps: dependenciesOf(run, node), sampleError: sample.hasFailed });
}

/** `abort_if` and `rollback_on` of a deployment: what one of its sub-steps, or all of it, has reported. */
export function checkSubStep(run: Run, node: StepNode, condition: Condition, { metrics = {} }: AgentResult): ConditionResult {
  return evaluate(run, condition, { own: scopeStep(node, { outcome: 'passed', metrics }), steps: [], sampleError: false });
}

interface Spoken {
  own?: ScopeStep;
  steps: StepNode[];
  sampleError?: boolean;
}

function evaluate(run: Run, condition: Condition, { own, steps, sampleError }: Spoken): ConditionResult {
  const { index, options } = run;
  return evaluateCondition(condition, {
    own,
    steps: steps.map((node) => scopeStep(node)),
    findStep: (id) => {
      const node = index.byId.get(id);
      return node === undefined ? undefined : scopeStep(node);
    },
    findPhase: (id) => index.phaseById.get(id)?.steps.map((node) => scopeStep(node)),
    inputs: options.inputs,
    sampleError,
  });
}

function dependenciesOf(run: Run, node: StepNode): StepNode[] {
  return [...dependencyIds(node.plan.dependsOn)].map((id) => findStep(run, id)).sort((a, b) => a.index - b.index);
}

function scopeStep(
  { plan, run: step }: StepNode,
  own?: { outcome: ScopeStep['outcome']; metrics?: Record<string, MetricValue> },
): ScopeStep {
  // A verdict that somebody has overridden no longer holds anything back.
  const verdict = step.overridden?.includes('verdict') === true ? 'approved' : step.verdict;
  return {
    id: plan.id,
    role: plan.role,
    taskType: plan.taskType,
    outcome: own?.outcome ?? outcomeOf(step.state),
    verdict,
    metrics: own?.metrics ?? step.result?.metrics ?? {},
  };
}

function outcomeOf(state: StepState): ScopeStep['outcome'] {
  switch (state) {
    case 'passed':
    case 'compensating':
    case 'compensated':
    case 'compensation_failed':
      return 'passed';
    case 'failed':
    case 'cancelled':
      return 'failed';
    case 'skipped':
      return 'skipped';
    default:
      return 'pending';
  }
}
