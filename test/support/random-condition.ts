import fc from 'fast-check';
import { type Condition, predicates, quantifiers } from '../../core/plan/condition';

/** Names that a random condition speaks of, so that a scope can be made to answer. */
export const stepIds = ['a', 'b', 'review_c', 'gone'] as const;
export const metricNames = [
  'coverage',
  'error_rate',
  'latency',
  'p99',
  'cost_usd',
  'score',
  'risk',
  'tests_passing',
  'mitigated',
  'missing',
] as const;
export const inputNames = ['full', 'tier', 'limit', 'services', 'absent'] as const;

/**
 * Literals are chosen so that doubles are exact (halves and quarters): what a condition means must not hang on rounding. Between
 * one and a hundred bare numbers would be read as percentages beside a rate, and below as fractions: both occur.
 */
const literals: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom(0, 0.25, 0.5, 1, 2, 4, 25, 50, 75, 100, 500).map((value) => ({ op: 'literal' as const, value })),
  fc.constantFrom(0, 25, 50, 75, 100).map((value) => ({ op: 'literal' as const, value, unit: 'percent' as const })),
  fc.constantFrom(0, 250, 500, 1_000, 60_000).map((value) => ({ op: 'literal' as const, value, unit: 'ms' as const })),
  fc.constantFrom(0, 0.5, 2, 16).map((value) => ({ op: 'literal' as const, value, unit: 'usd' as const })),
  fc.constantFrom('gold', 'silver', '', "it's").map((value) => ({ op: 'literal' as const, value })),
  fc.boolean().map((value) => ({ op: 'literal' as const, value })),
);

const leaves: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: literals },
  { weight: 4, arbitrary: fc.constantFrom(...metricNames).map((name) => ({ op: 'metric' as const, name })) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('stepMetric' as const),
      step: fc.constantFrom(...stepIds),
      name: fc.constantFrom(...metricNames),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...inputNames).map((name) => ({ op: 'input' as const, name })) },
  { weight: 2, arbitrary: fc.constantFrom(...quantifiers).map((name) => ({ op: 'quantifier' as const, name })) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('predicate' as const),
      name: fc.constantFrom(...predicates),
      target: fc.constantFrom(...stepIds),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...predicates).map((of) => ({ op: 'count' as const, of })) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('aggregate' as const),
      fn: fc.constantFrom('sum', 'avg', 'min', 'max'),
      metric: fc.constantFrom(...metricNames),
    }),
  },
);

/**
 * Any condition, in the parser's normal form: the first part of an `and` is no `and` itself (a chain is one node), and likewise
 * `or`.
 */
export function randomConditions(): fc.Arbitrary<Condition> {
  return fc.letrec<{ node: Condition }>((tie) => {
    const node = tie('node');
    const binary = (...operators: ('==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | 'in')[]): fc.Arbitrary<Condition> =>
      fc.record({ op: fc.constantFrom(...operators), left: node, right: node });
    const connected = fc
      .record({ op: fc.constantFrom('and' as const, 'or' as const), args: fc.array(node, { minLength: 2, maxLength: 4 }) })
      .filter(({ op, args }) => args[0]?.op !== op);
    return {
      node: fc.oneof(
        { maxDepth: 5, depthSize: 'small' },
        leaves,
        connected,
        binary('==', '!=', '<', '<=', '>', '>='),
        binary('+', '-', '*', '/'),
        binary('in'),
        fc.record({ op: fc.constantFrom('not' as const, 'negate' as const), arg: node }),
        fc.array(node, { maxLength: 3 }).map((items) => ({ op: 'list' as const, items })),
      ),
    };
  }).node;
}

/** The condition as somebody might write it: spellings and needless parentheses are up to `chooser`. */
export function printCondition(condition: Condition, choose: (count: number) => number): string {
  const print = (node: Condition): string => printCondition(node, choose);
  const space = ['', ' ', '  '][choose(3)] ?? '';
  const inner = (node: Condition): string => (isAtom(node) && choose(3) > 0 ? print(node) : `(${space}${print(node)}${space})`);
  switch (condition.op) {
    case 'literal':
      return printLiteral(condition, choose);
    case 'list':
      return `[${condition.items.map(print).join(', ')}]`;
    case 'metric':
    case 'quantifier':
      return condition.name;
    case 'stepMetric':
      return choose(2) === 0 ? `steps.${condition.step}.${condition.name}` : `steps["${condition.step}"].${condition.name}`;
    case 'input':
      return `inputs.${condition.name}`;
    case 'predicate':
      return choose(2) === 0 ? `${condition.name}(${condition.target})` : `${condition.name}('${condition.target}')`;
    case 'count':
      return `count(${condition.of})`;
    case 'aggregate':
      return `${condition.fn}(${condition.metric})`;
    case 'not':
      return choose(2) === 0 ? `!${inner(condition.arg)}` : `not ${inner(condition.arg)}`;
    case 'negate':
      return `-${inner(condition.arg)}`;
    case 'and':
      return condition.args.map(inner).join(choose(2) === 0 ? ' and ' : '&&');
    case 'or':
      return condition.args.map(inner).join(choose(2) === 0 ? ' or ' : '||');
    case 'in':
      return `${inner(condition.left)} in ${inner(condition.right)}`;
    default:
      return `${inner(condition.left)} ${condition.op} ${inner(condition.right)}`;
  }
}

function isAtom({ op }: Condition): boolean {
  return ['literal', 'list', 'metric', 'stepMetric', 'input', 'quantifier', 'predicate', 'count', 'aggregate'].includes(op);
}

function printLiteral({ value, unit }: Extract<Condition, { op: 'literal' }>, choose: (count: number) => number): string {
  if (typeof value === 'string') return value.includes("'") || choose(2) === 0 ? `"${value}"` : `'${value}'`;
  if (unit === 'percent') return `${value}${choose(2) === 0 ? '%' : ' %'}`;
  if (unit === 'usd') return `$${value}`;
  if (unit !== 'ms') return String(value);
  return typeof value === 'number' && value % 1_000 === 0 && choose(2) === 0 ? `${value / 1_000} s` : `${value}ms`;
}
