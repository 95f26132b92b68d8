import { compileWorkflow } from '../compile';

const compile = (taskType: string) => compileWorkflow(`Workflow: w\nSteps:\n  a:\n    agent: developer\n    task_type: ${taskType}\n`);

test('a task type has at most 100 characters', () => {
  expect(compile('t'.repeat(100)).plan?.steps[0]).toMatchObject({ taskType: 't'.repeat(100) });
  expect(compile('t'.repeat(101)).diagnostics).toMatchObject([
    { code: 'bad_value', severity: 'error', message: '`task_type` has 101 characters, more than 100', range: { line: 5 } },
  ]);
});

test.each([
  ['yes', 'write `true`'],
  ['Off', 'write `false`'],
  ['"true"', 'write it without quotes: `true`'],
  ['maybe', undefined],
])('approval_required: %s', (written, hint) => {
  const { plan, diagnostics } = compileWorkflow(`Workflow: w\nSteps:\n  a:\n    agent: developer\n    approval_required: ${written}\n`);
  expect(plan).toBeNull();
  expect(diagnostics.map((diagnostic) => [diagnostic.code, diagnostic.hint])).toEqual([['bad_value', hint]]);
});
