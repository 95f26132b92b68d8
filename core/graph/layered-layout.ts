/**
 * A layered drawing after Sugiyama: rows by longest path inside each band, order within rows by barycentres (the order with the
 * fewest crossings is kept), and places by isotonic regression towards the neighbours. Bands stand below each other and never mix.
 */
export interface LayoutInput {
  /** In topological order inside each band. */
  nodes: readonly { width: number; height: number; band: number; isSerial: boolean }[];
  /** Bands are numbered from 0, downwards. */
  bandCount: number;
  edges: readonly { from: number; to: number }[];
}

export interface Layout {
  width: number;
  height: number;
  /** Centres. */
  nodes: { x: number; y: number }[];
  bands: { top: number; bottom: number }[];
  /** Points an edge goes through, from its source down to its target; undefined where it goes up. */
  routes: ({ x: number; y: number }[] | undefined)[];
}

const gap = { x: 26, row: 40, band: 30, padding: 18, line: 14 } as const;
const sweeps = 12;
/** Long edges beyond this many places on their way are drawn straight. */
const maxWaypoints = 40_000;

/** A node, or the place where a long edge crosses a row. All edges that leave one node share their way. */
interface Cell {
  row: number;
  width: number;
  isWaypoint: boolean;
  up: number[];
  down: number[];
  x: number;
}

export function layOut(input: LayoutInput): Layout {
  const { rowOf, rowBands } = assignRows(input);
  const { cells, routes } = addWaypoints(input, rowOf);
  const rows: number[][] = rowBands.map(() => []);
  cells.forEach((cell, index) => rows[cell.row]?.push(index));
  orderRows(cells, rows);
  placeCells(cells, rows);
  return finish(input, { cells, rows, routes, rowOf, rowBands });
}

/** The row of each node, and the band of each row. Wide rows go on in the next one. */
function assignRows({ nodes, edges, bandCount }: LayoutInput): { rowOf: number[]; rowBands: number[] } {
  const capacity = Math.max(6, Math.ceil(Math.sqrt(nodes.length)));
  const incoming: number[][] = nodes.map(() => []);
  for (const { from, to } of edges) if (nodes[from]?.band === nodes[to]?.band) incoming[to]?.push(from);
  const rowOf = nodes.map(() => 0);
  const rowBands: number[] = [];
  for (let band = 0; band < bandCount; band += 1) {
    const start = rowBands.length;
    const counts: number[] = [];
    nodes.forEach((node, index) => {
      if (node.band !== band) return;
      let row = Math.max(0, ...(incoming[index] ?? []).map((before) => (rowOf[before] ?? 0) - start + 1));
      if (node.isSerial) row = Math.max(row, counts.length);
      while ((counts[row] ?? 0) >= capacity) row += 1;
      while (counts.length <= row) counts.push(0);
      counts[row] = (counts[row] ?? 0) + 1;
      rowOf[index] = start + row;
    });
    for (let row = 0; row < counts.length; row += 1) rowBands.push(band);
  }
  return { rowOf, rowBands };
}

/** Cuts long edges into pieces from row to row. A route is the cells from source to target. */
function addWaypoints({ nodes, edges }: LayoutInput, rowOf: readonly number[]): { cells: Cell[]; routes: (number[] | undefined)[] } {
  const cells: Cell[] = nodes.map(({ width }, index) => ({ row: rowOf[index] ?? 0, width, isWaypoint: false, up: [], down: [], x: 0 }));
  const chains = new Map<number, number[]>();
  const joined = new Set<string>();
  const link = (from: number, to: number): void => {
    const key = `${from} ${to}`;
    if (joined.has(key)) return;
    joined.add(key);
    cells[from]?.down.push(to);
    cells[to]?.up.push(from);
  };
  const routes = edges.map(({ from, to }) => {
    const [start, end] = [rowOf[from] ?? 0, rowOf[to] ?? 0];
    if (end <= start) return undefined;
    const chain = chains.get(from) ?? [];
    chains.set(from, chain);
    if (cells.length - nodes.length + end - start > maxWaypoints) return [from, to];
    for (let row = start + 1 + chain.length; row < end; row += 1) {
      const waypoint = cells.length;
      cells.push({ row, width: gap.line, isWaypoint: true, up: [], down: [], x: 0 });
      link(chain.at(-1) ?? from, waypoint);
      chain.push(waypoint);
    }
    const way = chain.slice(0, end - start - 1);
    link(way.at(-1) ?? from, to);
    return [from, ...way, to];
  });
  return { cells, routes };
}

