import { compileWorkflow } from '../compile';

const write = '{name: write, agent: writer, output: text}';
const read = '{name: read, agent: writer, input: text}';

/** Whether `read` gets what `write` puts out, in a phase of these steps. */
function gets(steps: readonly string[], phase = 'serial: true'): boolean {
  const text = `workflow:
  id: serial
  phases:
    before: {steps: [{name: start, agent: writer}]}
    work:
      ${phase}
      steps:
${steps.map((step) => `        - ${step}\n`).join('')}`;
  const { plan, diagnostics } = compileWorkflow(text);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plan?.steps.find(({ id }) => id === 'read')?.inputs[0]?.from === 'write';
}

test.each<[string, string[], boolean]>([
  ['in file order', [write, read], true],
  ['not against it', [read, write], false],
  ['with a step between', [write, '{name: other, agent: writer}', read], true],
  ['after a step before it', ['{name: first, agent: writer}', '{name: write, agent: writer, depends_on: first, output: text}', read], true],
  ['after an earlier phase', ['{name: write, agent: writer, depends_on: [start, before], output: text}', read], true],
  [
    'not when it may have to wait for a later one',
    ['{name: write, agent: writer, depends_on: last, output: text}', read, '{name: last, agent: writer}'],
    false,
  ],
  ['not when it waits for an approval', ['{name: write, agent: writer, output: text, approval: before}', read], false],
  ['but when the approval comes after the work', ['{name: write, agent: writer, output: text, approval: after}', read], true],
  ['not when somebody must start it', ['{name: write, agent: writer, output: text, automatic_after_merge: false}', read], false],
  [
    'not when it waits for a failure',
    ['{name: first, agent: writer}', '{name: write, agent: writer, depends_on: [{step: first, when: failed}], output: text}', read],
    false,
  ],
])('an output is there %s', (_, steps, expected) => {
  expect(gets(steps)).toBe(expected);
});

test('side by side nothing is promised, nor without a barrier', () => {
  expect(gets([write, read], 'parallel: true')).toBe(false);
  expect(gets([write, read], 'serial: true\n      overlap: true')).toBe(false);
});

test('a condition may ask about an earlier step of a serial phase', () => {
  const text = (phase: string): string => `workflow:
  id: serial
  phases:
    work:
      ${phase}
      steps: [{name: first, agent: tester}, {name: second, agent: tester, requires: passed(first)}]
`;
  const codesOf = (phase: string): string[] => compileWorkflow(text(phase)).diagnostics.map(({ code }) => code);
  expect(codesOf('serial: true')).toEqual([]);
  expect(codesOf('parallel: true')).toEqual(['condition_unordered']);
});
