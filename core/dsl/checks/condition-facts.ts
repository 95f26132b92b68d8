import type { Condition, ConditionUnit } from '../../plan/condition';
import { readAsPercent } from '../../plan/condition-values';
import type { PlanInput } from '../../plan/types';
import { deniesItself, excludesItself } from './condition-contradictions';
import { type Facts, factsOfInput, factsOfLiteral, factsOfMetric, inUnit } from './condition-leaves';

export interface TypeProblem {
  node: Condition;
  code: 'condition_type' | 'bad_unit';
  severity: 'error' | 'warning';
  message: string;
  hint?: string;
}

export interface FactOptions {
  /** Steps in scope: a count cannot exceed it. */
  scopeSize: number;
  /** Declared types of the run's inputs. */
  inputTypes: ReadonlyMap<string, PlanInput['type']>;
  /** What is certain of a predicate when the condition is asked. */
  known(predicate: Extract<Condition, { op: 'predicate' }>): boolean | undefined;
  onProblem(problem: TypeProblem): void;
}

const unitWords: Readonly<Record<ConditionUnit, string>> = { percent: 'a percentage', ms: 'a time', usd: 'money' };

/** Types, bounds and constant parts of a condition; what cannot fit together is reported. As deep as the AST: 64 levels. */
export function findFacts(condition: Condition, options: FactOptions): Facts {
  const find = (part: Condition): Facts => findFacts(part, options);
  switch (condition.op) {
    case 'literal':
      return factsOfLiteral(condition);
    case 'list':
      for (const item of condition.items) find(item);
      return { type: 'list' };
    case 'metric':
    case 'stepMetric':
      return factsOfMetric(condition.name);
    case 'input':
      return factsOfInput(options.inputTypes.get(condition.name));
    case 'quantifier':
      return { type: 'boolean' };
    case 'predicate': {
      const constant = options.known(condition);
      return { type: 'boolean', ...(constant === undefined ? {} : { constant }) };
    }
    case 'count':
      return { type: 'number', isCount: true, low: 0, high: options.scopeSize };
    case 'aggregate': {
      const { constant: _, ...facts } = factsOfMetric(condition.metric);
      if (facts.type === 'boolean') problem(options, condition, `\`${condition.metric}\` is true or false, ${condition.fn} needs numbers`);
      return { ...facts, type: 'number', ...(condition.fn === 'sum' ? { high: Number.POSITIVE_INFINITY } : {}) };
    }
    case 'not': {
      const arg = expectBoolean(condition.arg, find(condition.arg), options);
      return { type: 'boolean', ...(arg.constant === undefined ? {} : { constant: !arg.constant }) };
    }
    case 'and':
    case 'or':
      return connectFacts(condition, options, find);
    case 'negate': {
      const arg = expectNumber(condition.arg, find(condition.arg), options);
      return { ...arg, type: 'number', ...bounds(-(arg.high ?? Number.POSITIVE_INFINITY), -(arg.low ?? Number.NEGATIVE_INFINITY)) };
    }
    case '+':
    case '-':
    case '*':
    case '/':
      return factsOfCalculation(condition, options, find);
    case 'in':
      return factsOfMembership(condition, options, find);
    default:
      return factsOfComparison(condition, options, find);
  }
}

type Find = (part: Condition) => Facts;
type Binary = Extract<Condition, { left: Condition }>;

function connectFacts(condition: Extract<Condition, { op: 'and' | 'or' }>, options: FactOptions, find: Find): Facts {
  const constants = condition.args.map((arg) => expectBoolean(arg, find(arg), options).constant);
  const deciding = condition.op === 'or';
  if (constants.includes(deciding)) return { type: 'boolean', constant: deciding };
  if (condition.op === 'and' && (excludesItself(condition.args) || deniesItself(condition.args)))
    return { type: 'boolean', constant: false };
  return constants.every((constant) => constant === !deciding) ? { type: 'boolean', constant: !deciding } : { type: 'boolean' };
}

function factsOfCalculation(condition: Binary, options: FactOptions, find: Find): Facts {
  const left = expectNumber(condition.left, find(condition.left), options);
  const right = expectNumber(condition.right, find(condition.right), options);
  const isSum = condition.op === '+' || condition.op === '-';
  if (isSum && left.unit !== undefined && right.unit !== undefined && left.unit !== right.unit) {
    problem(options, condition, `${unitWords[left.unit]} and ${unitWords[right.unit]} cannot be added`);
  }
  // `0.5 * coverage` has a unit, `coverage / coverage` has none; bounds are not worked out.
  if (isSum || condition.op === '*') {
    const unit = left.unit ?? right.unit;
    return { type: 'number', ...(unit === undefined ? {} : { unit }) };
  }
  return { type: 'number', ...(left.unit !== undefined && right.unit === undefined ? { unit: left.unit } : {}) };
}

