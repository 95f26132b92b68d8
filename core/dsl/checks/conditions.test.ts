import { compileWorkflow } from '../compile';

/** Codes found in a workflow whose last step has this condition. */
function codesOf(steps: readonly string[]): string[] {
  const { diagnostics } = compileWorkflow(`Workflow: w\nSteps:\n${steps.map((step) => `  ${step}\n`).join('')}`);
  return diagnostics.filter(({ code }) => code !== 'not_built_yet').map(({ code }) => code);
}

describe('a count', () => {
  test.each([
    ['of as many steps as there are', ['a: {agent: developer}', 'b: {agent: tester, depends_on: a, requires: count(passed) >= 1}'], []],
    ['of more', ['a: {agent: developer}', 'b: {agent: tester, depends_on: a, requires: count(passed) >= 2}'], ['never_passes']],
    [
      'of steps that become many',
      ['a: {agent: developer, for_each: [1, 2, 3]}', 'b: {agent: tester, depends_on: a, requires: count(passed) >= 2}'],
      [],
    ],
  ])('%s', (_, steps, codes) => {
    expect(codesOf(steps)).toEqual(codes);
  });
});

test('a count that cannot be reached is not explained by percentages', () => {
  const { diagnostics } = compileWorkflow(
    'Workflow: w\nSteps:\n  a: {agent: developer}\n  b: {agent: tester, depends_on: a, requires: count(passed) >= 2}\n',
  );
  expect(diagnostics[0]?.hint).toMatch(/^a count goes up to the number of steps/);
});

describe('what a dependency says of a predicate', () => {
  test.each([
    ['a', 'passed(a)', []],
    ['a', 'skipped(a)', []],
    ['a', 'failed(a)', ['unreachable_step']],
    ['a', 'not failed(a)', []],
    ['{step: a, when: done}', 'failed(a)', []],
    ['{step: a, when: failed}', 'failed(a)', []],
    ['{step: a, when: failed}', 'passed(a) or skipped(a)', ['unreachable_step']],
    ['{step: a, when: passed}', 'approved(a)', []],
    ['{step: a, when: passed}', 'not passed(a)', ['unreachable_step']],
    ['{step: a, when: skipped}', 'approved(a)', ['unreachable_step']],
  ])('depends_on: %s, if: %s', (dependency, condition, codes) => {
    expect(codesOf(['a: {agent: developer}', `b: {agent: tester, depends_on: [${dependency}], if: ${condition}}`])).toEqual(codes);
  });
});

test('a condition nested in lists is read once, not once for each item', () => {
  let condition = 'coverage';
  for (let depth = 0; depth < 60; depth += 1) condition = `(${condition} in (1, 2))`;
  // Twice for each level would not end in anybody's lifetime.
  expect(codesOf([`a: {agent: tester, must_pass: "${condition}"}`])).toContain('condition_type');
});

test('a misspelt quantifier is told from a metric that nobody reports', () => {
  const { diagnostics } = compileWorkflow(
    'Workflow: w\nSteps:\n  a: {agent: tester}\n  b: {agent: developer, depends_on: a, requires: all_test_pass}\n',
  );
  expect(diagnostics.map(({ code, hint }) => `${code}: ${hint ?? ''}`)).toEqual(['unknown_metric: did you mean `all_tests_pass`?']);
});
