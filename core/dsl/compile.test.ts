import { planHashOf } from '../../db/hash';
import { compileWorkflow } from './compile';

const stepOf = (keys: string, rest = ''): ReturnType<typeof compileWorkflow> =>
  compileWorkflow(`Workflow: w\n${rest}Steps:\n  before: {agent: architect}\n  it: {depends_on: before, ${keys}}\n`);
const it = (keys: string, rest = '') => stepOf(keys, rest).plan?.steps.find(({ id }) => id === 'it');

describe('with a registry', () => {
  const text =
    'Workflow: w\nSteps:\n  a: {agent: developer-frontend}\n  b: {agent: tester-007}\n  c: {agent: marketer}\n  d: {agent: ana}\n  e: {agent: devopss}\n  f: {agent: tester-008}\n';
  const registry = { roles: ['developer', 'tester', 'devops'], agentIds: ['tester-007', 'ana'] };

  test('roles fall back along their hyphens; unknown roles and agents are errors', () => {
    const { diagnostics } = compileWorkflow(text, registry);
    expect(diagnostics.map(({ code, range, hint }) => [code, range.line, hint])).toEqual([
      ['unknown_role', 5, 'the registry has developer, tester, devops'],
      ['unknown_role', 7, 'did you mean `devops`?'],
      ['unknown_role', 8, 'did you mean `tester-007`?'],
    ]);
  });

  test('an agent of any role takes them all', () => {
    expect(compileWorkflow(text.replace(/ {2}f:.*\n/u, ''), { ...registry, roles: ['*'] }).diagnostics).toEqual([]);
  });

  test('it judges, it does not change the plan', () => {
    const plain = 'Workflow: w\nSteps:\n  a: {agent: tester-007}\n  d: {agent: ana}\n';
    const [alone, judged] = [compileWorkflow(plain).plan, compileWorkflow(plain, registry).plan];
    expect(alone && planHashOf(alone)).toBe(judged && planHashOf(judged));
    expect(alone?.steps[0]).toMatchObject({ role: 'tester', agentId: 'tester-007' });
  });
});

test.each([
  ['Architect', 'architect'],
  ['ProjectManager', 'project-manager'],
  ['DevOps', 'devops'],
  ['Code Reviewer', 'code-reviewer'],
  ['developer_backend', 'developer-backend'],
  ['QAEngineer', 'qa-engineer'],
])('the role %s is %s', (written, role) => {
  expect(it(`agent: ${written}`)?.role).toBe(role);
});

test.each<[string, string, object]>([
  ['a default', 'agent: developer', { retry: { attempts: 2 }, priority: 'high', timeoutMs: 1_800_000 }],
  ['a step that says otherwise', 'agent: developer, retry: 5, timeout: 1h', { retry: { attempts: 5 }, timeoutMs: 3_600_000 }],
  ['another key for the same thing', 'agent: developer, low_priority: true', { priority: 'low' }],
  ['a step of its own role', 'agent: tester', { role: 'tester' }],
  ['a step without a role', 'title: Anything', { role: 'security' }],
])('defaults: %s', (_, keys, expected) => {
  expect(it(keys, 'defaults: {retry: 2, timeout: 30min, priority: high, role: security}\n')).toMatchObject(expected);
});

test('a mistake in the defaults is reported once', () => {
  const { diagnostics } = compileWorkflow('Workflow: w\ndefaults: {timeout: 5}\nSteps: {a: {agent: x}, b: {agent: x}, c: {agent: x}}\n');
  expect(diagnostics.map(({ code }) => code)).toEqual(['bad_unit']);
});

test.each([
  ['agent: decision-maker, action: approve_release', 'after'],
  ['agent: decision-maker, action: decide', undefined],
  ['agent: decision-maker, action: approve_release, approval_required: false', undefined],
  ['agent: tester, action: approve_release', undefined],
  ['agent: devops, action: deploy, approval_required: true', 'before'],
  ['agent: code-reviewer, action: merge_to_main, approval_required: true', 'before'],
  ['agent: devops, environment: staging, approval: {when: after}', 'after'],
  ['agent: architect, approval: before', 'before'],
])('approval of {%s}: %s', (keys, when) => {
  expect(it(keys)?.approval?.when).toBe(when);
});

test.each([
  ['agent: developer, action: deploy_all', true],
  ['agent: devops, environment: staging', true],
  ['agent: devops, strategy: rolling', true],
  ['agent: tester, environment: staging', false],
  ['agent: code-reviewer-backend, environment: staging', false],
  ['agent: developer, action: undeploy', false],
])('{%s} deploys: %s', (keys, deploys) => {
  expect(it(keys)?.deploys).toBe(deploys);
});

test('a number of steps is no percentage', () => {
  const { diagnostics } = stepOf('agent: tester, count: 3, must_pass: "count(approved) >= 50%"');
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'condition_type: a number of steps cannot be compared with a percentage',
  ]);
});

test('an input comes from the last producer before the step', () => {
  const { plan, diagnostics } = compileWorkflow(
    'Workflow: w\nSteps:\n  z: {agent: a, depends_on: y, input: doc}\n  x: {agent: a, output: doc.md}\n  y: {agent: a, depends_on: x, input: doc.md, output: doc.md}\n',
  );
  expect(diagnostics).toEqual([]);
  expect(plan?.steps.map(({ id, inputs }) => [id, inputs[0]?.from])).toEqual([
    ['x', undefined],
    ['y', 'x'],
    ['z', 'y'],
  ]);
});
