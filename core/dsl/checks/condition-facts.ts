import type { Condition, ConditionUnit } from '../../plan/condition';
import { readAsPercent } from '../../plan/condition-values';
import { metricKindOf } from '../../plan/metric-names';

/** What is known of a condition's value before anything has run. */
export interface Facts {
  /** `any`: nobody knows before it is reported. */
  type: 'boolean' | 'number' | 'text' | 'list' | 'any';
  unit?: ConditionUnit;
  /** A literal without a unit: read in the unit of the other side. */
  isBare?: boolean;
  /** Bounds of a number, in its unit. */
  low?: number;
  high?: number;
  /** Of a boolean: the only value it can have. */
  constant?: boolean;
}

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
      return { type: 'any' };
    case 'quantifier':
    case 'predicate':
      return { type: 'boolean' };
    case 'count':
      return { type: 'number', low: 0, high: options.scopeSize };
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
      find(condition.left);
      find(condition.right);
      return { type: 'boolean' };
    default:
      return factsOfComparison(condition, options, find);
  }
}

function factsOfLiteral({ value, unit }: Extract<Condition, { op: 'literal' }>): Facts {
  if (typeof value === 'boolean') return { type: 'boolean', constant: value };
  if (typeof value === 'string') return { type: 'text' };
  return { type: 'number', low: value, high: value, ...(unit === undefined ? { isBare: true } : { unit }) };
}

function factsOfMetric(name: string): Facts {
  switch (metricKindOf(name)) {
    case 'rate':
      return { type: 'number', unit: 'percent', low: 0, high: 100 };
    case 'time':
      return { type: 'number', unit: 'ms', low: 0 };
    case 'money':
      return { type: 'number', unit: 'usd', low: 0 };
    case 'flag':
      return { type: 'boolean' };
    case 'number':
      return { type: 'number', low: 0 };
    default:
      return { type: 'any' };
  }
}

type Find = (part: Condition) => Facts;
type Binary = Extract<Condition, { left: Condition }>;

function connectFacts(condition: Extract<Condition, { op: 'and' | 'or' }>, options: FactOptions, find: Find): Facts {
  const constants = condition.args.map((arg) => expectBoolean(arg, find(arg), options).constant);
  const deciding = condition.op === 'or';
  if (constants.includes(deciding)) return { type: 'boolean', constant: deciding };
  if (condition.op === 'and' && excludesItself(condition.args)) return { type: 'boolean', constant: false };
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

function factsOfComparison(condition: Binary, options: FactOptions, find: Find): Facts {
  const left = find(condition.left);
  const right = find(condition.right);
  if (left.type === 'any' || right.type === 'any') return { type: 'boolean' };
  if (left.type !== right.type) {
    problem(options, condition, `${describeType(left)} cannot be compared with ${describeType(right)}`);
    return { type: 'boolean' };
  }
  if (left.type !== 'number') {
    if (condition.op !== '==' && condition.op !== '!=')
      problem(options, condition, `${describeType(left)} has no order: only \`==\` and \`!=\` compare it`);
    return { type: 'boolean' };
  }
  if (left.unit !== undefined && right.unit !== undefined && left.unit !== right.unit) {
    problem(options, condition, `${unitWords[left.unit]} cannot be compared with ${unitWords[right.unit]}`);
    return { type: 'boolean' };
  }
  const unit = left.unit ?? right.unit;
  const a = inUnit(left, unit);
  const b = inUnit(right, unit);
  warnOfBareNumber(condition.left, left, unit, options);
  warnOfBareNumber(condition.right, right, unit, options);
  const constant = compareBounds(condition.op, a, b);
  return { type: 'boolean', ...(constant === undefined ? {} : { constant }) };
}

function inUnit(facts: Facts, unit: ConditionUnit | undefined): { low: number; high: number } {
  const low = facts.low ?? Number.NEGATIVE_INFINITY;
  const high = facts.high ?? Number.POSITIVE_INFINITY;
  return facts.isBare === true && unit === 'percent' ? { low: readAsPercent(low), high: readAsPercent(high) } : { low, high };
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

/** `coverage > 90% and coverage < 50%`: bounds on one metric that leave nothing between them. */
function excludesItself(args: readonly Condition[]): boolean {
  const ranges = new Map<string, { low: number; high: number; isLowOpen: boolean; isHighOpen: boolean }>();
  for (const arg of args) {
    if (!('left' in arg) || arg.left.op !== 'metric' || arg.right.op !== 'literal' || typeof arg.right.value !== 'number') continue;
    const facts = factsOfMetric(arg.left.name);
    const { low: value } = inUnit(factsOfLiteral(arg.right), facts.unit ?? arg.right.unit);
    const range = ranges.get(arg.left.name) ?? {
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
      isLowOpen: false,
      isHighOpen: false,
    };
    if (['>', '>=', '=='].includes(arg.op) && (value > range.low || (value === range.low && arg.op === '>'))) {
      Object.assign(range, { low: value, isLowOpen: arg.op === '>' });
    }
    if (['<', '<=', '=='].includes(arg.op) && (value < range.high || (value === range.high && arg.op === '<'))) {
      Object.assign(range, { high: value, isHighOpen: arg.op === '<' });
    }
    ranges.set(arg.left.name, range);
    if (range.low > range.high || (range.low === range.high && (range.isLowOpen || range.isHighOpen))) return true;
  }
  return false;
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
