import fc from 'fast-check';
import { layOut, type LayoutInput } from './layered-layout';

const graph = fc.record({ count: fc.integer({ min: 1, max: 40 }), bands: fc.integer({ min: 1, max: 4 }) }).chain(({ count, bands }) =>
  fc.record({
    bandCount: fc.constant(bands),
    nodes: fc.array(
      fc.record({
        width: fc.integer({ min: 20, max: 200 }),
        height: fc.integer({ min: 10, max: 90 }),
        band: fc.nat(bands - 1),
        isSerial: fc.boolean(),
      }),
      { minLength: count, maxLength: count },
    ),
    // From lower to higher: any order of the bands, none against the order inside one.
    edges: fc
      .array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 80 })
      .map((pairs) => pairs.filter(([a, b]) => a !== b).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))),
  }),
);

function boxes({ nodes }: LayoutInput, places: readonly { x: number; y: number }[]) {
  return nodes.map(({ width, height, band }, index) => {
    const { x, y } = places[index] ?? { x: Number.NaN, y: Number.NaN };
    return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2, band };
  });
}

test('boxes never overlap, stand inside their band and inside the drawing; edges go down', () => {
  fc.assert(
    fc.property(graph, (input) => {
      const layout = layOut(input);
      const placed = boxes(input, layout.nodes);
      const slack = 0.001;
      placed.forEach((a, index) => {
        const band = layout.bands[a.band] ?? { top: Number.NaN, bottom: Number.NaN };
        expect(a.top >= band.top && a.bottom <= band.bottom).toBe(true);
        expect(a.left >= -slack && a.right <= layout.width + slack).toBe(true);
        for (const b of placed.slice(index + 1)) {
          const isApart = a.right <= b.left + slack || b.right <= a.left + slack || a.bottom <= b.top + slack || b.bottom <= a.top + slack;
          expect(isApart).toBe(true);
        }
      });
      layout.bands.slice(1).forEach((band, index) => expect(band.top).toBeGreaterThan(layout.bands[index]?.bottom ?? 0));
      input.edges.forEach(({ from, to }, index) => {
        const route = layout.routes[index];
        const [source, target] = [layout.nodes[from]?.y ?? 0, layout.nodes[to]?.y ?? 0];
        if (route === undefined) expect(target).toBeLessThanOrEqual(source + 90);
        else expect(route.map(({ y }) => y)).toEqual([...route.map(({ y }) => y)].sort((a, b) => a - b));
        if (input.nodes[from]?.band === input.nodes[to]?.band) expect(target).toBeGreaterThan(source);
      });
    }),
    { numRuns: 200 },
  );
});

test('a long edge passes beside the boxes of the rows it crosses', () => {
  const node = { width: 100, height: 40, band: 0, isSerial: false };
  const input: LayoutInput = {
    bandCount: 1,
    nodes: [node, node, node],
    edges: [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 0, to: 2 },
    ],
  };
  const { nodes, routes } = layOut(input);
  const [, upper, lower] = routes[2] ?? [];
  expect(Math.abs((upper?.x ?? 0) - (nodes[1]?.x ?? 0))).toBeGreaterThan(50);
  expect(lower?.x).toBe(upper?.x);
});

test('rows are ordered so that edges do not cross where they need not', () => {
  const node = { width: 100, height: 40, band: 0, isSerial: false };
  const input: LayoutInput = {
    bandCount: 1,
    nodes: Array.from({ length: 6 }, () => node),
    edges: [
      { from: 0, to: 5 },
      { from: 1, to: 4 },
      { from: 2, to: 3 },
    ],
  };
  const { nodes } = layOut(input);
  for (const { from, to } of input.edges) expect(nodes[to]?.x).toBeCloseTo(nodes[from]?.x ?? 0);
});

test('a thousand nodes with long edges are laid out', () => {
  const nodes = Array.from({ length: 1_000 }, (_, index) => ({ width: 160, height: 50, band: Math.floor(index / 125), isSerial: false }));
  const edges = nodes.flatMap((_, to) => [1, 7, 120].map((back) => ({ from: to - back, to })).filter(({ from }) => from >= 0));
  const { bands, height, width } = layOut({ nodes, bandCount: 8, edges });
  expect(bands).toHaveLength(8);
  expect(Number.isFinite(height) && Number.isFinite(width)).toBe(true);
});
