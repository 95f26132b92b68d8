import type { Condition, ConditionUnit } from '../../plan/condition';
import { readAsPercent } from '../../plan/condition-values';
import { metricKindOf } from '../../plan/metric-names';
import type { PlanInput } from '../../plan/types';

/** What is known of a condition's value before anything has run. */
export interface Facts {
  /** `any`: nobody knows before it is reported. */
  type: 'boolean' | 'number' | 'text' | 'list' | 'any';
  unit?: ConditionUnit;
  /** A literal without a unit: read in the unit of the other side. */
  isBare?: boolean;
  /** A number of steps: it has no unit, and takes none. */
  isCount?: boolean;
  /** Bounds of a number, in its unit. */
  low?: number;
  high?: number;
  /** Of a boolean: the only value it can have. */
  constant?: boolean;
}

export function factsOfLiteral({ value, unit }: Extract<Condition, { op: 'literal' }>): Facts {
  if (typeof value === 'boolean') return { type: 'boolean', constant: value };
  if (typeof value === 'string') return { type: 'text' };
  return { type: 'number', low: value, high: value, ...(unit === undefined ? { isBare: true } : { unit }) };
}

export function factsOfMetric(name: string): Facts {
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

export function factsOfInput(type: PlanInput['type'] | undefined): Facts {
  switch (type) {
    case 'string':
      return { type: 'text' };
    case 'duration':
      return { type: 'number', unit: 'ms', low: 0 };
    case 'number':
    case 'boolean':
    case 'list':
      return { type };
    default:
      return { type: 'any' };
  }
}

/** Bounds in a unit: a bare number is read in it. */
export function inUnit(facts: Facts, unit: ConditionUnit | undefined): { low: number; high: number } {
  const low = facts.low ?? Number.NEGATIVE_INFINITY;
  const high = facts.high ?? Number.POSITIVE_INFINITY;
  return facts.isBare === true && unit === 'percent' ? { low: readAsPercent(low), high: readAsPercent(high) } : { low, high };
}
