import fc from 'fast-check';
import { Chooser } from '../../test/support/random-workflow';
import { inputNames, metricNames, printCondition, randomConditions } from '../../test/support/random-condition';
import type { MetricValue } from '../contract/agent-document';
import { parseCondition } from '../dsl/condition-parser';
import type { Condition } from './condition';
import { type ConditionScope, evaluateCondition, type ScopeStep } from './evaluate';

/**
 * What a condition means, said a second time and as plainly as can be, from the description of the language alone: a value is
 * `undefined` where nobody knows, and a number has the unit it is in, `''` for none.
 */
type Known = boolean | string | Num | Known[] | Listed;
interface Num {
  from: number;
  /** Above `from` while steps are running that may still count. */
  to: number;
  unit: '' | '%' | 'ms' | '$';
  isCount: boolean;
  isRate: boolean;
}
interface Listed {
  items: (Known | undefined)[];
}
type Maybe = Known | undefined;

const num = (value: number, unit: Num['unit'] = '', isRate = false): Num => ({ from: value, to: value, unit, isCount: false, isRate });
const isNum = (value: Maybe): value is Num => typeof value === 'object' && 'from' in value;
const isListed = (value: Maybe): value is Listed => typeof value === 'object' && 'items' in value;
const unitNames = { percent: '%', ms: 'ms', usd: '$' } as const;
const rates = ['coverage', 'error_rate'];
const times = ['latency', 'p99'];

function meaning(node: Condition, scope: ConditionScope): Maybe {
  const of = (part: Condition): Maybe => meaning(part, scope);
  switch (node.op) {
    case 'literal':
      return typeof node.value === 'number' ? num(node.value, node.unit === undefined ? '' : unitNames[node.unit]) : node.value;
    case 'list':
      return { items: node.items.map(of) };
    case 'metric': {
      const others = scope.steps.filter((step) => step !== scope.own);
      return firstReport(node.name, scope.own === undefined ? others : [scope.own, ...others]);
    }
    case 'stepMetric': {
      const step = scope.findStep(node.step);
      return step === undefined ? undefined : firstReport(node.name, [step]);
    }
    case 'input':
      return fromInput(scope.inputs[node.name]);
    case 'not': {
      const arg = of(node.arg);
      return typeof arg === 'boolean' ? !arg : undefined;
    }
    case 'and':
    case 'or': {
      const parts = node.args.map(of);
      const decides = node.op === 'or';
      if (parts.includes(decides)) return decides;
      return parts.every((part) => part === !decides) ? !decides : undefined;
    }
    case 'negate':
      return calculated('-', num(0), of(node.arg));
    case '+':
    case '-':
    case '*':
    case '/':
      return calculated(node.op, of(node.left), of(node.right));
    case 'in': {
      const [left, right] = [of(node.left), of(node.right)];
      const items = isListed(right) ? right.items : [right];
      if (left !== undefined && items.some((item) => compared('==', left, item) === true)) return true;
      return left === undefined || items.includes(undefined) ? undefined : false;
    }
    case 'count':
      return counted(node.of, settledFirst(scope));
    case 'aggregate':
      return aggregated(node.fn, node.metric, settledFirst(scope));
    case 'quantifier':
      return quantified(node.name, scope);
    case 'predicate': {
      const step = scope.findStep(node.target);
      return step === undefined ? undefined : isSo(node.name, step);
    }
    default:
      return compared(node.op, of(node.left), of(node.right));
  }
}

function firstReport(name: string, steps: readonly ScopeStep[]): Maybe {
  const aliases = times.includes(name) ? [name, ...times] : [name];
  for (const { metrics } of steps) {
    const found = aliases.find((alias) => alias in metrics);
    if (found !== undefined) return fromMetric(name, metrics[found] ?? false);
  }
  return undefined;
}

