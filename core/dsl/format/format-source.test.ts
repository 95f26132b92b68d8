import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { canonicalPlanText } from '../../plan/canonical';
import { compileWorkflow } from '../compile';
import { formatSource, type FormatResult } from './format-source';

const root = join(__dirname, '../../..');

interface Sample {
  file: string;
  text: string;
  format: 'yaml' | 'toml';
  kind: 'workflow' | 'agents';
}

const samples = ['test/fixtures/workflows/valid', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(yaml|toml)$/u.test(entry.name))
    .map((entry): Sample => {
      const file = join(entry.parentPath, entry.name).slice(root.length + 1);
      const format = file.endsWith('.toml') ? 'toml' : 'yaml';
      return { file, text: readFileSync(join(root, file), 'utf8'), format, kind: entry.name === 'agents.yaml' ? 'agents' : 'workflow' };
    }),
);
const workflows = samples.filter(({ kind }) => kind === 'workflow');

function format(text: string, options: Partial<Sample> = {}): string {
  return formattedOf(formatSource(text, { format: 'yaml', kind: 'workflow', ...options }));
}

function formattedOf(result: FormatResult): string {
  if (result.outcome !== 'formatted') throw new Error(JSON.stringify(result));
  return result.text;
}

test.each(samples)('$file: the same plan, the same comments, and stable', ({ text, ...options }) => {
  const formatted = format(text, options);
  expect(format(formatted, options)).toBe(formatted);
  expect(commentsOf(formatted)).toEqual(commentsOf(text));
  if (options.kind !== 'workflow') return;
  expect(planTextOf(formatted, options.format)).toBe(planTextOf(text, options.format));
});

function planTextOf(text: string, of: Sample['format']): string {
  const { plan } = compileWorkflow(text, { format: of });
  if (plan === null) throw new Error('does not compile');
  return canonicalPlanText(plan);
}

