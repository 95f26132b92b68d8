import type { MetricValue } from '../contract/agent-document';
import type { ConditionUnit } from './condition';
import { metricKindOf } from './metric-names';

/** A number met while a condition is evaluated. */
export interface NumberValue {
  kind: 'number';
  value: number;
  unit?: ConditionUnit;
  /** A metric whose name says rate: a bare number is a fraction up to 1 and a percentage above. */
  isRate?: boolean;
  /** A number of steps: no share, no time and no money. */
  isCount?: boolean;
  /** Set while steps that count are still running: the value may end anywhere up to here. */
  upTo?: number;
  /** How it was found, for people: `coverage 71.3 %`, or just the number. */
  label: string;
}

export type Value =
  | NumberValue
  | { kind: 'boolean'; value: boolean; because: string[] }
  | { kind: 'text'; value: string; label: string }
  | { kind: 'list'; items: Value[]; label: string }
  /** Nobody knows (yet). */
  | { kind: 'unknown'; because: string[] };

const timeUnits: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  sec: 1_000,
  seconds: 1_000,
  min: 60_000,
  minutes: 60_000,
  m: 60_000,
  h: 3_600_000,
  hours: 3_600_000,
};

/** A metric as reported to a value; `name` is the name the condition uses. */
export function valueOfMetric(name: string, metric: MetricValue): Value {
  if (typeof metric === 'boolean') return { kind: 'boolean', value: metric, because: [`${name} is ${metric}`] };
  const kind = metricKindOf(name);
  const isRate = kind === 'rate' ? { isRate: true } : {};
  if (typeof metric === 'number') {
    if (!Number.isFinite(metric)) return { kind: 'unknown', because: [`${name} is not a number`] };
    const unit: ConditionUnit | undefined = kind === 'time' ? 'ms' : kind === 'money' ? 'usd' : undefined;
    const value: NumberValue = { kind: 'number', value: metric, ...(unit === undefined ? {} : { unit }), ...isRate, label: '' };
    return { ...value, label: `${name} ${isRate.isRate === true ? describeRate(metric) : describeNumber(metric, unit)}` };
  }
  const { value, unit } = metric;
  if (!Number.isFinite(value)) return { kind: 'unknown', because: [`${name} is not a number`] };
  const read = readUnit(value, unit);
  if (read === undefined) {
    return { kind: 'number', value, ...isRate, label: `${name} ${describeNumber(value)} ${unit}` };
  }
  return { kind: 'number', ...read, label: `${name} ${describeNumber(read.value, read.unit)}` };
}

/** A number with its declared unit, in the units of conditions. */
function readUnit(value: number, unit: string): { value: number; unit: ConditionUnit } | undefined {
  const name = unit.trim().toLowerCase();
  if (name === '%' || name === 'percent') return { value, unit: 'percent' };
  if (name === 'fraction' || name === 'ratio') return { value: value * 100, unit: 'percent' };
  if (name === '$' || name === 'usd') return { value, unit: 'usd' };
  const ms = Object.hasOwn(timeUnits, name) ? timeUnits[name] : undefined;
  return ms === undefined ? undefined : { value: value * ms, unit: 'ms' };
}

/** A bare number as a percentage: above 1 it is one, up to 1 it is a fraction. */
export function readAsPercent(value: number): number {
  return Math.abs(value) > 1 ? value : roundOff(value * 100);
}

/** `71.3 %`, `512 ms`, `$2.5`, `3`. */
export function describeNumber(value: number, unit?: ConditionUnit): string {
  const text = String(roundOff(value));
  if (unit === 'percent') return `${text} %`;
  if (unit === 'ms') return `${text} ms`;
  return unit === 'usd' ? `$${text}` : text;
}

/** A bare rate with the reading that was chosen: `0.713 (read as 71.3 %)`. */
function describeRate(value: number): string {
  return `${describeNumber(value)} (read as ${describeNumber(readAsPercent(value), 'percent')})`;
}

/** Away with the noise of binary fractions: 0.07 · 100 is 7. */
function roundOff(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(12));
}
