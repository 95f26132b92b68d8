import fc from 'fast-check';
import { findAncestors, findCycles, findDescendants, type Graph, graphOfSteps, longestRemainingPaths, topologicalOrder } from './graph';
import { Reachability } from './reachability';

const graphOf = (...dependencies: number[][]): Graph => ({ dependencies });

/** A random graph without cycles: a node waits only for earlier ones, then all are renumbered. */
const acyclicGraph = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.record({
      edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 }),
      names: fc.shuffledSubarray([...Array(size).keys()], { minLength: size }),
    }),
  )
  .map(({ edges, names }): Graph => {
    const dependencies: number[][] = names.map(() => []);
    for (const [a, b] of edges) {
      if (a === b) continue;
      const [from, to] = [names[Math.min(a, b)] ?? 0, names[Math.max(a, b)] ?? 0];
      if (!dependencies[to]?.includes(from)) dependencies[to]?.push(from);
    }
    return { dependencies };
  });

test.each([
  ['independent nodes keep the file order', graphOf([], [], []), [0, 1, 2]],
  ['a dependency further down is moved up', graphOf([2], [], []), [1, 2, 0]],
  ['ties go to the first in the file', graphOf([3], [3], [3], []), [3, 0, 1, 2]],
  ['nodes on and behind a cycle are missing', graphOf([], [2], [1], [2]), [0]],
])('topological order: %s', (_, graph, expected) => {
  expect(topologicalOrder(graph)).toEqual(expected);
});

test('a topological order keeps every dependency and is the first such order of the file', () => {
  fc.assert(
    fc.property(acyclicGraph, (graph) => {
      const order = topologicalOrder(graph);
      const rank = new Map(order.map((node, index) => [node, index]));
      expect(order).toHaveLength(graph.dependencies.length);
      graph.dependencies.forEach((dependencies, node) => {
        for (const dependency of dependencies) expect(rank.get(dependency)).toBeLessThan(rank.get(node) ?? -1);
      });
      const placed = new Set<number>();
      for (const node of order) {
        const ready = graph.dependencies.flatMap((dependencies, other) =>
          !placed.has(other) && dependencies.every((dependency) => placed.has(dependency)) ? [other] : [],
        );
        expect(node).toBe(Math.min(...ready));
        placed.add(node);
      }
    }),
  );
});

test.each([
  ['none', graphOf([], [0], [0, 1]), []],
  ['itself', graphOf([0]), [[0]]],
  ['a circle, from the first node in the file', graphOf([2], [0], [1]), [[0, 2, 1]]],
  [
    'two circles',
    graphOf([1], [0], [3], [2]),
    [
      [0, 1],
      [2, 3],
    ],
  ],
])('cycles: %s', (_, graph, expected) => {
  expect(findCycles(graph).map(({ nodes }) => nodes)).toEqual(expected);
});

test('cycles are found exactly where a topological order is incomplete', () => {
  const anyGraph = fc
    .integer({ min: 1, max: 8 })
    .chain((size) => fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), { minLength: size, maxLength: size }));
  fc.assert(
    fc.property(anyGraph, (dependencies) => {
      const graph = { dependencies };
      expect(findCycles(graph).length > 0).toBe(topologicalOrder(graph).length < dependencies.length);
    }),
  );
});

test('reachability agrees with ancestors and descendants', () => {
  fc.assert(
    fc.property(acyclicGraph, fc.nat(2), (graph, seed) => {
      const reach = new Reachability(graph);
      graph.dependencies.forEach((_, node) => {
        const ancestors = findAncestors(graph, [node]);
        graph.dependencies.forEach((__, other) => {
          expect(reach.isBefore(other, node)).toBe(ancestors.has(other));
          expect(findDescendants(graph, [other]).has(node)).toBe(ancestors.has(other));
        });
        const some = graph.dependencies.flatMap((__, other) => ((other * 7 + seed) % 3 === 0 ? [other] : []));
        const last = topologicalOrder(graph).findLast((other) => some.includes(other) && ancestors.has(other));
        expect(reach.lastBefore(node, reach.setOf(some))).toBe(last);
      });
    }),
  );
});

test.each([
  ['a chain adds up', graphOf([], [0], [1]), [5, 3, 2], [10, 5, 2]],
  ['the longest branch counts', graphOf([], [0], [0], [1, 2]), [1, 10, 2, 1], [12, 11, 3, 1]],
  ['a node alone is itself', graphOf([]), [7], [7]],
])('longest remaining path: %s', (_, graph, durations, expected) => {
  expect(longestRemainingPaths(graph, durations)).toEqual(expected);
});

test('steps become nodes in their order; unknown dependencies are left out', () => {
  const steps = [
    { id: 'b', dependsOn: [{ step: 'a' }, { step: 'a' }, { step: 'zz' }] },
    { id: 'a', dependsOn: [] },
  ];
  expect(graphOfSteps(steps)).toEqual({ dependencies: [[1], []] });
});

test('a chain of 100,000 nodes exhausts no stack', () => {
  const graph = graphOf(...Array.from({ length: 100_000 }, (_, node) => (node === 0 ? [] : [node - 1])));
  expect(topologicalOrder(graph)).toHaveLength(100_000);
  expect(findCycles(graph)).toEqual([]);
  expect(findAncestors(graph, [99_999]).size).toBe(99_999);
  expect(
    longestRemainingPaths(
      graph,
      graph.dependencies.map(() => 1),
    )[0],
  ).toBe(100_000);
});