function fromMetric(name: string, metric: MetricValue): Maybe {
  if (typeof metric === 'boolean') return metric;
  if (typeof metric === 'number') return num(metric, times.includes(name) ? 'ms' : name === 'cost_usd' ? '$' : '', rates.includes(name));
  const { value, unit } = metric;
  if (unit === '%') return num(value, '%');
  if (unit === 'fraction') return num(value * 100, '%');
  return unit === 's' ? num(value * 1_000, 'ms') : num(value, '', rates.includes(name));
}

function fromInput(value: unknown): Maybe {
  if (typeof value === 'number') return num(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  return Array.isArray(value) ? { items: value.map(fromInput) } : undefined;
}

const asPercent = (value: number): number => (Math.abs(value) > 1 ? value : value * 100);
const settled = (value: Num): Num => (value.isRate && value.unit === '' ? num(asPercent(value.from), '%') : value);

function calculated(op: '+' | '-' | '*' | '/', left: Maybe, right: Maybe): Maybe {
  if (!isNum(left) || !isNum(right) || left.to > left.from || right.to > right.from) return undefined;
  const [a, b] = [settled(left), settled(right)];
  const results = { '+': a.from + b.from, '-': a.from - b.from, '*': a.from * b.from, '/': a.from / b.from };
  let value = results[op];
  let unit: Num['unit'] | undefined;
  if (op === '+' || op === '-') {
    const isZero = (side: Num): boolean => side.unit === '' && side.from === 0;
    unit = a.unit === b.unit ? a.unit : isZero(a) ? b.unit : isZero(b) ? a.unit : undefined;
  } else if (op === '/') {
    unit = b.unit === '' ? a.unit : a.unit === b.unit ? '' : undefined;
  } else if (a.unit === '' || b.unit === '') {
    unit = a.unit === '' ? b.unit : a.unit;
  } else if (a.unit === '%' || b.unit === '%') {
    // A share of something.
    unit = a.unit === '%' ? b.unit : a.unit;
    value = results['*'] / 100;
  }
  return unit === undefined || !Number.isFinite(value) ? undefined : num(value, unit);
}

function compared(op: '==' | '!=' | '<' | '<=' | '>' | '>=', left: Maybe, right: Maybe): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (!isNum(left) || !isNum(right)) {
    if (typeof left === 'object' || typeof left !== typeof right || (op !== '==' && op !== '!=')) return undefined;
    return (left === right) === (op === '==');
  }
  const isShare = [left, right].some((side) => side.unit === '%' || side.isRate);
  const wanted = isShare ? '%' : left.unit === '' ? right.unit : left.unit;
  if ([left, right].some((side) => side.unit !== wanted && (side.unit !== '' || side.isCount))) return undefined;
  // A count that may still grow ends anywhere up to its most: what holds at both ends, and at the other side between them, is decided.
  const spread = (side: Num, other: Num): number[] => {
    if (side.to === side.from) return [side.unit === '' && wanted === '%' ? asPercent(side.from) : side.from];
    return [side.from, side.to, ...(other.from >= side.from && other.from <= side.to ? [other.from] : [])];
  };
  const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  const tests = {
    '==': isSame,
    '!=': (a: number, b: number) => !isSame(a, b),
    '<': (a: number, b: number) => a < b && !isSame(a, b),
    '<=': (a: number, b: number) => a < b || isSame(a, b),
    '>': (a: number, b: number) => a > b && !isSame(a, b),
    '>=': (a: number, b: number) => a > b || isSame(a, b),
  };
  const found = new Set(spread(left, right).flatMap((a) => spread(right, left).map((b) => tests[op](a, b))));
  return found.size === 1 ? [...found][0] : undefined;
}

/** A result that is not there yet is not spoken of. */
function settledFirst({ own, steps }: ConditionScope): ScopeStep[] {
  const others = steps.filter((step) => step !== own);
  return own === undefined || own.outcome === 'pending' ? others : [own, ...others];
}