/** Of files whose texts hold no `#`. */
function commentsOf(text: string): string[] {
  return [...text.matchAll(/(?:^|\s)(#.*)$/gmu)].map((match) => (match[1] ?? '').trim()).sort();
}

/** What a person does to the layout of a file: comments, blank lines, other line ends, spaces at the end. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  kind: fc.constantFrom('comment line', 'end comment', 'blank', 'spaces'),
  indent: fc.nat(8),
});

function applyEdit(text: string, { at, kind, indent }: { at: number; kind: string; indent: number }, index: number): string {
  const lines = text.split('\n');
  const line = Math.floor(at * lines.length);
  const old = lines[line] ?? '';
  if (kind === 'comment line') lines.splice(line, 0, `${' '.repeat(indent)}# c${index}`);
  else if (kind === 'end comment') lines[line] = `${old} # c${index}`;
  else if (kind === 'blank') lines.splice(line, 0, '');
  else lines[line] = `${old}  `;
  return lines.join('\n');
}

test('whatever is done to the layout: the plan is the same, no comment is lost, and the result is stable', () => {
  fc.assert(
    fc.property(fc.constantFrom(...workflows), fc.array(edit, { maxLength: 6 }), fc.boolean(), (sample, edits, hasCrLf) => {
      const edited = edits.reduce(applyEdit, sample.text);
      const text = hasCrLf ? edited.replaceAll('\n', '\r\n') : edited;
      const before = compileWorkflow(text, { format: sample.format });
      fc.pre(before.plan !== null);
      const formatted = format(text, sample);
      expect(planTextOf(formatted, sample.format)).toBe(planTextOf(text, sample.format));
      expect(commentsOf(formatted)).toEqual(commentsOf(edited));
      expect(format(formatted, sample)).toBe(formatted);
    }),
    { numRuns: 300 },
  );
});

const wordy = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !/[\ud800-\udfff\0]/u.test(text));

test('any text, quoted as it must be', () => {
  fc.assert(
    fc.property(wordy, wordy, (title, value) => {
      const text = `Workflow: w\ntitle: ${JSON.stringify(`a${title}`)}\nSteps:\n  a: {agent: developer, with: {k: ${JSON.stringify(value)}}}\n`;
      fc.pre(compileWorkflow(text).plan !== null);
      expect(planTextOf(format(text), 'yaml')).toBe(planTextOf(text, 'yaml'));
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    'keys',
    'Steps:\n  a:\n    depends_on: []\n    agent: developer\nWorkflow: w\n',
    'Workflow: w\nSteps:\n  a:\n    agent: developer\n    depends_on: []\n',
  ],
  ['indentation', 'Workflow: w\nSteps:\n      a:\n          agent: developer\n', 'Workflow: w\nSteps:\n  a:\n    agent: developer\n'],
  [
    'quotes',
    `Workflow: 'w'\nSteps: {a: {agent: "developer", title: 'on'}}\n`,
    'Workflow: w\nSteps: {a: {title: "on", agent: developer}}\n',
  ],
  ['what is no text', 'Workflow: w\nSteps: {a: {agent: developer, with: [1.10, 0x1F, ~, 2025-01-01]}}\n', undefined],
  ['user data', 'Workflow: w\nSteps:\n  a:\n    agent: developer\n    with: {z: 1, a: 2}\n    x-b: {z: 1, a: 2}\n', undefined],
  ['the order of steps', 'Workflow: w\nSteps:\n  timeout: {agent: developer}\n  agent: {agent: developer}\n', undefined],
  [
    'a moved key and its comments',
    'Steps: # all\n  # first\n  a: {agent: developer}\n# the name\nWorkflow: w # short\n',
    '# the name\nWorkflow: w # short\nSteps: # all\n  # first\n  a: {agent: developer}\n',
  ],
  [
    "a file's first comment",
    '# of the file\nSteps: {a: {agent: developer}}\nWorkflow: w\n',
    '# of the file\n\nWorkflow: w\nSteps: {a: {agent: developer}}\n',
  ],
  [
    'comments at the end of a list that becomes a block, and of its step',
    'Workflow: w\nSteps:\n  a:\n    agent: developer\n    depends_on: [ # why\n      b, # the b\n      # of the list\n    ]\n    # of the step\n  b: {agent: tester}\n',
    'Workflow: w\nSteps:\n  a:\n    agent: developer\n    depends_on:\n      # why\n      - b\n      # the b\n      # of the list\n      # of the step\n  b: {agent: tester}\n',
  ],
  [
    'the comment of a file that begins with `---`',
    '# above\n---\n# of the file\n\nSteps: {a: {agent: developer}}\n# the name\nWorkflow: w\n',
    '# above\n---\n# of the file\n\n# the name\nWorkflow: w\nSteps: {a: {agent: developer}}\n',
  ],
])('YAML: %s', (_, text, expected = text) => {
  expect(format(text)).toBe(expected);
  expect(format(expected)).toBe(expected);
});

const toml = (text: string): string => format(text, { format: 'toml' });

test.each([
  [
    'keys, spaces, quotes',
    `timeline_hours=4\nWorkflow   =   'w'\n[ Steps . "a" ]\nagent='developer'\n`,
    'Workflow = "w"\ntimeline_hours = 4\n\n[Steps.a]\nagent = "developer"\n',
  ],
  [
    'comments',
    '# file\n\nWorkflow = "w"# a\n# of a\n[Steps.a] # b\nagent = "developer"\n# last\n',
    '# file\n\nWorkflow = "w" # a\n\n# of a\n[Steps.a] # b\nagent = "developer"\n# last\n',
  ],
  ['arrays', 'Workflow="w"\n[Steps.a]\nagent="developer"\ntasks=[\n"b" # one\n,"c",\n# end\n]\noutput=[ "x" ,\n"y" , ]\n', undefined],
  [
    'long strings',
    'Workflow = "w"\n\n[Steps.a]\ndescription = """\n # no comment = [\n"""\nagent = "developer"\nx-t = 1979-05-27 07:32:00\n',
    undefined,
  ],
  [
    'arrays of tables',
    'Workflow="w"\n[[Steps]]\nagent="developer"\nname="b"\n[[Steps]]\nagent="developer"\nname="a"\n',
    'Workflow = "w"\n\n[[Steps]]\nname = "b"\nagent = "developer"\n\n[[Steps]]\nname = "a"\nagent = "developer"\n',
  ],
  [
    'dotted keys',
    'Workflow="w"\nSteps.b.agent="developer"\nSteps.a = {depends_on="b",agent="developer"}\nbudget.usd=2.5\n',
    'Workflow = "w"\nbudget.usd = 2.5\nSteps.b.agent = "developer"\nSteps.a = { agent = "developer", depends_on = "b" }\n',
  ],
])('TOML: %s', (name, text, expected) => {
  const formatted = toml(text);
  if (name === 'arrays') expect(formatted).toContain('output = ["x", "y"]\ntasks = [\n  "b", # one\n  "c",\n  # end\n]\n');
  else expect(formatted).toBe(expected ?? text);
  expect(toml(formatted)).toBe(formatted);
});

test('what has errors is not touched', () => {
  const result = formatSource('Workflow: w\nSteps: {a: {agent: developer, depends_on: b}}\n', { format: 'yaml', kind: 'workflow' });
  expect(result).toMatchObject({ outcome: 'invalid', diagnostics: [{ code: 'unknown_step' }] });
});