/** `x in (a, b)`: each item is compared with x. */
function factsOfMembership(condition: Binary, options: FactOptions, find: Find): Facts {
  const { left, right } = condition;
  const facts = find(left);
  if (right.op !== 'list') {
    const list = find(right);
    if (list.type !== 'list' && list.type !== 'any') {
      problem(options, right, `${describeType(list)} is no list`, 'write the values in parentheses, like `in ("dev", "prod")`');
    }
    return { type: 'boolean' };
  }
  const constants = right.items.map((item) => {
    const compared = { op: '==' as const, at: item, left: { node: left, facts }, right: { node: item, facts: find(item) } };
    return compareFacts(compared, options).constant;
  });
  return constants.every((constant) => constant === false) ? { type: 'boolean', constant: false } : { type: 'boolean' };
}

function factsOfComparison(condition: Binary, options: FactOptions, find: Find): Facts {
  const { op, left, right } = condition;
  const sides = { left: { node: left, facts: find(left) }, right: { node: right, facts: find(right) } };
  return compareFacts({ op, at: condition, ...sides }, options);
}

interface Side {
  node: Condition;
  facts: Facts;
}

function compareFacts(compared: { op: Condition['op']; at: Condition; left: Side; right: Side }, options: FactOptions): Facts {
  const { op, at, left, right } = compared;
  const [a, b] = [left.facts, right.facts];
  if (a.type === 'any' || b.type === 'any') return { type: 'boolean' };
  if (a.type !== b.type) {
    problem(options, at, `${describeType(a)} cannot be compared with ${describeType(b)}`);
    return { type: 'boolean' };
  }
  if (a.type !== 'number') {
    if (op !== '==' && op !== '!=') problem(options, at, `${describeType(a)} has no order`, 'compare it with `==` or `!=`');
    return { type: 'boolean' };
  }
  if (a.unit !== undefined && b.unit !== undefined && a.unit !== b.unit) {
    problem(options, at, `${unitWords[a.unit]} cannot be compared with ${unitWords[b.unit]}`);
    return { type: 'boolean' };
  }
  const unit = a.unit ?? b.unit;
  if (unit !== undefined && (a.isCount === true || b.isCount === true)) {
    problem(options, at, `a number of steps cannot be compared with ${unitWords[unit]}`);
    return { type: 'boolean' };
  }
  warnOfBareNumber(left.node, a, unit, options);
  warnOfBareNumber(right.node, b, unit, options);
  const constant = compareBounds(op, inUnit(a, unit), inUnit(b, unit));
  return { type: 'boolean', ...(constant === undefined ? {} : { constant }) };
}

/** A bare number beside a unit is read in it, and that is easily misread. */
function warnOfBareNumber(node: Condition, facts: Facts, unit: ConditionUnit | undefined, options: FactOptions): void {
  const value = facts.low;
  if (facts.isBare !== true || unit === undefined || value === undefined || value === 0) return;
  const reading = unit === 'percent' ? `${readAsPercent(value)}%` : unit === 'ms' ? `${value}ms` : `$${value}`;
  options.onProblem({
    node,
    code: 'bad_unit',
    severity: 'warning',
    message: `${value} is read as ${reading}`,
    hint: `write \`${reading}\``,
  });
}

function compareBounds(op: Condition['op'], a: { low: number; high: number }, b: { low: number; high: number }): boolean | undefined {
  switch (op) {
    case '<':
      return a.high < b.low ? true : a.low >= b.high ? false : undefined;
    case '<=':
      return a.high <= b.low ? true : a.low > b.high ? false : undefined;
    case '>':
      return compareBounds('<', b, a);
    case '>=':
      return compareBounds('<=', b, a);
    case '==':
      if (a.high < b.low || b.high < a.low) return false;
      return a.low === a.high && b.low === b.high ? true : undefined;
    case '!=': {
      const isEqual = compareBounds('==', a, b);
      return isEqual === undefined ? undefined : !isEqual;
    }
    default:
      return undefined;
  }
}

function expectBoolean(node: Condition, facts: Facts, options: FactOptions): Facts {
  if (facts.type !== 'boolean' && facts.type !== 'any') {
    problem(options, node, `${describeType(facts)} is neither true nor false`, 'compare it with something, like `> 85%`');
  }
  return facts;
}

function expectNumber(node: Condition, facts: Facts, options: FactOptions): Facts {
  if (facts.type !== 'number' && facts.type !== 'any') problem(options, node, `${describeType(facts)} is no number`);
  return facts;
}

function describeType(facts: Facts): string {
  switch (facts.type) {
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'list':
      return 'a list';
    case 'number':
      return facts.unit === undefined ? 'a number' : unitWords[facts.unit];
    case 'any':
      return 'a value';
  }
}

function bounds(low: number, high: number): { low: number; high: number } {
  return { low, high };
}

function problem(options: FactOptions, node: Condition, message: string, hint?: string): void {
  options.onProblem({ node, code: 'condition_type', severity: 'error', message, ...(hint === undefined ? {} : { hint }) });
}
