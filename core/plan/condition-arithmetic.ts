import type { ConditionUnit } from './condition';
import { describeNumber, type NumberValue, readAsPercent, type Value } from './condition-values';

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
type Truth = Extract<Value, { kind: 'boolean' | 'unknown' }>;

/** Compares two values in one unit; what does not fit together is unknown, with the reason. */
export function compare(op: Comparison, left: Value, right: Value): Truth {
  const missing = unknownOf(left, right);
  if (missing !== undefined) return missing;
  if (left.kind === 'number' && right.kind === 'number') return compareNumbers(op, left, right);
  if (op === '==' || op === '!=') {
    const isEqual = isSame(left, right);
    if (isEqual !== undefined) return decide(isEqual === (op === '=='), { left, right, op });
  }
  return { kind: 'unknown', because: [`${describe(left)} cannot be compared with ${describe(right)}`] };
}

/** `left in right`; a single value on the right is a list of one. */
export function isMember(left: Value, right: Value): Truth {
  const items = right.kind === 'list' ? right.items : [right];
  const missing = unknownOf(left, ...items);
  const isFound = left.kind !== 'unknown' && items.some((item) => item.kind !== 'unknown' && matches(left, item));
  if (isFound) return { kind: 'boolean', value: true, because: [`${describe(left)} is in ${describe(right)}`] };
  return missing ?? { kind: 'boolean', value: false, because: [`${describe(left)} is not in ${describe(right)}`] };
}

/** `+ - * /` with units: rates are percentages, a bare number scales, and two different units do not mix. */
export function calculate(op: '+' | '-' | '*' | '/', left: Value, right: Value): Value {
  const missing = unknownOf(left, right);
  if (missing !== undefined) return missing;
  if (left.kind !== 'number' || right.kind !== 'number') {
    return { kind: 'unknown', because: [`${describe(left)} ${op} ${describe(right)} is no calculation`] };
  }
  const running = [left, right].find((side) => side.upTo !== undefined);
  if (running !== undefined) return { kind: 'unknown', because: [`${running.label} is not final`] };
  const [a, b] = [settleRate(left), settleRate(right)];
  const result = combine(op, a, b);
  if (result === undefined) return { kind: 'unknown', because: [`${describe(left)} ${op} ${describe(right)} mixes units`] };
  if (!Number.isFinite(result.value)) return { kind: 'unknown', because: [`${describe(left)} ${op} ${describe(right)} has no value`] };
  return { kind: 'number', ...result, label: describeResult(op, left, right, result) };
}

/** `-x`, in the unit of x. */
export function negate(arg: Value): Value {
  const result = calculate('-', { kind: 'number', value: 0, label: '0' }, arg);
  return result.kind === 'number' && arg.kind === 'number' ? { ...result, label: `-${arg.label}` } : result;
}

interface Quantity {
  value: number;
  unit?: ConditionUnit;
}

function combine(op: '+' | '-' | '*' | '/', a: Quantity, b: Quantity): Quantity | undefined {
  if (op === '+' || op === '-') {
    // Zero has every unit: `-x` is `0 - x`.
    const unit = a.unit ?? b.unit;
    const fits = a.unit === b.unit || (a.unit === undefined && a.value === 0) || (b.unit === undefined && b.value === 0);
    return fits ? withUnit(op === '+' ? a.value + b.value : a.value - b.value, unit) : undefined;
  }
  if (op === '*') {
    if (a.unit === 'percent' && b.unit !== undefined) return withUnit((a.value / 100) * b.value, b.unit);
    if (b.unit === 'percent' && a.unit !== undefined) return withUnit((b.value / 100) * a.value, a.unit);
    return a.unit !== undefined && b.unit !== undefined ? undefined : withUnit(a.value * b.value, a.unit ?? b.unit);
  }
  if (b.unit === undefined) return withUnit(a.value / b.value, a.unit);
  return a.unit === b.unit ? withUnit(a.value / b.value, undefined) : undefined;
}

function withUnit(value: number, unit: ConditionUnit | undefined): Quantity {
  return unit === undefined ? { value } : { value, unit };
}

