import { type GraphNode, type GraphView, markSymbols } from '../../core/graph/graph-view';
import { colorsFor, fitLines, type RenderOptions } from './style';

/** Beyond these many lanes, what a step waits for is told in words. */
const maxLanes = 20;
const pipeWidth = 100;

const nodeSymbols: Readonly<Record<GraphNode['kind'], [unicode: string, ascii: string]>> = {
  step: ['●', '*'],
  approval: ['◆', 'A'],
  monitor: ['◔', 'M'],
  deploy: ['▲', 'D'],
  join: ['⬢', '#'],
};
const asciiMarks: Readonly<Record<keyof typeof markSymbols, string>> = { approval: 'A', gate: '#', monitor: 'M', undo: '<', note: '-' };

/** From the left, the right, both sides; going on or ending here. */
const rails = {
  unicode: { through: '│', across: '─', first: '├', last: '┤', middle: '┼', firstEnd: '╰', lastEnd: '╯', middleEnd: '┴' },
  ascii: { through: '|', across: '-', first: '+', last: '+', middle: '+', firstEnd: '`', lastEnd: "'", middleEnd: '+' },
} as const;

/**
 * The steps from top to bottom, one on a line, with rails at the left from each to those that wait for it. A rail that another
 * only crosses is not touched by it.
 */
export function renderStepRails(view: GraphView, options: RenderOptions): string {
  const colors = colorsFor(options);
  const { nodes, phases } = view;
  const order = phases.flatMap((_, phase) => nodes.flatMap((node, index) => (node.phase === phase ? [index] : [])));
  const lanes = new Lanes(view, order, options.unicode ? rails.unicode : rails.ascii);
  const lines = [colors.bold(view.title)];
  let phase = -1;
  for (const index of order) {
    const node = nodes[index];
    if (node === undefined) continue;
    if (node.phase !== phase) {
      phase = node.phase;
      const { title, notes } = phases[phase] ?? { title: '', notes: [] };
      const text = [colors.bold(title), ...notes].join(colors.dim(' · '));
      lines.push(lanes.between(), `${lanes.between()}${colors.dim(options.unicode ? '──' : '--')} ${text}`);
    }
    const symbol = nodeSymbols[node.kind][options.unicode ? 0 : 1];
    const { rail, after } = lanes.enter(index, symbol);
    const name = node.kind === 'join' ? `${node.detail === '' ? '' : 'gate: '}${node.name}` : node.name;
    const detail = node.kind === 'join' ? '' : colors.dim(options.unicode ? node.detail : node.detail.replaceAll(' · ', ', '));
    lines.push(`${rail}${colors.bold(name)}  ${detail}`);
    const marks = node.marks.map(({ kind, text }) => `${options.unicode ? markSymbols[kind] : asciiMarks[kind]} ${text}`);
    if (after.length > 0)
      marks.unshift(
        `${options.unicode ? markSymbols.note : asciiMarks.note} after ${after.map((from) => nodes[from]?.name ?? '').join(', ')}`,
      );
    lines.push(...marks.map((mark) => `${lanes.between()}   ${mark}`));
  }
  lines.push('', colors.dim(legendOf(view, options)));
  return fitLines(lines, { ...options, width: Number.isFinite(options.width) ? options.width : pipeWidth });
}

function legendOf({ nodes }: GraphView, options: RenderOptions): string {
  const kinds = new Set(nodes.map(({ kind }) => kind));
  const names: Readonly<Record<GraphNode['kind'], string>> = {
    step: 'step',
    approval: 'needs an approval',
    monitor: 'monitor',
    deploy: 'deployment',
    join: 'gate or end of a phase',
  };
  return Object.entries(nodeSymbols)
    .filter(([kind]) => kinds.has(kind as GraphNode['kind']))
    .map(([kind, [unicode, ascii]]) => `${options.unicode ? unicode : ascii} ${names[kind as GraphNode['kind']]}`)
    .join('   ');
}

type Rails = Record<keyof (typeof rails)['unicode'], string>;

/** One lane for each node that something further down waits for. */
class Lanes {
  readonly #lanes: (number | undefined)[] = [];
  readonly #left: number[];
  readonly #before: number[][];
  readonly #rows: number[] = [];
  readonly #rails: Rails;

  constructor({ nodes, edges }: GraphView, order: readonly number[], chosen: Rails) {
    order.forEach((node, row) => (this.#rows[node] = row));
    this.#rails = chosen;
    this.#left = nodes.map(() => 0);
    this.#before = nodes.map(() => []);
    for (const { from, to, isImplied } of edges) {
      if (isImplied === true || this.#before[to]?.includes(from) !== false) continue;
      this.#before[to]?.push(from);
      if (this.#isAbove(from, to)) this.#left[from] = (this.#left[from] ?? 0) + 1;
    }
  }

  /** The rail of a line between nodes. */
  between(): string {
    const cells = this.#lanes.slice(0, maxLanes).map((lane) => (lane === undefined ? '  ' : `${this.#rails.through} `));
    return cells.join('');
  }

  /** The rail of a node's line; `after` names what it waits for and no rail shows. */
  enter(node: number, symbol: string): { rail: string; after: number[] } {
    const before = this.#before[node] ?? [];
    const joined = new Map(before.filter((from) => this.#isAbove(from, node)).map((from) => [this.#lanes.indexOf(from), from]));
    const ended = new Set<number>();
    for (const [lane, from] of joined) {
      this.#left[from] = (this.#left[from] ?? 0) - 1;
      if (this.#left[from] === 0) ended.add(lane);
    }
    const free = this.#lanes.findIndex((lane) => lane === undefined);
    const own = ended.size > 0 ? Math.min(...ended) : free < 0 ? this.#lanes.length : free;
    const rail = this.#draw({ joined: new Set(joined.keys()), ended, own, symbol });
    for (const lane of ended) this.#lanes[lane] = undefined;
    this.#lanes[own] = (this.#left[node] ?? 0) > 0 ? node : undefined;
    while (this.#lanes.length > 0 && this.#lanes.at(-1) === undefined) this.#lanes.pop();
    const isHidden = own >= maxLanes || [...joined.keys()].some((lane) => lane >= maxLanes);
    return { rail, after: isHidden ? before : before.filter((from) => !this.#isAbove(from, node)) };
  }

  #draw({ joined, ended, own, symbol }: { joined: ReadonlySet<number>; ended: ReadonlySet<number>; own: number; symbol: string }): string {
    const touched = [...joined, own];
    const [first, last] = [Math.min(...touched), Math.max(...touched)];
    let rail = '';
    for (let lane = 0; lane < Math.min(maxLanes, Math.max(this.#lanes.length, own + 1)); lane += 1) {
      const isInside = lane >= first && lane < last;
      const place = lane === first ? 'first' : lane === last ? 'last' : 'middle';
      const through = this.#lanes[lane] === undefined ? (lane > first && lane < last ? this.#rails.across : ' ') : this.#rails.through;
      const cell = lane === own ? symbol : joined.has(lane) ? this.#rails[ended.has(lane) ? (`${place}End` as const) : place] : through;
      rail += cell + (isInside ? this.#rails.across : ' ');
    }
    return rail;
  }

  #isAbove(from: number, to: number): boolean {
    return (this.#rows[from] ?? 0) < (this.#rows[to] ?? 0);
  }
}
