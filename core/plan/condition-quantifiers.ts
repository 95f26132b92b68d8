import type { Predicate, Quantifier } from './condition';
import { describeNumber, type Value, valueOfMetric } from './condition-values';
import type { ConditionScope, ScopeStep } from './condition-scope';
import { metricAliasesOf } from './metric-names';

type Truth = Extract<Value, { kind: 'boolean' | 'unknown' }>;
type StepTruth = boolean | 'pending';

/** A review: by what it does, its role or its name. */
export function isReview(step: Pick<ScopeStep, 'id' | 'role' | 'taskType'>): boolean {
  const isReviewer = step.role.startsWith('code-reviewer') || step.role === 'security' || step.role.startsWith('security-');
  return step.taskType === 'CodeReview' || step.taskType === 'SecurityAudit' || isReviewer || step.id.toLowerCase().includes('review');
}

/** A test step. */
export function isTest(step: Pick<ScopeStep, 'taskType'>): boolean {
  return step.taskType === 'Testing';
}

/** The steps a quantifier speaks of: the own result once it is there, then the scope. */
function stepsOf(scope: ConditionScope): ScopeStep[] {
  const others = scope.steps.filter((step) => step.id !== scope.own?.id);
  return scope.own === undefined || scope.own.outcome === 'pending' ? others : [scope.own, ...others];
}

/** Passed without a verdict counts as approved. */
function holdsFor(predicate: Predicate, step: ScopeStep): StepTruth {
  if (step.outcome === 'pending') return 'pending';
  switch (predicate) {
    case 'passed':
      return step.outcome === 'passed';
    case 'approved':
      return step.outcome === 'passed' && (step.verdict === undefined || step.verdict === 'approved');
    case 'failed':
      return step.outcome === 'failed';
    case 'skipped':
      return step.outcome === 'skipped';
  }
}

/** Skipped steps are left out: they have nothing to say. A quantifier over nothing is unknown. */
export function evaluateQuantifier(name: Quantifier, scope: ConditionScope): Truth {
  const steps = stepsOf(scope);
  switch (name) {
    case 'all_approved':
      return all('approved', steps, name);
    case 'all_passed':
      return all('passed', steps, name);
    case 'any_approved':
      return any('approved', steps, name);
    case 'any_passed':
      return any('passed', steps, name);
    case 'none_failed':
      return noneFailed(steps);
    case 'all_tests_pass':
      return all('passed', steps.filter(isTest), name);
    case 'all_reviews_approved':
      return all('approved', steps.filter(isReview), name);
    case 'any_error':
      return anyError(scope);
    case 'critical_error':
      return criticalError(scope);
  }
}

function all(predicate: Predicate, steps: readonly ScopeStep[], name: Quantifier): Truth {
  const spoken = steps.filter((step) => step.outcome !== 'skipped');
  if (spoken.length === 0) return nothing(name, steps);
  const against = spoken.filter((step) => holdsFor(predicate, step) === false);
  if (against.length > 0) return { kind: 'boolean', value: false, because: against.map((step) => describeStep(step, predicate)) };
  const pending = spoken.filter((step) => step.outcome === 'pending');
  if (pending.length > 0) return { kind: 'unknown', because: pending.map((step) => `${step.id} is not done`) };
  return { kind: 'boolean', value: true, because: spoken.map((step) => describeStep(step, predicate)) };
}

function any(predicate: Predicate, steps: readonly ScopeStep[], name: Quantifier): Truth {
  const spoken = steps.filter((step) => step.outcome !== 'skipped');
  if (spoken.length === 0) return nothing(name, steps);
  const first = spoken.find((step) => holdsFor(predicate, step) === true);
  if (first !== undefined) return { kind: 'boolean', value: true, because: [describeStep(first, predicate)] };
  const pending = spoken.filter((step) => step.outcome === 'pending');
  if (pending.length > 0) return { kind: 'unknown', because: pending.map((step) => `${step.id} is not done`) };
  return { kind: 'boolean', value: false, because: spoken.map((step) => describeStep(step, predicate)) };
}

