import { compileWorkflow } from '../compile';

function environmentsOf(environment: string) {
  const { plan, diagnostics } = compileWorkflow(`Workflow: w\nSteps:\n  a: {agent: devops, environment: ${environment}}\n`);
  return {
    environments: plan?.steps[0]?.environments,
    found: diagnostics.map(({ code, severity, range, hint }) => `${severity} ${code} ${range.line}:${range.column} ${hint ?? ''}`),
  };
}

test.each<[string, string[]]>([
  ['Production', ['production']],
  ['[staging, PRODUCTION]', ['staging', 'production']],
  ['"eu, production-eu"', ['eu', 'production-eu']],
  ['products', ['products']],
  ['preproduction', ['preproduction']],
  ['Staging', ['Staging']],
])('%s is %j', (written, environments) => {
  expect(environmentsOf(written)).toEqual({ environments, found: [] });
});

test.each(['prod', 'PROD', 'prodution', 'productoin'])('%s is warned of: nothing done there is rolled back', (written) => {
  expect(environmentsOf(written)).toEqual({
    environments: [written],
    found: ['warning bad_value 3:35 did you mean `production`?'],
  });
});
