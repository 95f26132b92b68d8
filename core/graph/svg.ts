import { type GraphMark, type GraphNode, type GraphView, markSymbols } from './graph-view';
import { type Layout, layOut } from './layered-layout';
import { fitText, measureText, wrapText } from './text-fit';

const font = { name: 13, detail: 11, mark: 11, phase: 13 } as const;
const size = {
  padding: 12,
  line: 16,
  minWidth: 120,
  maxWidth: 250,
  gutter: 172,
  inset: 16,
  hanging: 14,
  margin: 24,
  title: 44,
  legend: 34,
} as const;

/**
 * A drawing of its own: no script, no link, no font to load. Phases are bands from top to bottom with their name at the left;
 * it follows the light or dark theme of whoever shows it.
 */
export function renderSvg(view: GraphView): string {
  const boxes = view.nodes.map(boxOf);
  const layout = layOut({
    nodes: view.nodes.map(({ phase, isSerial }, index) => ({
      width: boxes[index]?.width ?? 0,
      height: boxes[index]?.height ?? 0,
      band: phase,
      isSerial,
    })),
    bandCount: view.phases.length,
    edges: view.edges,
  });
  const origin = { x: size.margin + size.gutter + size.inset, y: size.title + size.margin / 2 };
  const titleWidth = measureText(view.title, 20) + 2 * size.margin;
  const width = Math.ceil(Math.max(origin.x + layout.width + 2 * size.margin, titleWidth, 560));
  const height = Math.ceil(origin.y + layout.height + size.legend + size.margin);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(view.title)}">`,
    `<title>${escapeXml(view.title)}</title>`,
    `<style>${stylesheet}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="head" d="M0 0.8 8 4 0 7.2z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="${size.margin}" y="${size.margin + 12}">${escapeXml(view.title)}</text>`,
    `<g transform="translate(${origin.x} ${origin.y})">`,
    ...view.phases.map((phase, index) => bandSvg(phase, layout.bands[index] ?? { top: 0, bottom: 0 }, width - origin.x - size.margin)),
    ...edgesSvg(view, layout, boxes),
    ...view.nodes.map((node, index) => nodeSvg(node, boxes[index] ?? emptyBox, layout.nodes[index] ?? { x: 0, y: 0 })),
    '</g>',
    legendSvg(view, { x: size.margin, y: height - size.margin + 4 }),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

interface Box {
  width: number;
  height: number;
  lines: { text: string; className: string }[];
}

/** The lines after the first of a mark stand under its text; SVG drops common spaces. */
const hanging = '\u2003';
const emptyBox: Box = { width: 0, height: 0, lines: [] };

function boxOf(node: GraphNode): Box {
  const room = size.maxWidth - 2 * size.padding;
  const isJoin = node.kind === 'join';
  const fit = (text: string, fontSize: number): string => fitText(text, room, fontSize);
  const names = isJoin ? wrapText(node.name, room, font.name, 3) : [fit(node.name, font.name)];
  const lines = [
    ...names.map((text) => ({ text, className: 'name' })),
    ...(node.detail === '' ? [] : [{ text: fit(node.detail, font.detail), className: 'detail' }]),
    ...node.marks.flatMap(({ kind, text }) =>
      wrapText(`${markSymbols[kind]} ${text}`, room - size.hanging, font.mark, 3).map((line, index) => ({
        text: index === 0 ? line : `${hanging}${line}`,
        className: `mark ${kind}`,
      })),
    ),
  ];
  const widest = Math.max(...lines.map(({ text, className }) => measureText(text, className === 'name' ? font.name * 1.06 : font.detail)));
  const width = Math.min(size.maxWidth, Math.max(isJoin ? 60 : size.minWidth, widest + 2 * size.padding + (isJoin ? 16 : 4)));
  return { width, height: lines.length * size.line + size.padding, lines };
}

function bandSvg(phase: GraphView['phases'][number], { top, bottom }: Layout['bands'][number], right: number): string {
  const left = -size.gutter - size.inset;
  const middle = (top + bottom) / 2;
  const titles = wrapText(phase.title, size.gutter - 28, font.phase, 2);
  const notes = phase.notes.length === 0 ? [] : [fitText(phase.notes.join(' · '), size.gutter - 28, font.detail)];
  const start = middle - ((titles.length + notes.length - 1) * size.line) / 2 + 4;
  const texts = [...titles.map((text) => ['phase', text] as const), ...notes.map((text) => ['detail', text] as const)];
  return [
    `<g><title>${escapeXml(phase.title)}</title>`,
    `<rect class="band" x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" rx="10"/>`,
    `<path class="rail" d="M${left + 1} ${top + 10}V${bottom - 10}"/>`,
    ...texts.map(([className, text], index) => textSvg({ className, text, x: left + 16, y: start + index * size.line })),
    '</g>',
  ].join('');
}