function describeResult(op: string, left: NumberValue, right: NumberValue, result: Quantity): string {
  const text = `${left.label} ${op} ${right.label}`;
  return text.length > 120 ? describeNumber(result.value, result.unit) : `${text} = ${describeNumber(result.value, result.unit)}`;
}

/** A bare rate in percent; anything else as it is. */
function settleRate(value: NumberValue): Quantity {
  if (value.isRate === true && value.unit === undefined) return { value: readAsPercent(value.value), unit: 'percent' };
  return value.unit === undefined ? { value: value.value } : { value: value.value, unit: value.unit };
}

function compareNumbers(op: Comparison, left: NumberValue, right: NumberValue): Truth {
  const inPercent = [left, right].some((side) => side.unit === 'percent' || side.isRate === true);
  const shared = inPercent ? 'percent' : (left.unit ?? right.unit);
  const [a, b] = [settle(left, shared), settle(right, shared)];
  const isMeasuredCount = shared !== undefined && (left.isCount === true || right.isCount === true);
  if (a === undefined || b === undefined || isMeasuredCount) {
    return { kind: 'unknown', because: [`${left.label} cannot be compared with ${right.label}: their units differ`] };
  }
  const ends = [left.upTo ?? a, a].flatMap((x) => [right.upTo ?? b, b].map((y) => holds(op, x, y)));
  const isSettled = left.upTo === undefined && right.upTo === undefined;
  const overlaps = (left.upTo ?? a) >= b && a <= (right.upTo ?? b);
  const isOpen = new Set(ends).size > 1 || (!isSettled && (op === '==' || op === '!=') && overlaps);
  if (isOpen) return { kind: 'unknown', because: [`${left.label} ${op} ${right.label} is not decided yet`] };
  return decide(holds(op, a, b), { left, right, op, percent: inPercent });
}

function settle(value: NumberValue, unit: ConditionUnit | undefined): number | undefined {
  if (value.unit === unit || value.unit === undefined) {
    return unit === 'percent' && value.unit === undefined ? readAsPercent(value.value) : value.value;
  }
  return undefined;
}

function holds(op: Comparison, a: number, b: number): boolean {
  // Sums of decimals miss their mark by a hair (0.1 + 0.2): closer than one part in 10^12 is equal.
  const isEqual = a === b || Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  switch (op) {
    case '==':
      return isEqual;
    case '!=':
      return !isEqual;
    case '<':
      return !isEqual && a < b;
    case '<=':
      return isEqual || a < b;
    case '>':
      return !isEqual && a > b;
    case '>=':
      return isEqual || a > b;
  }
}

const words: Readonly<Record<Comparison, string>> = { '==': '', '!=': 'different from ', '<': '< ', '<=': '<= ', '>': '> ', '>=': '>= ' };

function decide(value: boolean, told: { left: Value; right: Value; op: Comparison; percent?: boolean }): Truth {
  const { left, right, op } = told;
  // A bare number beside a rate is shown as it was read.
  const reading = told.percent === true && right.kind === 'number' && right.unit === undefined && right.isRate !== true;
  const other = reading ? describeNumber(readAsPercent(right.value), 'percent') : describe(right);
  return { kind: 'boolean', value, because: [`${describe(left)} is ${value ? '' : 'not '}${words[op]}${other}`] };
}

function isSame(left: Value, right: Value): boolean | undefined {
  if (left.kind === 'boolean' && right.kind === 'boolean') return left.value === right.value;
  if (left.kind === 'text' && right.kind === 'text') return left.value === right.value;
  return undefined;
}

function matches(left: Value, item: Value): boolean {
  const result = compare('==', left, item);
  return result.kind === 'boolean' && result.value;
}

function unknownOf(...values: Value[]): Extract<Value, { kind: 'unknown' }> | undefined {
  const unknown = values.filter((value) => value.kind === 'unknown');
  return unknown.length === 0 ? undefined : { kind: 'unknown', because: unknown.flatMap((value) => value.because) };
}

function describe(value: Value): string {
  if (value.kind === 'boolean') {
    const [reason] = value.because;
    return reason?.endsWith(` is ${value.value}`) === true ? reason.slice(0, -` is ${value.value}`.length) : String(value.value);
  }
  return value.kind === 'unknown' ? 'unknown' : value.label;
}
