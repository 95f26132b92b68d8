import Ajv from 'ajv';
import { compileWorkflow } from './compile';
import { renderSarif, type SarifFile } from './render-sarif';

/** What SARIF 2.1.0 asks of the parts that are used here; nothing else may stand in them. */
const closed = (properties: Record<string, object>, required: string[]): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const text = closed({ text: { type: 'string', minLength: 1 } }, ['text']);
const list = (items: object): object => ({ type: 'array', items });
const number = { type: 'integer', minimum: 1 };
const artifactLocation = closed({ uri: { type: 'string', pattern: '^[^\\s<>"{}|\\\\^`]+$' }, uriBaseId: { type: 'string' } }, ['uri']);
const region = closed({ startLine: number, startColumn: number, endLine: number, endColumn: number }, ['startLine']);
const physicalLocation = closed({ artifactLocation, region }, ['artifactLocation']);
const logicalLocation = closed({ fullyQualifiedName: { type: 'string' }, kind: { type: 'string' } }, []);
const location = closed({ id: number, physicalLocation, logicalLocations: list(logicalLocation), message: text }, ['physicalLocation']);
const replacement = closed({ deletedRegion: region, insertedContent: text }, ['deletedRegion']);
const change = closed({ artifactLocation, replacements: { ...list(replacement), minItems: 1 } }, ['artifactLocation', 'replacements']);
const fix = closed({ description: text, artifactChanges: { ...list(change), minItems: 1 } }, ['artifactChanges']);
const result = closed(
  {
    ruleId: { type: 'string' },
    ruleIndex: { type: 'integer', minimum: 0 },
    level: { enum: ['none', 'note', 'warning', 'error'] },
    message: text,
    locations: { ...list(location), maxItems: 1 },
    relatedLocations: list(location),
    fixes: list(fix),
  },
  ['message'],
);
const rule = closed({ id: { type: 'string' }, name: { type: 'string' }, shortDescription: text, help: text }, ['id']);
const driver = closed({ name: { type: 'string' }, version: { type: 'string' }, rules: { ...list(rule), uniqueItems: true } }, ['name']);
const run = closed(
  {
    tool: closed({ driver }, ['driver']),
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    originalUriBaseIds: { type: 'object', additionalProperties: closed({ description: text }, []) },
    artifacts: list(closed({ location: artifactLocation, roles: list({ enum: ['analysisTarget'] }) }, [])),
    results: list(result),
    invocations: list(closed({ executionSuccessful: { type: 'boolean' } }, ['executionSuccessful'])),
  },
  ['tool'],
);
const log = closed({ $schema: { type: 'string' }, version: { const: '2.1.0' }, runs: list(run) }, ['version', 'runs']);
const isSarif = new Ajv({ strict: false, allErrors: true }).compile(log);

interface Log {
  runs: {
    tool: { driver: { rules: { id: string; help: { text: string } }[] } };
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: { physicalLocation: { artifactLocation: { uri: string }; region: Record<string, number> } }[];
      relatedLocations?: { message: { text: string } }[];
      fixes?: { artifactChanges: { replacements: { deletedRegion: Record<string, number>; insertedContent: { text: string } }[] }[] }[];
    }[];
  }[];
}

function sarifOf(source: string, name = 'w.yaml'): Log['runs'][number] {
  const file: SarifFile = { name, text: source, diagnostics: compileWorkflow(source).diagnostics };
  const rendered = JSON.parse(JSON.stringify(renderSarif([file], { version: '1.2.3' }))) as Log;
  expect(isSarif(rendered) ? [] : isSarif.errors).toEqual([]);
  const [first] = rendered.runs;
  if (first === undefined) throw new Error('no run');
  return first;
}

const source = `Workflow: w
Status: planned 🦊🦊
Steps:
  a: {agent: developer, titel: x, depends_on: b}
  b: {agent: developer, depends_on: [a]}
  c: {agent: developer, description: "🦊", depends_on: [bb]}
`;

test('results with their rule, level, place and related places', () => {
  const { tool, results } = sarifOf(source);
  for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  const found = results.map(({ ruleId, level, locations: [at] }) => {
    const { startLine, startColumn, endColumn } = at?.physicalLocation.region ?? {};
    return `${ruleId} ${level} ${startLine}:${startColumn}-${endColumn}`;
  });
  expect(found).toEqual([
    'snapshot_key note 2:1-7',
    'unknown_key error 4:25-30',
    'cycle error 5:38-39',
    // In code points: the fox is one.
    'unknown_step error 6:56-58',
  ]);
  expect(results.find(({ ruleId }) => ruleId === 'cycle')?.relatedLocations).toHaveLength(1);
  expect(tool.driver.rules.find(({ id }) => id === 'cycle')?.help.text).toBe('Steps wait for each other in a circle.');
});

test('a did-you-mean is a fix that mends the text', () => {
  const { results } = sarifOf('Workflow: w\nSteps:\n  a: {agent: developer, titel: x}\n');
  const [replacement] = results[0]?.fixes?.[0]?.artifactChanges[0]?.replacements ?? [];
  expect(replacement).toEqual({
    deletedRegion: { startLine: 3, startColumn: 25, endLine: 3, endColumn: 30 },
    insertedContent: { text: 'title' },
  });
});

test('no fix where the place is more than the word', () => {
  const { results } = sarifOf('Workflow: w\nSteps:\n  abcdef: {agent: developer}\n  b: {agent: developer, depends_on: "abcde\\x65, b2"}\n');
  expect(results.map(({ ruleId }) => ruleId)).toContain('unknown_step');
  for (const { fixes } of results) expect(fixes).toBeUndefined();
});

test.each([
  ['flows/a b.yaml', 'flows/a%20b.yaml'],
  ['./w.yaml', 'w.yaml'],
  ['/tmp/ñ.yaml', 'file:///tmp/%C3%B1.yaml'],
  ['C:\\flows\\w.yaml', 'file:///C:/flows/w.yaml'],
  ['<stdin>', '%3Cstdin%3E'],
])('the file %s is %s', (name, uri) => {
  const { results } = sarifOf('Workflow: w\n', name);
  expect(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
});