function isSo(predicate: 'passed' | 'approved' | 'failed' | 'skipped', { outcome, verdict }: ScopeStep): boolean | undefined {
  if (outcome === 'pending') return undefined;
  return predicate === 'approved' ? outcome === 'passed' && (verdict ?? 'approved') === 'approved' : outcome === predicate;
}

function counted(predicate: 'passed' | 'approved' | 'failed' | 'skipped', steps: readonly ScopeStep[]): Num {
  const answers = steps.map((step) => isSo(predicate, step));
  const from = answers.filter((answer) => answer === true).length;
  return { ...num(from), isCount: true, to: from + answers.filter((answer) => answer === undefined).length };
}

function aggregated(fn: 'sum' | 'avg' | 'min' | 'max', name: string, steps: readonly ScopeStep[]): Maybe {
  if (steps.some((step) => step.outcome === 'pending')) return undefined;
  const reports = steps.map((step) => firstReport(name, [step])).filter((report) => report !== undefined);
  if (reports.length === 0 || !reports.every(isNum)) return undefined;
  const values = reports.map(settled);
  const unit = values[0]?.unit ?? '';
  if (values.some((value) => value.unit !== unit)) return undefined;
  const numbers = values.map((value) => value.from).sort((a, b) => a - b);
  const total = values.reduce((sum, value) => sum + value.from, 0);
  const result = { sum: total, avg: total / numbers.length, min: numbers[0] ?? 0, max: numbers.at(-1) ?? 0 }[fn];
  return num(result, unit);
}

function quantified(name: Extract<Condition, { op: 'quantifier' }>['name'], scope: ConditionScope): boolean | undefined {
  const steps = settledFirst(scope);
  const isReview = ({ taskType, role, id }: ScopeStep): boolean =>
    ['CodeReview', 'SecurityAudit'].includes(taskType) || role === 'security' || role.startsWith('code-reviewer') || id.includes('review');
  const kleene = (answers: (boolean | undefined)[], decides: boolean): boolean | undefined =>
    answers.includes(decides) ? decides : answers.includes(undefined) ? undefined : !decides;
  const all = (predicate: 'passed' | 'approved', chosen: ScopeStep[], decides = false): boolean | undefined => {
    const spoken = chosen.filter((step) => step.outcome !== 'skipped');
    return spoken.length === 0
      ? undefined
      : kleene(
          spoken.map((step) => isSo(predicate, step)),
          decides,
        );
  };
  switch (name) {
    case 'all_passed':
    case 'all_approved':
      return all(name === 'all_passed' ? 'passed' : 'approved', steps);
    case 'any_passed':
    case 'any_approved':
      return all(name === 'any_passed' ? 'passed' : 'approved', steps, true);
    case 'all_tests_pass':
      return all(
        'passed',
        steps.filter((step) => step.taskType === 'Testing'),
      );
    case 'all_reviews_approved':
      return all('approved', steps.filter(isReview));
    case 'none_failed': {
      const failed = kleene(
        steps.map((step) => isSo('failed', step)),
        true,
      );
      return steps.length === 0 || failed === undefined ? undefined : !failed;
    }
    case 'any_error':
      return scope.sampleError === true || steps.some((step) => step.outcome === 'failed');
    case 'critical_error':
      return (
        scope.sampleError === true ||
        (scope.own === undefined ? scope.steps : [scope.own]).some((step) => step.metrics['critical_error'] === true)
      );
  }
}

const metric: fc.Arbitrary<MetricValue> = fc.oneof(
  fc.constantFrom(0, 0.25, 0.5, 1, 2, 50, 100, 500),
  fc.boolean(),
  fc.record({ value: fc.constantFrom(0, 0.25, 0.5, 1, 50, 75, 500), unit: fc.constantFrom('%', 'fraction', 's', 'points') }),
);
const step = (id: string): fc.Arbitrary<ScopeStep> =>
  fc.record({
    id: fc.constant(id),
    role: fc.constantFrom('developer', 'tester', 'code-reviewer', 'security'),
    taskType: fc.constantFrom('CodeGeneration', 'Testing', 'CodeReview'),
    outcome: fc.constantFrom('passed', 'passed', 'failed', 'skipped', 'pending'),
    verdict: fc.constantFrom(undefined, 'approved', 'rejected'),
    metrics: fc.dictionary(fc.constantFrom(...metricNames.filter((name) => name !== 'missing'), 'critical_error'), metric, { maxKeys: 6 }),
  });