function nodeSvg(node: GraphNode, { width, height, lines }: Box, { x, y }: { x: number; y: number }): string {
  const [left, top] = [round(x - width / 2), round(y - height / 2)];
  const isJoin = node.kind === 'join';
  const cut = 9;
  const outline = isJoin
    ? `<path class="box" d="M${left + cut} ${top}H${left + width - cut}L${left + width} ${top + height / 2}L${left + width - cut} ${top + height}H${left + cut}L${left} ${top + height / 2}Z"/>`
    : `<rect class="box" x="${left}" y="${top}" width="${round(width)}" height="${height}" rx="7"/><path class="stripe" d="M${left + 2} ${top + 7}V${top + height - 7}"/>`;
  const full = [node.name, node.detail, ...node.marks.map(({ text }) => text)].filter((text) => text !== '').join('\n');
  const texts = lines.map(({ text, className }, index) =>
    textSvg({
      className,
      text,
      x: isJoin ? x : left + size.padding,
      y: top + size.padding / 2 + (index + 0.75) * size.line,
      isCentred: isJoin,
    }),
  );
  return `<g class="node ${node.kind}"><title>${escapeXml(full)}</title>${outline}${texts.join('')}</g>`;
}

function edgesSvg({ edges }: GraphView, { nodes, routes }: Layout, boxes: readonly Box[]): string[] {
  const ports = portsOf(edges, routes, boxes);
  return edges.map(({ from, to, when, isImplied }, index) => {
    const route = routes[index];
    const className = `edge${when === undefined ? '' : ' special'}${isImplied === true ? ' implied' : ''}`;
    const [source, target] = [nodes[from], nodes[to]];
    if (source === undefined || target === undefined) return '';
    const [above, below] = [boxes[from] ?? emptyBox, boxes[to] ?? emptyBox];
    if (route === undefined) {
      // Upwards: out of one side and into the same side of the other.
      const [x1, x2] = [source.x + above.width / 2, target.x + below.width / 2];
      const bend = Math.max(x1, x2) + 40;
      return `<path class="${className}" marker-end="url(#arrow)" d="M${round(x1)} ${round(source.y)}C${round(bend)} ${round(source.y)} ${round(bend)} ${round(target.y)} ${round(x2)} ${round(target.y)}"/>`;
    }
    const port = ports[index] ?? { start: 0, end: 0 };
    const points = [
      { x: source.x + port.start, y: source.y + above.height / 2 },
      ...route.slice(1, -1),
      { x: target.x + port.end, y: target.y - below.height / 2 - 1 },
    ];
    const end = points.at(-1) ?? { x: 0, y: 0 };
    const label = when === undefined ? '' : `<text class="when" x="${round(end.x + 6)}" y="${round(end.y - 8)}">${escapeXml(when)}</text>`;
    return `<path class="${className}" marker-end="url(#arrow)" d="${curveThrough(points)}"/>${label}`;
  });
}

/** Edges leave and arrive side by side, in the order of where they go. */
function portsOf(edges: GraphView['edges'], routes: Layout['routes'], boxes: readonly Box[]): { start: number; end: number }[] {
  const ports = edges.map(() => ({ start: 0, end: 0 }));
  const spread = (side: 'start' | 'end'): void => {
    const groups = new Map<number, { edge: number; towards: number }[]>();
    edges.forEach(({ from, to }, edge) => {
      const route = routes[edge];
      if (route === undefined) return;
      const towards = (side === 'start' ? route[1] : route.at(-2))?.x ?? 0;
      const node = side === 'start' ? from : to;
      groups.set(node, [...(groups.get(node) ?? []), { edge, towards }]);
    });
    for (const [node, group] of groups) {
      // Edges that share their way also share their port.
      const ways = [...new Set(group.map(({ towards }) => towards))].sort((a, b) => a - b);
      const step = Math.min(16, ((boxes[node]?.width ?? 0) - 30) / Math.max(1, ways.length));
      for (const { edge, towards } of group) {
        const port = ports[edge];
        if (port !== undefined) port[side] = (ways.indexOf(towards) - (ways.length - 1) / 2) * step;
      }
    }
  };
  spread('start');
  spread('end');
  return ports;
}

