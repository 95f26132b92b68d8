/**
 * Algorithms on dependency graphs. Nodes are numbers from 0 in file order. All are iterative (a chain of 10,000 steps must not
 * exhaust the stack) and linear in nodes and edges, the topological sort up to a logarithm.
 */
export interface Graph {
  /** For each node, the nodes it waits for, in the order written. */
  readonly dependencies: readonly (readonly number[])[];
}

/** An edge that closes a cycle: `nodes[0]` waits for `nodes[1]` … and the last one waits for `nodes[0]` again. */
export interface Cycle {
  nodes: number[];
}

/** For each node, the nodes that wait for it. */
export function dependentsOf(graph: Graph): number[][] {
  const dependents: number[][] = graph.dependencies.map(() => []);
  graph.dependencies.forEach((dependencies, node) => {
    for (const dependency of dependencies) dependents[dependency]?.push(node);
  });
  return dependents;
}

/**
 * Kahn's algorithm; among the nodes that could come next, the one of lowest rank does (default: its number, so ties are
 * decided by place in the file). Nodes on or behind a cycle are missing from the result.
 */
export function topologicalOrder(graph: Graph, rankOf: (node: number) => number = (node) => node): number[] {
  const dependents = dependentsOf(graph);
  const waiting = graph.dependencies.map((dependencies) => dependencies.length);
  const ready = new NodeHeap(rankOf);
  waiting.forEach((count, node) => {
    if (count === 0) ready.push(node);
  });
  const order: number[] = [];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    order.push(node);
    for (const dependent of dependents[node] ?? []) {
      const left = (waiting[dependent] ?? 0) - 1;
      waiting[dependent] = left;
      if (left === 0) ready.push(dependent);
    }
  }
  return order;
}

/**
 * One cycle per closing edge of a depth-first walk in file order that follows dependencies, at most `limit` of them. The edge
 * that closes it is from the last node of `nodes` to the first.
 */
export function findCycles(graph: Graph, limit = 20): Cycle[] {
  const unvisited = 0;
  const open = 1;
  const done = 2;
  const state = new Uint8Array(graph.dependencies.length);
  const cycles: Cycle[] = [];
  const path: { node: number; next: number }[] = [];
  for (let start = 0; start < state.length; start += 1) {
    if (state[start] !== unvisited) continue;
    state[start] = open;
    path.push({ node: start, next: 0 });
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const dependency = graph.dependencies[top.node]?.[top.next];
      top.next += 1;
      if (dependency === undefined) {
        state[top.node] = done;
        path.pop();
      } else if (state[dependency] === unvisited) {
        state[dependency] = open;
        path.push({ node: dependency, next: 0 });
      } else if (state[dependency] === open) {
        const from = path.findIndex((entry) => entry.node === dependency);
        cycles.push({ nodes: path.slice(from).map((entry) => entry.node) });
        if (cycles.length >= limit) return cycles;
      }
    }
  }
  return cycles;
}

/** Every node that the given ones wait for, directly or through others; the given ones only if on a cycle. */
export function findAncestors(graph: Graph, nodes: Iterable<number>): Set<number> {
  return findReachable(graph.dependencies, nodes);
}

/** Every node that waits for one of the given ones, directly or through others. `dependents`: where they are known already. */
export function findDescendants(graph: Graph, nodes: Iterable<number>, dependents = dependentsOf(graph)): Set<number> {
  return findReachable(dependents, nodes);
}

/**
 * For each node the length of the longest path from its start to the end of everything that depends on it, its own duration
 * included: the priority of list scheduling. Durations may be in any unit. Nodes on a cycle get their own duration.
 */
export function longestRemainingPaths(graph: Graph, durations: readonly number[]): number[] {
  const remaining = graph.dependencies.map((_, node) => durations[node] ?? 0);
  const order = topologicalOrder(graph);
  for (let index = order.length - 1; index >= 0; index -= 1) {
    const node = order[index] ?? 0;
    for (const dependency of graph.dependencies[node] ?? []) {
      const through = (remaining[node] ?? 0) + (durations[dependency] ?? 0);
      if (through > (remaining[dependency] ?? 0)) remaining[dependency] = through;
    }
  }
  return remaining;
}

/** The graph of a plan's steps; node n is `steps[n]`. Dependencies on unknown steps are left out. */
export function graphOfSteps(steps: readonly { id: string; dependsOn: readonly { step: string }[] }[]): Graph {
  const nodes = new Map(steps.map((step, node) => [step.id, node]));
  return {
    dependencies: steps.map((step) => {
      const found = step.dependsOn.map((dependency) => nodes.get(dependency.step));
      return [...new Set(found.filter((node) => node !== undefined))];
    }),
  };
}

function findReachable(edges: readonly (readonly number[])[], from: Iterable<number>): Set<number> {
  const reached = new Set<number>();
  const queue = [...from];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of edges[node] ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      queue.push(next);
    }
  }
  return reached;
}

/** A binary min-heap of nodes by rank. */
class NodeHeap {
  readonly #nodes: number[] = [];
  readonly #rankOf: (node: number) => number;

  constructor(rankOf: (node: number) => number) {
    this.#rankOf = rankOf;
  }

  push(node: number): void {
    const nodes = this.#nodes;
    let at = nodes.length;
    nodes.push(node);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    const nodes = this.#nodes;
    const top = nodes[0];
    const last = nodes.pop();
    if (top === undefined || last === undefined || nodes.length === 0) return top;
    nodes[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (let child = 2 * at + 1; child < nodes.length && child <= 2 * at + 2; child += 1) {
        if (this.#isBefore(child, least)) least = child;
      }
      if (least === at) return top;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return this.#rankOf(this.#nodes[a] ?? 0) < this.#rankOf(this.#nodes[b] ?? 0);
  }

  #swap(a: number, b: number): void {
    const nodes = this.#nodes;
    const held = nodes[a] ?? 0;
    nodes[a] = nodes[b] ?? 0;
    nodes[b] = held;
  }
}
