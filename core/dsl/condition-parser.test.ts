import fc from 'fast-check';
import type { Condition } from '../plan/condition';
import { walkCondition } from '../plan/condition-children';
import { parseCondition } from './condition-parser';

/** The AST in prefix notation: short, and unambiguous. */
function show(node: Condition): string {
  switch (node.op) {
    case 'literal':
      return node.unit === undefined ? JSON.stringify(node.value) : `${String(node.value)}:${node.unit}`;
    case 'list':
      return `[${node.items.map(show).join(' ')}]`;
    case 'metric':
    case 'quantifier':
      return node.op === 'quantifier' ? `?${node.name}` : node.name;
    case 'stepMetric':
      return `${node.step}->${node.name}`;
    case 'input':
      return `$${node.name}`;
    case 'predicate':
      return `${node.name}{${node.target}}`;
    case 'count':
      return `count{${node.of}}`;
    case 'aggregate':
      return `${node.fn}{${node.metric}}`;
    case 'not':
    case 'negate':
      return `(${node.op} ${show(node.arg)})`;
    case 'and':
    case 'or':
      return `(${node.op} ${node.args.map(show).join(' ')})`;
    default:
      return `(${node.op} ${show(node.left)} ${show(node.right)})`;
  }
}

test.each([
  ['tests_passing && coverage > 85%', '(and tests_passing (> coverage 85:percent))'],
  ['error_rate > 1% or p99_latency > 500ms', '(or (> error_rate 1:percent) (> p99_latency 500:ms))'],
  ['all_tests_pass && all_reviews_approved', '(and ?all_tests_pass ?all_reviews_approved)'],
  ['a or b and c', '(or a (and b c))'],
  ['a and b and c or d', '(or (and a b c) d)'],
  ['(a or b) and c', '(and (or a b) c)'],
  ['not a == b', '(not (== a b))'],
  ['!a == b', '(== (not a) b)'],
  ['1 + 2 * -3 - 4', '(- (+ 1 (* 2 (negate 3))) 4)'],
  ['x in (1, 2)', '(in x [1 2])'],
  ['x in [\'a\', "b",]', '(in x ["a" "b"])'],
  ['steps.7d_test.coverage >= 80 %', '(>= 7d_test->coverage 80:percent)'],
  ['steps["code-review"].coverage > 0', '(> code-review->coverage 0)'],
  ['passed(7a_review) and approved("code-review")', '(and passed{7a_review} approved{code-review})'],
  ['count(approved) >= 2', '(>= count{approved} 2)'],
  ['avg(coverage) > 1.5h', '(> avg{coverage} 5400000:ms)'],
  ['d < 1h30m and d > PT1H', '(and (< d 5400000:ms) (> d 3600000:ms))'],
  ['cost < $2.50 + $1', '(< cost (+ 2.5:usd 1:usd))'],
  ['x == 10 min', '(== x 600000:ms)'],
  ['inputs.full == true', '(== $full true)'],
  ['steps > 3', '(> steps 3)'],
  ['größe > 3', '(> größe 3)'],
])('%s', (text, expected) => {
  const parsed = parseCondition(text);
  expect(parsed.ok ? show(parsed.condition) : parsed.message).toBe(expected);
});

test.each([
  ['', 'the condition is empty', 0],
  ['a >', 'the condition ends too early', 3],
  ['a = 3', '`=` is not expected here', 2],
  ['a && b &', '`&` is not expected here', 7],
  ['(a', '`)` is expected here', 2],
  ['a b', '`b` is not expected here', 2],
  ['1 < a < 3', 'comparisons do not chain', 6],
  ['5parsecs > 1', '`5parsecs` is no number with a unit', 0],
  ["a == 'b", 'the quoted text does not end', 5],
  ['count(reviewed) > 1', 'count takes passed, approved, failed or skipped', 6],
  ['max(a, b) > 1', '`)` is expected here', 5],
  ['foo(a)', 'there is no function `foo`', 0],
  ['and b', '`and` is not expected here', 0],
  ['a @ b', '`@` is not expected here', 2],
  ['$ > 1', 'an amount is expected after `$`', 0],
])('%s: %s', (text, message, start) => {
  const parsed = parseCondition(text);
  expect(parsed.ok ? 'parsed' : [parsed.message, parsed.start]).toEqual([message, start]);
});

test('nesting and size are limited; chains of one operator are not nesting', () => {
  const messageOf = (text: string): string => {
    const parsed = parseCondition(text);
    return parsed.ok ? 'parsed' : parsed.message;
  };
  expect(messageOf(`${'('.repeat(64)}a${')'.repeat(64)}`)).toBe('parsed');
  expect(messageOf(`${'('.repeat(65)}a${')'.repeat(65)}`)).toContain('deeper than 64');
  expect(messageOf('!'.repeat(65) + 'a')).toContain('deeper than 64');
  expect(messageOf(Array(400).fill('a').join(' and '))).toBe('parsed');
  expect(messageOf(Array(1_001).fill('a').join(' or '))).toContain('more than 1000');
  expect(messageOf(Array(100).fill('1').join(' + '))).toContain('deeper than 64');
});

test('any text parses or is refused with a place inside it', () => {
  const pieces = [
    'a',
    'coverage',
    '85%',
    '(',
    ')',
    '&&',
    'or',
    'not',
    '!',
    '>',
    '==',
    'in',
    '[',
    ',',
    ']',
    'steps.',
    'passed(',
    "'x'",
    '$2',
    '1h',
    '-',
    '.',
    '"',
  ];
  const texts = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseCondition(text);
      if (parsed.ok) {
        expect([...walkCondition(parsed.condition)].length).toBeGreaterThan(0);
        return;
      }
      expect(parsed.start).toBeGreaterThanOrEqual(0);
      expect(parsed.end).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 500 },
  );
});
