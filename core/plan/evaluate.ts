import type { MetricValue } from '../contract/agent-document';
import type { Condition } from './condition';
import { calculate, compare, isMember, negate } from './condition-arithmetic';
import { describeNumber, type Value, valueOfMetric } from './condition-values';
import { aggregateMetric, countSteps, evaluatePredicate, evaluateQuantifier } from './condition-quantifiers';
import type { ConditionScope, ScopeStep } from './condition-scope';
import { metricAliasesOf } from './metric-names';

export type { ConditionScope, ScopeStep } from './condition-scope';

export interface ConditionResult {
  value: boolean | 'unknown';
  /** Why: `coverage 71.3 % is not > 85 %`; of an unknown value, what is missing and who should have reported it. */
  explanation: string[];
}

/** Explanations are shown to people and stored: at most this many lines. */
const maxExplanations = 20;

/**
 * Evaluates a condition, three-valued: what nobody reported is unknown, and so is what hangs on it. Synchronous and pure.
 * Recursion is as deep as the AST, which the parser limits to 64 levels.
 */
export function evaluateCondition(condition: Condition, scope: ConditionScope): ConditionResult {
  const result = asBoolean(evaluate(condition, scope));
  const explanation = [...new Set(result.because)];
  const shown =
    explanation.length > maxExplanations
      ? [...explanation.slice(0, maxExplanations), `… and ${explanation.length - maxExplanations} more`]
      : explanation;
  return { value: result.kind === 'unknown' ? 'unknown' : result.value, explanation: shown };
}

type Truth = Extract<Value, { kind: 'boolean' | 'unknown' }>;

function evaluate(condition: Condition, scope: ConditionScope): Value {
  switch (condition.op) {
    case 'literal':
      return literalValue(condition);
    case 'list': {
      const items = condition.items.map((item) => evaluate(item, scope));
      return { kind: 'list', items, label: `(${items.map(labelOf).join(', ')})` };
    }
    case 'metric':
      return findMetric(condition.name, scope);
    case 'stepMetric':
      return findStepMetric(condition.step, condition.name, scope);
    case 'input':
      return inputValue(condition.name, scope.inputs);
    case 'quantifier':
      return evaluateQuantifier(condition.name, scope);
    case 'predicate':
      return evaluatePredicate(condition.name, condition.target, scope);
    case 'count':
      return countSteps(condition.of, scope);
    case 'aggregate':
      return aggregateMetric(condition.fn, condition.metric, scope);
    case 'not': {
      const arg = asBoolean(evaluate(condition.arg, scope));
      return arg.kind === 'unknown' ? arg : { ...arg, value: !arg.value };
    }
    case 'negate':
      return negate(evaluate(condition.arg, scope));
    case 'and':
    case 'or':
      return connect(condition.op, condition.args, scope);
    case 'in':
      return isMember(evaluate(condition.left, scope), evaluate(condition.right, scope));
    case '+':
    case '-':
    case '*':
    case '/':
      return calculate(condition.op, evaluate(condition.left, scope), evaluate(condition.right, scope));
    default:
      return compare(condition.op, evaluate(condition.left, scope), evaluate(condition.right, scope));
  }
}

/**
 * Kleene's `and` and `or`: one false (true) decides whatever is unknown beside it. The explanation is what decided: the false
 * parts of a false `and`, the unknown ones of an unknown one, all of a true one.
 */
function connect(op: 'and' | 'or', args: readonly Condition[], scope: ConditionScope): Truth {
  const deciding = op === 'or';
  const truths = args.map((arg) => asBoolean(evaluate(arg, scope)));
  const decisive = truths.filter((truth) => truth.kind === 'boolean' && truth.value === deciding);
  if (decisive.length > 0) return { kind: 'boolean', value: deciding, because: decisive.flatMap((truth) => truth.because) };
  const unknown = truths.filter((truth) => truth.kind === 'unknown');
  if (unknown.length > 0) return { kind: 'unknown', because: unknown.flatMap((truth) => truth.because) };
  return { kind: 'boolean', value: !deciding, because: truths.flatMap((truth) => truth.because) };
}

function asBoolean(value: Value): Truth {
  if (value.kind === 'boolean' || value.kind === 'unknown') return value;
  return { kind: 'unknown', because: [`${labelOf(value)} is neither true nor false`] };
}

function literalValue(literal: Extract<Condition, { op: 'literal' }>): Value {
  const { value, unit } = literal;
  if (typeof value === 'boolean') return { kind: 'boolean', value, because: [`it says ${value}`] };
  if (typeof value === 'string') return { kind: 'text', value, label: `"${value}"` };
  return { kind: 'number', value, ...(unit === undefined ? {} : { unit }), label: describeNumber(value, unit) };
}

function labelOf(value: Value): string {
  if (value.kind === 'boolean') return String(value.value);
  return value.kind === 'unknown' ? 'unknown' : value.label;
}

/** A bare name: the step's own metric first, then the first step in scope that reports it. */
function findMetric(name: string, scope: ConditionScope): Value {
  const own = scope.own === undefined ? undefined : reported(scope.own, name);
  if (own !== undefined) return valueOfMetric(name, own);
  const others = scope.steps.filter((step) => step.id !== scope.own?.id);
  for (const step of others) {
    const metric = reported(step, name);
    if (metric !== undefined) return valueOfMetric(name, metric);
  }
  const expected = scope.own === undefined ? others : [scope.own];
  return { kind: 'unknown', because: [describeMissing(name, expected)] };
}

function findStepMetric(id: string, name: string, scope: ConditionScope): Value {
  const step = scope.findStep(id);
  if (step === undefined) return { kind: 'unknown', because: [`there is no step ${id}`] };
  const metric = reported(step, name);
  if (metric !== undefined) return valueOfMetric(name, metric);
  return { kind: 'unknown', because: [describeMissing(name, [step])] };
}

function reported(step: ScopeStep, name: string): MetricValue | undefined {
  const found = metricAliasesOf(name).find((alias) => Object.hasOwn(step.metrics, alias));
  return found === undefined ? undefined : step.metrics[found];
}

function describeMissing(name: string, expected: readonly ScopeStep[]): string {
  const ids = expected.map((step) => (step.outcome === 'pending' ? `${step.id}, which is not done` : step.id));
  if (ids.length === 0) return `${name} was not reported: no step is in scope`;
  const shown = ids.length > 5 ? [...ids.slice(0, 5), `${ids.length - 5} more`] : ids;
  return `${name} was not reported by ${shown.join(' or ')}`;
}

function inputValue(name: string, inputs: Record<string, unknown>): Value {
  const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  const label = `inputs.${name}`;
  if (value === undefined || value === null) return { kind: 'unknown', because: [`the run input ${name} was not given`] };
  return plainValue(value, label) ?? { kind: 'unknown', because: [`${label} is nothing that a condition can compare`] };
}

function plainValue(value: unknown, label: string): Value | undefined {
  if (typeof value === 'boolean') return { kind: 'boolean', value, because: [`${label} is ${value}`] };
  if (typeof value === 'string') return { kind: 'text', value, label: `${label} "${value.slice(0, 60)}"` };
  if (typeof value === 'number' && Number.isFinite(value)) return { kind: 'number', value, label: `${label} ${describeNumber(value)}` };
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item, index) => plainValue(item, `${label}[${index}]`)).filter((item) => item !== undefined);
  return { kind: 'list', items, label };
}
