import { type GraphNode, type GraphView, markSymbols } from './graph-view';

const shapes: Readonly<Record<GraphNode['kind'], [open: string, close: string]>> = {
  step: ['[', ']'],
  approval: ['[/', '/]'],
  monitor: ['([', '])'],
  deploy: ['[[', ']]'],
  join: ['{{', '}}'],
};

const classes = {
  approval: 'fill:#fef3c7,stroke:#d97706,color:#1f2937',
  monitor: 'fill:#ccfbf1,stroke:#0d9488,color:#1f2937',
  deploy: 'fill:#ede9fe,stroke:#7c3aed,color:#1f2937',
  join: 'fill:#fff7ed,stroke:#ea580c,color:#1f2937',
} as const;

/** A Mermaid flowchart: phases are subgraphs. Nodes are called `n0`, `n1`…, so that no name can be taken for syntax. */
export function renderMermaid({ title, phases, nodes, edges }: GraphView): string {
  const lines = ['---', `title: ${JSON.stringify(title)}`, '---', 'flowchart TB'];
  phases.forEach((phase, index) => {
    const own = nodes.flatMap((node, position) => (node.phase === index ? [`    n${position}${shapeOf(node)}`] : []));
    if (own.length === 0) return;
    lines.push(`  subgraph p${index}["${escapeText([phase.title, ...phase.notes].join(' · '))}"]`, ...own, '  end');
  });
  for (const { from, to, when, isImplied } of edges) {
    const arrow = when !== undefined ? `-. "${when}" .->` : isImplied === true ? '-.->' : '-->';
    lines.push(`  n${from} ${arrow} n${to}`);
  }
  for (const [kind, style] of Object.entries(classes)) {
    const members = nodes.flatMap((node, index) => (node.kind === kind ? [`n${index}`] : []));
    if (members.length > 0) lines.push(`  classDef ${kind} ${style}`, `  class ${members.join(',')} ${kind}`);
  }
  return `${lines.join('\n')}\n`;
}

function shapeOf(node: GraphNode): string {
  const [open, close] = shapes[node.kind];
  const marks = node.marks.map(({ kind, text }) => `${markSymbols[kind]} ${text}`);
  const texts = [node.name, node.detail, ...marks].filter((text) => text !== '').map(escapeText);
  return `${open}"${texts.join('<br/>')}"${close}`;
}

/** Mermaid reads quotes, markup, links, directives and entities inside labels: whatever is not plain goes by its number. */
function escapeText(text: string): string {
  return Array.from(text, (character) =>
    /[\p{L}\p{M}\p{N} _.,()◆⬢◔↩·-]/u.test(character) ? character : `#${character.codePointAt(0) ?? 0};`,
  ).join('');
}