function noneFailed(steps: readonly ScopeStep[]): Truth {
  if (steps.length === 0) return nothing('none_failed', steps);
  const failed = steps.filter((step) => step.outcome === 'failed');
  if (failed.length > 0) return { kind: 'boolean', value: false, because: failed.map((step) => `${step.id} failed`) };
  const pending = steps.filter((step) => step.outcome === 'pending');
  if (pending.length > 0) return { kind: 'unknown', because: pending.map((step) => `${step.id} is not done`) };
  return { kind: 'boolean', value: true, because: ['no step failed'] };
}

/** The step, a sub-step or a sample failed. Never unknown: what nobody saw fail has not failed. */
function anyError(scope: ConditionScope): Truth {
  if (scope.sampleError === true) return { kind: 'boolean', value: true, because: ['a sample failed'] };
  const failed = stepsOf(scope).filter((step) => step.outcome === 'failed');
  if (failed.length > 0) return { kind: 'boolean', value: true, because: failed.map((step) => `${step.id} failed`) };
  return { kind: 'boolean', value: false, because: ['nothing failed'] };
}

/** The sample reports `critical_error: true` or `critical_errors > 0`, or sampling failed. Absent = false. */
function criticalError(scope: ConditionScope): Truth {
  if (scope.sampleError === true) return { kind: 'boolean', value: true, because: ['a sample failed'] };
  for (const step of scope.own === undefined ? scope.steps : [scope.own]) {
    const flag = Object.hasOwn(step.metrics, 'critical_error') ? step.metrics['critical_error'] : undefined;
    if (flag === true) return { kind: 'boolean', value: true, because: [`${step.id} reports a critical error`] };
    const reported = Object.hasOwn(step.metrics, 'critical_errors') ? step.metrics['critical_errors'] : undefined;
    const count = typeof reported === 'object' ? reported.value : reported;
    if (typeof count === 'number' && count > 0) {
      return { kind: 'boolean', value: true, because: [`${step.id} reports ${describeNumber(count)} critical errors`] };
    }
  }
  return { kind: 'boolean', value: false, because: ['no critical error was reported'] };
}

/** `passed(id)` of a step or of all steps of a phase; a phase is failed when one of its steps is. */
export function evaluatePredicate(predicate: Predicate, target: string, scope: ConditionScope): Truth {
  const step = scope.findStep(target);
  if (step !== undefined) {
    const truth = holdsFor(predicate, step);
    if (truth === 'pending') return { kind: 'unknown', because: [`${target} is not done`] };
    return { kind: 'boolean', value: truth, because: [describeStep(step, predicate)] };
  }
  const phase = scope.findPhase(target);
  if (phase === undefined) return { kind: 'unknown', because: [`there is no step or phase ${target}`] };
  return evaluatePhase(predicate, target, phase);
}

function evaluatePhase(predicate: Predicate, id: string, steps: readonly ScopeStep[]): Truth {
  if (steps.length === 0) return { kind: 'unknown', because: [`the phase ${id} has no steps`] };
  const isAny = predicate === 'failed';
  // Skipped steps do not keep a phase from having passed; a phase in which all were skipped has.
  const relevant = predicate === 'passed' || predicate === 'approved' ? steps.filter((step) => step.outcome !== 'skipped') : steps;
  const truths = relevant.map((step) => ({ step, truth: holdsFor(predicate, step) }));
  const decisive = truths.filter(({ truth }) => truth === isAny);
  if (decisive.length > 0) return { kind: 'boolean', value: isAny, because: decisive.map(({ step }) => describeStep(step, predicate)) };
  const pending = truths.filter(({ truth }) => truth === 'pending');
  if (pending.length > 0) return { kind: 'unknown', because: pending.map(({ step }) => `${step.id} is not done`) };
  return { kind: 'boolean', value: !isAny, because: [`the phase ${id} ${isAny ? `has not ${predicate}` : `is ${predicate}`}`] };
}

