import { compileWorkflow, type CompileResult } from './compile';
import { limits } from './limits';
import { renderDiagnostics } from './render';

/** What a text within the limits may cost, against as many plain steps in the same process: see "Hostile input" in the design. */
const mostTimesThePlain = 6;

const repeat = (count: number, textOf: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => textOf(index)).join('');
const workflow = (keys: string, steps: string): string => `Workflow: w\n${keys}\nSteps: {${steps}}\n`;
const letters = Array.from('abcdefghijklmnopqrst').join();
const plainSteps = (count: number): string => repeat(count, (index) => `s${index}: {agent: tester},`);

function cpuMsOf<T>(work: () => T): { ms: number; result: T } {
  const started = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(started);
  return { ms: (user + system) / 1000, result };
}

let cpuLimitMs = 0;
beforeAll(() => {
  const plain = workflow('', plainSteps(limits.steps));
  compileWorkflow(plain);
  cpuLimitMs = mostTimesThePlain * cpuMsOf(() => compileWorkflow(plain)).ms;
});

function compileInTime(text: string): CompileResult {
  expect(text.length).toBeLessThanOrEqual(limits.textBytes);
  const { ms, result } = cpuMsOf(() => compileWorkflow(text));
  expect(ms).toBeLessThan(cpuLimitMs);
  return result;
}

function errorsOf({ plan, diagnostics }: CompileResult): string[] {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  expect(plan === null).toBe(errors.length > 0);
  return [...new Set(errors)];
}

