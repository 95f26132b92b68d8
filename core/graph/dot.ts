import { type GraphNode, type GraphView, markSymbols } from './graph-view';

const styles: Readonly<Record<GraphNode['kind'], string>> = {
  step: 'shape=box, style="rounded,filled", fillcolor="#f1f5f9", color="#64748b"',
  approval: 'shape=box, style="rounded,filled", fillcolor="#fef3c7", color="#d97706"',
  monitor: 'shape=box, style="rounded,filled", fillcolor="#ccfbf1", color="#0d9488"',
  deploy: 'shape=box, style="rounded,filled", fillcolor="#ede9fe", color="#7c3aed"',
  join: 'shape=hexagon, style="filled", fillcolor="#fff7ed", color="#ea580c"',
};

/** Graphviz: phases are clusters. */
export function renderDot({ title, phases, nodes, edges }: GraphView): string {
  const lines = [
    'digraph workflow {',
    `  graph [label=${quote([title])}, labelloc=t, fontname="Helvetica", compound=true];`,
    '  node [fontname="Helvetica", fontsize=11];',
    '  edge [color="#64748b", fontname="Helvetica", fontsize=10];',
  ];
  phases.forEach((phase, index) => {
    const own = nodes.flatMap((node, position) => (node.phase === index ? [`    ${nodeLine(node, position)}`] : []));
    if (own.length === 0) return;
    const label = quote([[phase.title, ...phase.notes].join(' · ')]);
    lines.push(`  subgraph cluster_${index} {`, `    label=${label}; style=rounded; color="#cbd5e1"; labeljust=l;`, ...own, '  }');
  });
  for (const { from, to, when, isImplied } of edges) {
    const style = when !== undefined ? ` [style=dashed, label=${quote([when])}]` : isImplied === true ? ' [style=dotted]' : '';
    lines.push(`  n${from} -> n${to}${style};`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

function nodeLine(node: GraphNode, index: number): string {
  const marks = node.marks.map(({ kind, text }) => `${markSymbols[kind]} ${text}`);
  return `n${index} [label=${quote([node.name, node.detail, ...marks].filter((text) => text !== ''))}, ${styles[node.kind]}];`;
}

/** Lines as one label. Graphviz reads escapes and HTML entities in it. */
function quote(texts: readonly string[]): string {
  const escaped = texts.map((text) => text.replaceAll('\\', '\\\\').replaceAll('&', '&amp;').replaceAll('"', '\\"'));
  return `"${escaped.join('\\n')}"`;
}