/** Sorts each row by the mean place of the neighbours, downwards and upwards in turn. */
function orderRows(cells: readonly Cell[], rows: number[][]): void {
  const place: number[] = [];
  const number = (): void => {
    for (const row of rows) row.forEach((cell, index) => (place[cell] = index));
  };
  number();
  let best = rows.map((row) => [...row]);
  let fewest = countCrossings(cells, rows, place);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const row of isDown ? rows : [...rows].reverse()) {
      const centres = new Map(
        row.map((cell) => [cell, meanOf((isDown ? cells[cell]?.up : cells[cell]?.down) ?? [], place) ?? place[cell] ?? 0]),
      );
      row.sort((a, b) => (centres.get(a) ?? 0) - (centres.get(b) ?? 0) || (place[a] ?? 0) - (place[b] ?? 0));
      row.forEach((cell, index) => (place[cell] = index));
    }
    const crossings = countCrossings(cells, rows, place);
    if (crossings >= fewest) continue;
    fewest = crossings;
    best = rows.map((row) => [...row]);
  }
  best.forEach((row, index) => (rows[index] = row));
}

function meanOf(neighbours: readonly number[], values: readonly number[]): number | undefined {
  if (neighbours.length === 0) return undefined;
  return neighbours.reduce((sum, cell) => sum + (values[cell] ?? 0), 0) / neighbours.length;
}