/** `count(approved)` of the scope; steps that are not done make it a range. */
export function countSteps(of: Predicate, scope: ConditionScope): Value {
  const truths = stepsOf(scope).map((step) => holdsFor(of, step));
  const value = truths.filter((truth) => truth === true).length;
  const pending = truths.filter((truth) => truth === 'pending').length;
  return { kind: 'number', value, isCount: true, ...(pending === 0 ? {} : { upTo: value + pending }), label: `count(${of}) ${value}` };
}

/** `sum avg min max` of what the steps in scope report under one name, all in one unit. */
export function aggregateMetric(fn: 'sum' | 'avg' | 'min' | 'max', name: string, scope: ConditionScope): Value {
  const steps = stepsOf(scope);
  const pending = steps.filter((step) => step.outcome === 'pending');
  if (pending.length > 0) return { kind: 'unknown', because: pending.map((step) => `${step.id} is not done`) };
  const numbers: { value: number; unit?: 'percent' | 'ms' | 'usd'; isRate?: boolean }[] = [];
  for (const step of steps) {
    const alias = metricAliasesOf(name).find((candidate) => Object.hasOwn(step.metrics, candidate));
    const metric = alias === undefined ? undefined : step.metrics[alias];
    if (metric === undefined) continue;
    const value = valueOfMetric(name, metric);
    if (value.kind !== 'number') return { kind: 'unknown', because: [`${name} of ${step.id} is not a number`] };
    numbers.push(asPercentWhereRate(value));
  }
  const [first] = numbers;
  if (first === undefined) return { kind: 'unknown', because: [`${name} was reported by no step in scope`] };
  if (numbers.some((number) => number.unit !== first.unit)) return { kind: 'unknown', because: [`the units of ${name} differ`] };
  const values = numbers.map((number) => number.value);
  const total = values.reduce((sum, value) => sum + value, 0);
  const value = fn === 'sum' ? total : fn === 'avg' ? total / values.length : fn === 'min' ? Math.min(...values) : Math.max(...values);
  const unit = first.unit === undefined ? {} : { unit: first.unit };
  return { kind: 'number', value, ...unit, label: `${fn}(${name}) ${describeNumber(value, first.unit)}` };
}

function asPercentWhereRate(value: { value: number; unit?: 'percent' | 'ms' | 'usd'; isRate?: boolean }): {
  value: number;
  unit?: 'percent' | 'ms' | 'usd';
} {
  if (value.unit !== undefined) return { value: value.value, unit: value.unit };
  if (value.isRate !== true) return { value: value.value };
  return { value: Math.abs(value.value) > 1 ? value.value : value.value * 100, unit: 'percent' };
}

function nothing(name: Quantifier, steps: readonly ScopeStep[]): Truth {
  return { kind: 'unknown', because: [`${name} speaks of no step${steps.length > 0 ? ': all were skipped' : ''}`] };
}

function describeStep(step: ScopeStep, predicate: Predicate): string {
  const verdict = step.verdict === undefined ? '' : ` (verdict ${step.verdict})`;
  const truth = holdsFor(predicate, step);
  if (predicate === 'approved' && truth === false) {
    const why = step.outcome === 'passed' ? verdict : ` (${step.outcome})`;
    return `${step.id} is not approved${why}`;
  }
  if (predicate === 'approved') return `${step.id} is approved`;
  return truth === true ? `${step.id} ${describeOutcome(step)}` : `${step.id} has not ${predicate}: it ${describeOutcome(step)}`;
}

function describeOutcome(step: ScopeStep): string {
  if (step.outcome === 'pending') return 'is not done';
  return step.outcome === 'skipped' ? 'was skipped' : step.outcome;
}
