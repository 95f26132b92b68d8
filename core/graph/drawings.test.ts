import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { compileWorkflow } from '../dsl/compile';
import type { Plan } from '../plan/types';
import { renderDot } from './dot';
import { type GraphView, viewGraph } from './graph-view';
import { renderMermaid } from './mermaid';
import { renderSvg } from './svg';

const root = join(__dirname, '../..');
const formatDuration = (ms: number): string => `${ms / 1000}s`;

function planOf(text: string): Plan {
  const { plan, diagnostics } = compileWorkflow(text);
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

const view = (text: string): GraphView => viewGraph(planOf(text), { formatDuration });
const edgesOf = ({ nodes, edges }: GraphView): string[] =>
  edges.map(({ from, to, when, isImplied }) =>
    [nodes[from]?.name, when ?? (isImplied === true ? 'implied' : ''), nodes[to]?.name].filter((part) => part !== '').join(' > '),
  );

test('every dependency is an edge, with how it must have ended', () => {
  const drawn = view(
    'Workflow: w\nSteps:\n  a: {agent: developer}\n  b: {agent: developer, depends_on: a}\n  c: {agent: developer, depends_on: [{step: a, when: failed}, b]}\n',
  );
  expect(edgesOf(drawn)).toEqual(['a > b', 'a > failed > c', 'b > c']);
});

test('a phase with a gate, and a barrier, is joined before what waits for it', () => {
  const drawn = view(`workflow:
  id: w
  phases:
    one: {gate: all_passed, steps: {a: {agent: developer}, b: {agent: developer, depends_on: a}}}
    two: {steps: {c: {agent: developer, depends_on: a}, d: {agent: developer, depends_on: c}}}
    three: {overlap: true, steps: {e: {agent: developer, depends_on: [one]}}}
`);
  expect(drawn.nodes.filter(({ kind }) => kind === 'join').map(({ name, phase }) => [name, phase])).toEqual([['all_passed', 0]]);
  expect(edgesOf(drawn).sort()).toEqual(['a > b', 'a > implied > c', 'all_passed > c', 'all_passed > e', 'b > all_passed', 'c > d']);
});

test('approvals, gates, monitors and what is undone are marked', () => {
  const text = readFileSync(join(root, 'test/fixtures/workflows/valid/gates-and-approvals.yaml'), 'utf8');
  const marks = new Map(
    view(text).nodes.map(({ name, kind, marks: own }) => [name, [kind, ...own.map((mark) => `${mark.kind}: ${mark.text}`)]]),
  );
  expect(marks.get('merge')).toEqual([
    'approval',
    'approval: approval before the work by board (2)',
    'gate: requires all_approved and steps.scan.critical_vulns == 0 and max(coverage) >= 80%',
    'undo: undone by revert_merge',
  ]);
  expect(marks.get('watch')).toEqual([
    'monitor',
    'monitor: watches for 5400s',
    'monitor: alert if queue_length > 100 or error_rate > 1%',
    'monitor: alert if p99 > 300ms',
    'monitor: alert if cpu > 80%',
    'undo: rolls back if critical_error or error_rate > 5%',
  ]);
  const svg = renderSvg(view(text));
  for (const shown of ['board (2)', 'undone by revert_merge', 'watches for 5400s']) expect(svg).toContain(shown);
});

/** Ids and texts that are syntax somewhere. */
const hostile = [
  'end',
  'subgraph',
  'graph',
  'click',
  'style',
  'default',
  'node',
  'edge',
  'strict',
  'o',
  'x',
  '__',
  '1.2',
  '設計',
  'constructor1',
];
const texts = [
  '</text><script>alert(1)</script>',
  '"]; end\n  n0 --> n1',
  '\\" \\N {a|b} <b>',
  '`md` %%{init: {}}%%',
  '&lt;#quot;',
  ']]>',
  '\u202eevil',
  'a --> b',
  '𝒳🦊',
];

const hostileWorkflow = fc.record({
  title: fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary' })),
  steps: fc.uniqueArray(fc.constantFrom(...hostile), { minLength: 1, maxLength: 8 }),
  says: fc.array(fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary' })), { minLength: 8, maxLength: 8 }),
});

function hostileView({ title, steps, says }: { title: string; steps: string[]; says: string[] }): GraphView {
  const plan = planOf(
    JSON.stringify({ workflow: { id: 'w', steps: Object.fromEntries(steps.map((id) => [id, { agent: 'developer' }])) } }),
  );
  plan.title = title;
  plan.phases.forEach((phase, index) => (phase.title = says[index]));
  plan.steps.forEach((step, index) => {
    step.title = says[index] ?? '';
    step.compensate = { action: says[index] ?? '' };
    const before = plan.steps[index - 1];
    if (before !== undefined) step.dependsOn = [{ step: before.id, when: index % 2 === 0 ? 'holds' : 'failed' }];
  });
  return viewGraph(plan, { formatDuration });
}

/** Elements of XML that this drawing uses, read without trust in how it was written. */
function checkXml(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<>]*")*)(\/?)>|&(?:amp|lt|gt|quot|#39);/gu,
    (_, close: string, name?: string, _attributes?: string, empty?: string) => {
      if (name === undefined) return '';
      if (close === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
      expect(['svg', 'title', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'text']).toContain(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<&]/u);
  // eslint-disable-next-line no-control-regex -- what XML forbids
  expect(rest).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u);
}

test('no id and no title breaks out of a drawing', () => {
  fc.assert(
    fc.property(hostileWorkflow, (workflow) => {
      const drawn = hostileView(workflow);
      checkXml(renderSvg(drawn));
      const label = String.raw`"(?:[\p{L}\p{M}\p{N} _.,()◆⬢◔↩·-]|#\d+;|<br\/>)*"`;
      const node = String.raw`    n\d+(?:\[${label}\]|\[\/${label}\/\]|\(\[${label}\]\)|\[\[${label}\]\]|\{\{${label}\}\})`;
      const mermaidLine = new RegExp(
        String.raw`^(?:${node}|  subgraph p\d+\[${label}\]|  end|  n\d+ (?:-->|-\.->|-\. "[a-z]+" \.->) n\d+|  classDef [a-z]+ [\w:#,]+|  class [n\d,]+ [a-z]+)$`,
        'u',
      );
      const [, , , , ...mermaid] = renderMermaid(drawn).trimEnd().split('\n');
      expect(mermaid.filter((line) => !mermaidLine.test(line))).toEqual([]);
      const quoted = String.raw`"(?:[^"\\]|\\["\\n])*"`;
      const dotLine = new RegExp(
        String.raw`^(?:digraph workflow \{|\}|  \}|  (?:graph|node|edge) \[.*\];|  subgraph cluster_\d+ \{|    label=${quoted}; style=rounded; color="#cbd5e1"; labeljust=l;|    n\d+ \[label=${quoted}, [^[\]]*\];|  n\d+ -> n\d+(?: \[style=(?:dotted|dashed, label="[a-z]+")\])?;)$`,
        'u',
      );
      expect(
        renderDot(drawn)
          .trimEnd()
          .split('\n')
          .filter((line) => !dotLine.test(line)),
      ).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test.each(readdirSync(join(root, 'examples')))('the drawing of examples/%s is well-formed', (example) => {
  checkXml(renderSvg(view(readFileSync(join(root, 'examples', example, 'workflow.yaml'), 'utf8'))));
});