/** Pairs of edges between neighbouring rows that cross: inversions, counted with a Fenwick tree. */
function countCrossings(cells: readonly Cell[], rows: readonly number[][], place: readonly number[]): number {
  let crossings = 0;
  rows.forEach((row, index) => {
    const size = rows[index + 1]?.length ?? 0;
    const tree = new Int32Array(size + 1);
    let seen = 0;
    for (const cell of row) {
      const targets = (cells[cell]?.down ?? []).filter((to) => cells[to]?.row === index + 1).map((to) => place[to] ?? 0);
      for (const target of targets) {
        let notAfter = 0;
        for (let at = target + 1; at > 0; at -= at & -at) notAfter += tree[at] ?? 0;
        crossings += seen - notAfter;
      }
      for (const target of targets) {
        for (let at = target + 1; at <= size; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
      }
      seen += targets.length;
    }
  });
  return crossings;
}

/** Draws each cell towards its neighbours; long edges are drawn straight before all else. */
function placeCells(cells: readonly Cell[], rows: readonly (readonly number[])[]): void {
  for (const row of rows) {
    let x = 0;
    for (const cell of row.map((index) => cells[index])) {
      if (cell === undefined) continue;
      cell.x = x + cell.width / 2;
      x += cell.width + gap.x;
    }
    const middle = x / 2;
    for (const index of row) if (cells[index] !== undefined) cells[index].x -= middle;
  }
  for (let sweep = 0; sweep < 3 * sweeps; sweep += 1) {
    const sides = sweep >= sweeps ? (['up', 'down'] as const) : sweep % 2 === 0 ? (['up'] as const) : (['down'] as const);
    for (const row of sweep % 2 === 0 ? rows : [...rows].reverse()) placeRow(cells, row, sides);
  }
}

/**
 * The places nearest to those wished for (by weighted least squares) that keep the order and the distances: with the least
 * distances subtracted this is isotonic regression, which pooling adjacent violators solves exactly.
 */
function placeRow(cells: readonly Cell[], row: readonly number[], sides: readonly ('up' | 'down')[]): void {
  const pools: { value: number; weight: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  row.forEach((index, position) => {
    const cell = cells[index];
    const before = cells[row[position - 1] ?? -1];
    if (cell === undefined) return;
    if (before !== undefined) offset += (before.width + cell.width) / 2 + (before.isWaypoint && cell.isWaypoint ? gap.line / 2 : gap.x);
    offsets.push(offset);
    const wish = wishOf(cells, cell, sides);
    let pool = { value: wish.x - offset, weight: wish.weight, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.value > pool.value; last = pools.at(-1)) {
      pools.pop();
      const weight = last.weight + pool.weight;
      pool = { value: (last.value * last.weight + pool.value * pool.weight) / weight, weight, count: last.count + pool.count };
    }
    pools.push(pool);
  });
  let position = 0;
  for (const { value, count } of pools) {
    for (let index = 0; index < count; index += 1, position += 1) {
      const cell = cells[row[position] ?? -1];
      if (cell !== undefined) cell.x = value + (offsets[position] ?? 0);
    }
  }
}

function wishOf(cells: readonly Cell[], cell: Cell, sides: readonly ('up' | 'down')[]): { x: number; weight: number } {
  let [sum, weight] = [0, 0];
  for (const side of sides) {
    for (const index of cell[side]) {
      const neighbour = cells[index];
      if (neighbour === undefined) continue;
      const strength = cell.isWaypoint && neighbour.isWaypoint ? 8 : cell.isWaypoint || neighbour.isWaypoint ? 2 : 1;
      sum += neighbour.x * strength;
      weight += strength;
    }
  }
  return weight === 0 ? { x: cell.x, weight: 0.1 } : { x: sum / weight, weight };
}

interface Placed {
  cells: readonly Cell[];
  rows: readonly (readonly number[])[];
  routes: readonly (readonly number[] | undefined)[];
  rowOf: readonly number[];
  rowBands: readonly number[];
}

/** From places in rows to points. */
function finish({ nodes, bandCount }: LayoutInput, { cells, rows, routes, rowOf, rowBands }: Placed): Layout {
  const left = cells.reduce((least, cell) => Math.min(least, cell.x - cell.width / 2), 0);
  const right = cells.reduce((most, cell) => Math.max(most, cell.x + cell.width / 2), 0);
  const bands: Layout['bands'] = [];
  const tops: number[] = [];
  const heights: number[] = [];
  let y = 0;
  for (let band = 0; band < bandCount; band += 1) {
    const top = y;
    y += gap.padding;
    rowBands.forEach((bandOfRow, row) => {
      if (bandOfRow !== band) return;
      if (rowBands[row - 1] === band) y += gap.row;
      tops[row] = y;
      const height = (rows[row] ?? []).reduce((most, cell) => Math.max(most, nodes[cell]?.height ?? 0), 0);
      heights[row] = height;
      y += height;
    });
    y += gap.padding;
    bands.push({ top, bottom: y });
    y += gap.band;
  }
  const middleOf = (row: number): number => (tops[row] ?? 0) + (heights[row] ?? 0) / 2;
  const placed = nodes.map((_, index) => ({ x: (cells[index]?.x ?? 0) - left, y: middleOf(rowOf[index] ?? 0) }));
  return {
    width: right - left,
    height: Math.max(0, y - gap.band),
    nodes: placed,
    bands,
    routes: routes.map((route) =>
      route?.flatMap((index) => {
        const cell = cells[index];
        const x = (cell?.x ?? 0) - left;
        const row = cell?.row ?? 0;
        if (cell?.isWaypoint !== true) return [{ x, y: middleOf(row) }];
        // A long edge goes straight through a row.
        return [
          { x, y: tops[row] ?? 0 },
          { x, y: (tops[row] ?? 0) + (heights[row] ?? 0) },
        ];
      }),
    ),
  };
}