const scopes: fc.Arbitrary<ConditionScope> = fc
  .record({
    a: step('a'),
    others: fc.tuple(step('b'), step('review_c')),
    hasOwn: fc.boolean(),
    inputs: fc.record(
      {
        full: fc.boolean(),
        tier: fc.constantFrom('gold', 'silver'),
        limit: fc.constantFrom(0.5, 50),
        services: fc.constant(['gold', 1, true]),
      },
      { requiredKeys: [] },
    ),
    sampleError: fc.boolean(),
  })
  .map(({ a, others, hasOwn, inputs, sampleError }) => ({
    ...(hasOwn ? { own: a } : {}),
    steps: hasOwn ? others : [a, ...others],
    findStep: (id) => [a, ...others].find((candidate) => candidate.id === id),
    findPhase: () => undefined,
    inputs,
    sampleError,
  }));

function describeValue(value: Maybe): boolean | 'unknown' {
  return typeof value === 'boolean' ? value : 'unknown';
}

test('every condition means what the plain reading of the language says', () => {
  const seen = { true: 0, false: 0, unknown: 0 };
  fc.assert(
    fc.property(randomConditions(), scopes, (condition, scope) => {
      const { value, explanation } = evaluateCondition(condition, scope);
      seen[`${value}`] += 1;
      expect(value).toBe(describeValue(meaning(condition, scope)));
      expect(explanation).not.toEqual([]);
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(seen.true, seen.false, seen.unknown)).toBeGreaterThan(100);
});

/** Errors are false until somebody reports one, so more may make them true. */
function speaksOfErrors(condition: Condition): boolean {
  return /"(any_error|critical_error)"/u.test(JSON.stringify(condition));
}

test('what is decided stays decided, whatever is reported later', () => {
  fc.assert(
    fc.property(
      randomConditions(),
      scopes,
      fc.constantFrom(...metricNames),
      fc.constantFrom(...inputNames),
      (condition, scope, name, input) => {
        fc.pre(!speaksOfErrors(condition));
        // One step alone: with more, a missing metric is looked for in the next one.
        const [alone] = scope.own === undefined ? scope.steps : [scope.own];
        const known: ConditionScope = { ...scope, own: alone, steps: [], findStep: (id) => (id === alone?.id ? alone : undefined) };
        const metrics = Object.fromEntries(
          Object.entries(alone?.metrics ?? {}).filter(([key]) => key !== name && !(times.includes(name) && times.includes(key))),
        );
        const less = alone === undefined ? undefined : { ...alone, metrics };
        const before = evaluateCondition(condition, {
          ...known,
          own: less,
          findStep: (id) => (id === less?.id ? less : undefined),
          inputs: Object.fromEntries(Object.entries(scope.inputs).filter(([key]) => key !== input)),
        });
        if (before.value !== 'unknown' && !/aggregate/u.test(JSON.stringify(condition))) {
          expect(evaluateCondition(condition, known).value).toBe(before.value);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('what is printed parses to what it was', () => {
  fc.assert(
    fc.property(randomConditions(), fc.integer({ min: 0 }), (condition, seed) => {
      const chooser = new Chooser(seed);
      const text = printCondition(condition, (count) => chooser.among(count));
      const parsed = parseCondition(text);
      expect(parsed.ok ? parsed.condition : `${text}: ${parsed.message}`).toEqual(condition);
    }),
    { numRuns: 2_000 },
  );
});