/** Straight through rows, bent between them. */
function curveThrough(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  let before = first ?? { x: 0, y: 0 };
  let path = `M${round(before.x)} ${round(before.y)}`;
  for (const point of rest) {
    const half = (point.y - before.y) / 2;
    path +=
      Math.abs(point.x - before.x) < 0.5
        ? `V${round(point.y)}`
        : `C${round(before.x)} ${round(before.y + half)} ${round(point.x)} ${round(point.y - half)} ${round(point.x)} ${round(point.y)}`;
    before = point;
  }
  return path;
}

const meanings: Readonly<Record<Exclude<GraphMark['kind'], 'note'>, string>> = {
  approval: 'a person approves',
  gate: 'a condition must hold',
  monitor: 'watches',
  undo: 'is undone, or undoes',
};

/** Only of what occurs. */
function legendSvg({ nodes }: GraphView, at: { x: number; y: number }): string {
  const used = new Set(nodes.flatMap(({ marks }) => marks.map(({ kind }) => kind)));
  let x = at.x;
  return Object.entries(meanings)
    .filter(([kind]) => used.has(kind as GraphMark['kind']))
    .map(([kind, meaning]) => {
      const text = `${markSymbols[kind as GraphMark['kind']]} ${meaning}`;
      const svg = textSvg({ className: `mark ${kind}`, text, x, y: at.y });
      x += measureText(text, font.mark) + 22;
      return svg;
    })
    .join('');
}

function textSvg(options: { className: string; text: string; x: number; y: number; isCentred?: boolean }): string {
  const anchor = options.isCentred === true ? ' text-anchor="middle"' : '';
  return `<text class="${options.className}" x="${round(options.x)}" y="${round(options.y)}"${anchor}>${escapeXml(options.text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

const stylesheet = `
svg{--page:#fff;--band:#f8fafc;--line:#e2e8f0;--ink:#0f172a;--soft:#64748b;--edge:#94a3b8;--box:#fff;--step:#64748b;--approval:#b45309;--monitor:#0f766e;--deploy:#6d28d9;--join:#c2410c;--approval-bg:#fffbeb;--monitor-bg:#f0fdfa;--deploy-bg:#f5f3ff;--join-bg:#fff7ed;font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
@media(prefers-color-scheme:dark){svg{--page:#0b1120;--band:#111a2e;--line:#24324b;--ink:#e2e8f0;--soft:#94a3b8;--edge:#64748b;--box:#17223a;--step:#94a3b8;--approval:#fbbf24;--monitor:#2dd4bf;--deploy:#a78bfa;--join:#fb923c;--approval-bg:#2a2313;--monitor-bg:#10292b;--deploy-bg:#221c3d;--join-bg:#2b1d14}}
.page{fill:var(--page)}.band{fill:var(--band);stroke:var(--line)}.rail{stroke:var(--edge);stroke-width:3;stroke-linecap:round}
text{fill:var(--ink);font-size:${font.detail}px}.title{font-size:20px;font-weight:650}.phase{font-size:${font.phase}px;font-weight:650}.name{font-size:${font.name}px;font-weight:600}.detail,.when{fill:var(--soft)}
.box{fill:var(--box);stroke:var(--step);stroke-width:1.2}.stripe{stroke:var(--step);stroke-width:3;stroke-linecap:round}
.approval .box{fill:var(--approval-bg);stroke:var(--approval)}.approval .stripe{stroke:var(--approval)}
.monitor .box{fill:var(--monitor-bg);stroke:var(--monitor)}.monitor .stripe{stroke:var(--monitor)}
.deploy .box{fill:var(--deploy-bg);stroke:var(--deploy)}.deploy .stripe{stroke:var(--deploy)}
.join .box{fill:var(--join-bg);stroke:var(--join)}
.mark{fill:var(--soft)}.mark.approval{fill:var(--approval)}.mark.gate{fill:var(--join)}.mark.monitor{fill:var(--monitor)}.mark.undo{fill:var(--deploy)}
.edge{fill:none;stroke:var(--edge);stroke-width:1.4}.edge.special{stroke-dasharray:5 4}.edge.implied{opacity:.4}.head{fill:var(--edge)}
`;