describe('a short text that asks for much work', () => {
  test.each<[string, string]>([
    ['tasks', `tasks: [${'a,'.repeat(150_000)}]`],
    ['dependencies', `depends_on: [${'s1,'.repeat(90_000)}]`],
    ['free data', `with: [${'1,'.repeat(150_000)}]`],
    ['a comma string', `skill_match: "${'a,'.repeat(19_999)}"`],
    ['a condition', `must_pass: "${'a and '.repeat(480)}b"`],
    ['a long text', `description: "${'x'.repeat(700_000)}"`],
  ])('%s in the defaults of ten thousand steps', (_, defaults) => {
    expect(errorsOf(compileInTime(workflow(`defaults: {${defaults}}`, plainSteps(limits.steps))))).toEqual(['too_large']);
  });

  test('defaults are measured in TOML too', () => {
    const text = `Workflow = "w"\n[defaults]\ntasks = [${'"a",'.repeat(2_000)}]\n${repeat(600, (index) => `[Steps.s${index}]\nagent = "a"\n`)}`;
    expect(errorsOf(compileWorkflow(text, { format: 'toml' }))).toEqual(['too_large']);
    expect(errorsOf(compileWorkflow(text.replace(/(?:"a",){1900}/u, ''), { format: 'toml' }))).toEqual([]);
  });

  test('defaults as large as can be', () => {
    const defaults = `defaults: {must_pass: "${'a||'.repeat(28)}b"}`;
    expect(compileInTime(workflow(defaults, plainSteps(limits.steps))).plan?.steps).toHaveLength(limits.steps);
  });

  test.each<[string, string, string[]]>([
    [
      'a large group of approvers, named again and again',
      workflow(
        `approvers: {g: [${repeat(60_000, (person) => `p${person},`)}]}`,
        `a: {agent: t, approval: {quorum: 2, approvers: [${'g,'.repeat(60_000)}]}}`,
      ),
      [],
    ],
    [
      'a large group of approvers for every step',
      workflow(
        `approvers: {g: [${repeat(100_000, (person) => `p${person},`)}]}\ndefaults: {approval: {approvers: [g], quorum: 900}}`,
        plainSteps(limits.steps),
      ),
      [],
    ],
    [
      'a role that must approve, named again and again',
      workflow(`approval_required_at: [${'tester,'.repeat(100_000)}]`, plainSteps(9_000)),
      [],
    ],
    [
      'one artifact that a chain of steps hands on',
      workflow(
        '',
        repeat(limits.steps, (step) => `s${step}: {agent: t, output: o, input: o${step === 0 ? '' : `, depends_on: s${step - 1}`}},`),
      ),
      [],
    ],
    [
      'one artifact by ten thousand extensions',
      workflow(
        '',
        repeat(limits.steps, (step) => `s${step}: {agent: t, output: o.${step}, input: o},`),
      ),
      [],
    ],
    [
      'twenty artifacts that every step produces and reads, after one that all wait for',
      workflow(
        `defaults: {output: "${letters}", input: "${letters}"}`,
        repeat(limits.steps, (step) => `s${step}: {agent: t${step === 0 ? '' : ', depends_on: s0'}},`),
      ),
      [],
    ],
    [
      'the same in a serial phase',
      `workflow: {id: w, defaults: {output: "${letters}", input: "${letters}"}, phases: {p: {serial: true, steps: {${plainSteps(limits.steps)}}}}}`,
      [],
    ],
    [
      'many artifacts that many steps produce',
      workflow(
        '',
        repeat(300, (step) => `s${step}: {agent: t, output: [${repeat(300, (n) => `o${n},`)}], input: [${repeat(300, (n) => `o${n},`)}]},`),
      ),
      [],
    ],
    [
      'one dependency, written again and again',
      workflow('', `${plainSteps(9_000)}z: {agent: t, depends_on: [${repeat(9_000, (step) => `s${step},`)}${'s8999,'.repeat(90_000)}]}`),
      [],
    ],
    [
      'one claim, written again and again',
      workflow(
        '',
        `${plainSteps(5_000)}z: {agent: t, depends_on: [${repeat(5_000, (step) => `s${step},`)}], parallel_with: [${repeat(5_000, (step) => `s${step},`)}${'s4999,'.repeat(90_000)}]}`,
      ),
      [],
    ],
    [
      'thousands of security steps that share a dependency',
      workflow('', `d: {agent: t},${repeat(9_000, (step) => `s${step}: {agent: security, depends_on: d, security_required: true},`)}`),
      ['too_large'],
    ],
    [
      'thousands of deployments and of monitors after none of them',
      workflow(
        '',
        `${repeat(4_900, (step) => `d${step}: {agent: devops, action: deploy},`)}${repeat(4_900, (step) => `m${step}: {agent: monitor, duration: 1h, auto_rollback_if: any_error},`)}`,
      ),
      ['rollback_without_deploy', 'too_many_diagnostics'],
    ],
    [
      'thousands of phases that name a later one',
      `workflow: {id: w, phases: {${repeat(9_000, (phase) => `p${phase}: {overlap: true, steps: {s${phase}: {agent: t, depends_on: [s8999]}}},`)}}}`,
      ['self_dependency'],
    ],
    [
      'quantifiers over thousands of steps',
      workflow(
        '',
        `${repeat(4_000, (step) => `d${step}: {agent: developer, phase: p},`)}${repeat(95, (step) => `s${step}: {agent: developer, phase: q, depends_on: p, requires: "${'all_tests_pass and '.repeat(450)}all_reviews_approved"},`)}`,
      ),
      [],
    ],
  ])('%s', (_, text, expected) => {
    expect(errorsOf(compileInTime(text))).toEqual(expected);
  });
});

describe('a short text that asks for a long report', () => {
  const id = 'a'.repeat(300_000);
  const longId = `Workflow: w\nSteps:\n  ? ${id}\n  : {agent: b, depends_on: [${id}, ${repeat(5_000, (step) => `"q${step}",`)}], security_required: true}\n`;
  const longLine = workflow(
    '',
    repeat(1_500, (step) => `s${step}: {agent: developer, retry: x, x-pad: "${'y'.repeat(600)}"},`),
  );

  test.each([
    ['an id of 300,000 characters', longId],
    ['a thousand mistakes in one line of a mebibyte', longLine],
  ])('%s', (_, text) => {
    const { diagnostics } = compileInTime(text);
    expect(JSON.stringify(diagnostics).length).toBeLessThan(1_000_000);
    const started = process.cpuUsage();
    expect(renderDiagnostics(diagnostics, { fileName: 'f.yaml', text }).length).toBeLessThan(1_000_000);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(cpuLimitMs);
  });

  test('a character of two halves is not cut in two', () => {
    const { diagnostics } = compileWorkflow(`Workflow: w\nSteps:\n  ? ${'😀'.repeat(limits.message)}\n  : {agent: b}\n`);
    expect(JSON.stringify(diagnostics)).not.toMatch(/\\ud83d/u);
  });
});
