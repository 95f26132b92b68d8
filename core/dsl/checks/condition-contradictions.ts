import type { Condition } from '../../plan/condition';
import { factsOfLiteral, factsOfMetric, inUnit } from './condition-leaves';

/** `coverage > 90% and coverage < 50%`: bounds on one metric that leave nothing between them. */
export function excludesItself(args: readonly Condition[]): boolean {
  const ranges = new Map<string, { low: number; high: number; isLowOpen: boolean; isHighOpen: boolean }>();
  for (const arg of args) {
    const bound = boundOf(arg);
    if (bound === undefined) continue;
    const { metric, op, literal } = bound;
    const { low: value } = inUnit(factsOfLiteral(literal), factsOfMetric(metric).unit ?? literal.unit);
    const range = ranges.get(metric) ?? {
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
      isLowOpen: false,
      isHighOpen: false,
    };
    if (['>', '>=', '=='].includes(op) && (value > range.low || (value === range.low && op === '>'))) {
      Object.assign(range, { low: value, isLowOpen: op === '>' });
    }
    if (['<', '<=', '=='].includes(op) && (value < range.high || (value === range.high && op === '<'))) {
      Object.assign(range, { high: value, isHighOpen: op === '<' });
    }
    ranges.set(metric, range);
    if (range.low > range.high || (range.low === range.high && (range.isLowOpen || range.isHighOpen))) return true;
  }
  return false;
}

type NumberLiteral = Extract<Condition, { op: 'literal' }> & { value: number };
const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** A comparison of one metric with one number, the metric on the left. */
function boundOf(arg: Condition): { metric: string; op: string; literal: NumberLiteral } | undefined {
  if (!('left' in arg)) return undefined;
  const { left, right, op } = arg;
  if (left.op === 'metric' && isNumberLiteral(right)) return { metric: left.name, op, literal: right };
  if (right.op === 'metric' && isNumberLiteral(left)) return { metric: right.name, op: mirrored[op] ?? op, literal: left };
  return undefined;
}

function isNumberLiteral(condition: Condition): condition is NumberLiteral {
  return condition.op === 'literal' && typeof condition.value === 'number';
}

/** `tests_passing and not tests_passing`. */
export function deniesItself(args: readonly Condition[]): boolean {
  const said = new Set(args.map((arg) => JSON.stringify(arg)));
  return args.some((arg) => arg.op === 'not' && said.has(JSON.stringify(arg.arg)));
}
