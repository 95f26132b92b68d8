import { compileWorkflow } from './compile';
import { limits } from './limits';

const mebibyte = 1024 * 1024;
const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const valid = 'Workflow: w\nSteps:\n  build: {agent: developer}\n';

function codesOf(text: string | Uint8Array, format: 'yaml' | 'toml' = 'yaml'): string[] {
  const { plan, diagnostics } = compileWorkflow(text, { format });
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  expect(plan === null).toBe(errors.length > 0);
  return [...new Set(errors)];
}

describe('nesting and size', () => {
  test.each<[string, string, string[]]>([
    ['lists in brackets', '['.repeat(500_000), ['too_large']],
    ['maps in braces', '{a: '.repeat(200_000), ['too_large']],
    ['lists in one line', '- '.repeat(400_000), ['too_large']],
    ['explicit keys', '? '.repeat(400_000), ['too_large']],
    ['indentation', Array.from({ length: 1_200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), ['too_large']],
    [
      'one level too many',
      `${valid}    with: ${'['.repeat(limits.depth)}${']'.repeat(limits.depth)}`.replace('{agent: developer}', '\n    agent: developer'),
      ['too_large'],
    ],
    ['empty items', '-\n'.repeat(400_000), ['too_large']],
    ['empty items in brackets', `[${','.repeat(900_000)}`, ['too_large']],
    ['more than a mebibyte', `# ${'x'.repeat(mebibyte)}`, ['too_large']],
    ['more than a mebibyte in UTF-8', `# ${'é'.repeat(mebibyte * 0.6)}`, ['too_large']],
    [
      'too many steps',
      `Workflow: w\nSteps: {${Array.from({ length: limits.steps + 1 }, (_, step) => `s${step}: {agent: a}`).join(',')}}`,
      ['too_large'],
    ],
    ['bad escapes without end', `a: "${'\\z'.repeat(500_000)}"`, ['syntax']],
    ['a quote that is never closed', `a: "${'x\n'.repeat(500_000)}`, ['syntax']],
    ['documents without end', '---\n'.repeat(200_000), ['syntax']],
    ['anchors without end', 'a: &a b\n'.repeat(100_000), ['unsupported_syntax']],
    [
      'a condition in half a million parentheses',
      `${valid}  test:\n    agent: tester\n    must_pass: ${'('.repeat(500_000)}`,
      ['condition_syntax'],
    ],
    ['a role of a mebibyte', `Workflow: w\nSteps:\n  a: {agent: ${'x-'.repeat(mebibyte / 2 - 100)}y}\n`, ['bad_id']],
    [
      'a comma string of a mebibyte',
      `Workflow: w\nSteps:\n  a:\n    agent: tester\n    input: ${'a,'.repeat(mebibyte / 2 - 100)}`,
      ['too_large'],
    ],
  ])('%s', (_, text, expected) => {
    expect(codesOf(text)).toEqual(expected);
  });

  test.each<[string, string, string[]]>([
    ['lists', `a = ${'['.repeat(500_000)}`, ['too_large']],
    ['inline tables', `a = ${'{a='.repeat(200_000)}`, ['too_large']],
    ['dotted keys', `a${'.a'.repeat(400_000)} = 1`, ['too_large']],
    ['dotted headers', `[a${'.a'.repeat(400_000)}]`, ['too_large']],
    ['values', `a = [${'1,'.repeat(250_000)}]`, ['too_large']],
    ['a string that is never closed', `a = """${'x\n'.repeat(400_000)}`, ['syntax']],
  ])('TOML: %s', (_, text, expected) => {
    expect(codesOf(text, 'toml')).toEqual(expected);
  });

  test('a phase that thousands of steps name by its id is not multiplied out without end', () => {
    const steps = (prefix: string, rest: string) =>
      Array.from({ length: 1_500 }, (_, step) => `{name: ${prefix}${step}, agent: a${rest}}`).join(',');
    const text = `workflow: {id: w, phases: {one: {steps: [${steps('a', '')}]}, two: {steps: [${steps('b', ', depends_on: one')}]}}}`;
    expect(codesOf(text)).toEqual(['too_large']);
  });
});

describe('bytes', () => {
  const encoder = new TextEncoder();
  test('a BOM and CRLF change nothing', () => {
    const plain = compileWorkflow(valid);
    expect(compileWorkflow(`\ufeff${valid.replaceAll('\n', '\r\n')}`).plan).toEqual(plain.plan);
    expect(compileWorkflow(Uint8Array.from([0xef, 0xbb, 0xbf, ...encoder.encode(valid)])).plan).toEqual(plain.plan);
    expect(compileWorkflow(`\ufeff${valid}`).sourceRanges).toEqual(plain.sourceRanges);
  });

  test('line ends inside the texts of TOML do not change the plan', () => {
    const toml = 'workflow.id = "w"\nworkflow.description = """one\ntwo"""\nworkflow.agents.build.role = "developer"\n';
    const plain = compileWorkflow(toml, { format: 'toml' });
    expect(plain.plan?.description).toBe('one\ntwo');
    const windows = toml.replaceAll('\n', '\r\n');
    expect(compileWorkflow(windows, { format: 'toml' }).plan).toEqual(plain.plan);
    expect(compileWorkflow(encoder.encode(windows), { format: 'toml' }).plan).toEqual(plain.plan);
  });

  test.each<[string, number[], string]>([
    ['a letter of Latin-1', [...encoder.encode('Workflow: w\r\n# ä'), 0xe4, 0x20], '2:4'],
    ['a character cut short at the end', [...encoder.encode('\ufeffWorkflow: w\n'), 0xc3], '2:1'],
    ['the first byte', [0xe4], '1:1'],
  ])('%s: the place of the first byte that is not UTF-8', (_, bytes, expected) => {
    const { diagnostics } = compileWorkflow(Uint8Array.from(bytes));
    expect(diagnostics.map(({ code, range }) => `${code} ${range.line}:${range.column}`)).toEqual([`encoding ${expected}`]);
  });

  test.each<[string, string, string]>([
    ['a byte order mark before a key', `${valid}\ufeff  test: {agent: tester}\n`, 'encoding 4:1'],
    ['lines that end in carriage returns only', valid.replaceAll('\n', '\r'), 'syntax 1:12'],
    ['one such line among others', valid.replace('w\n', 'w\rowner: me\n'), 'syntax 1:12'],
    ['a list as a key', 'Workflow: w\n? [a, b]\n: c\nSteps: {build: {agent: developer}}\n', 'unsupported_syntax 2:3'],
    ['a merge key', 'Workflow: w\nSteps:\n  build: {agent: developer, <<: {retry: 1}}\n', 'unsupported_syntax 3:29'],
  ])('%s is refused, not read as something else', (_, text, expected) => {
    const { diagnostics } = compileWorkflow(text);
    expect(diagnostics.map(({ code, range }) => `${code} ${range.line}:${range.column}`)).toEqual([expected]);
  });

  test('a condition that YAML takes for a tag comes with the way to write it', () => {
    const { diagnostics } = compileWorkflow('Workflow: w\nSteps:\n  a: {agent: tester, if: !failed(x)}\n');
    expect(diagnostics.map(({ code, hint }) => [code, hint])).toEqual([['unsupported_syntax', expect.stringContaining('in quotes')]]);
  });

  test('`<<` in quotes is a key like any other', () => {
    expect(
      compileWorkflow(`${valid}    with: {"<<": 1}\n`.replace('{agent: developer}', '\n    agent: developer')).plan?.steps[0]?.with,
    ).toEqual({
      '<<': 1,
    });
  });

  test('errors inside a collection come once each, and none is empty', () => {
    const { diagnostics } = compileWorkflow(`a: [${'"b" "c",'.repeat(1_000)}]`);
    expect(diagnostics).toHaveLength(100);
    expect(diagnostics.every(({ message }) => message !== '')).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ['latin 1', bytesOf(...encoder.encode('Workflow: w'), 0xe9, 0x0a)],
    ['UTF-16', bytesOf(0xff, 0xfe, 0x57, 0x00)],
    ['a surrogate in UTF-8', bytesOf(0xed, 0xa0, 0x80)],
    ['an overlong form', bytesOf(0xc0, 0x80)],
  ])('%s is refused', (_, bytes) => {
    expect(codesOf(bytes)).toEqual(['encoding']);
  });

  test.each([
    ['NUL', 'title: "a\\0b"\n'],
    ['half a surrogate pair', 'title: "\\ud83d"\n'],
  ])('%s in a string is refused: no database keeps it', (_, line) => {
    expect(codesOf(line + valid)).toEqual(['encoding']);
  });

  test.each(['.inf', '-.inf', '.nan', '1e999', '9'.repeat(400), '[{a: .inf}]'])(
    '%s in a snapshot is refused: JSON does not know it',
    (value) => {
      expect(codesOf(`Status: ${value}\n${valid}`)).toEqual(['bad_value']);
      expect(codesOf(valid.replace('w\n', `w\nProgress: {done: ${value}}\n`))).toEqual(['bad_value']);
    },
  );

  test.each(['', '%', ' h', 'ms'])('a number with %j that is infinite is refused in a condition', (unit) => {
    const text = `${valid}  test: {agent: tester, must_pass: "score < ${'9'.repeat(400)}${unit}"}\n`;
    expect(codesOf(text)).toEqual(['condition_syntax']);
    expect(codesOf(text.replace('< ', '< $'))).toEqual(['condition_syntax']);
  });

  test('a whole surrogate pair is a character, and columns count it as one', () => {
    const { diagnostics } = compileWorkflow(`Workflow: w\nSteps: {build: {agent: developer, x-note: "😀😀", depends_on: nope}}\n`);
    expect(diagnostics.map(({ code, range }) => [code, range.line, range.column])).toEqual([['unknown_step', 2, 61]]);
  });
});

describe("names that could reach an object's prototype", () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s', (name) => {
    expect(codesOf(`Workflow: w\nSteps:\n  ${name}: {agent: developer}\n  a: {agent: developer}\n`)).toEqual(['forbidden_key']);
    expect(codesOf(`Workflow: w\nSteps: [{name: ${name}, agent: developer}]\n`)).toEqual(['forbidden_key']);
    expect(codesOf(`Workflow = "w"\n[Steps.a]\nagent = "developer"\nwith = {${name} = 1}\n`, 'toml')).toEqual(['forbidden_key']);
    expect(({} as Record<string, unknown>)['agent']).toBeUndefined();
  });

  test.each(['toString', 'hasOwnProperty', 'valueOf'])('%s is a name like any other', (name) => {
    const { plan } = compileWorkflow(
      `Workflow: w\napprovers: {${name}: [ana]}\nSteps:\n  ${name}: {agent: developer, output: ${name}}\n  b: {agent: tester, depends_on: ${name}, input: ${name}, requires: passed(${name})}\n`,
    );
    expect(plan?.steps[1]).toMatchObject({ dependsOn: [{ step: name }], inputs: [{ name, from: name }] });
    expect(Object.keys(plan?.approvers ?? {})).toEqual([name]);
  });
});

test('many mistakes make no endless report, and are still errors', () => {
  const steps = Array.from({ length: 3_000 }, (_, step) => `  s${step}: {agent: developer, dependson: x, timeout: 5}\n`).join('');
  const { plan, diagnostics } = compileWorkflow(`Workflow: w\nSteps:\n${steps}`);
  expect(plan).toBeNull();
  expect(diagnostics).toHaveLength(limits.diagnostics + 1);
  expect(diagnostics.at(-1)).toMatchObject({ code: 'too_many_diagnostics', severity: 'error' });
});
