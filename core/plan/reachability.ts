import { type Graph, topologicalOrder } from './graph';

/**
 * Who comes before whom, for many questions about one graph: one bit per pair (12.5 MB for 10,000 nodes), built with one pass
 * over the edges when the first question comes. Nodes on a cycle have no ancestors, and are nobody's.
 */
export class Reachability {
  readonly #graph: Graph;
  readonly #order: readonly number[];
  /** Of each node, its place in the order. */
  readonly #ranks: Int32Array;
  readonly #words: number;
  /** A row per node; in a row, a bit per rank: the highest one is the last of its ancestors. */
  #rows: Uint32Array | undefined;

  /** `order`: the graph's topological order, where it is known already. */
  constructor(graph: Graph, order: readonly number[] = topologicalOrder(graph)) {
    this.#graph = graph;
    this.#order = order;
    this.#ranks = new Int32Array(graph.dependencies.length).fill(-1);
    order.forEach((node, rank) => (this.#ranks[node] = rank));
    this.#words = Math.ceil(graph.dependencies.length / 32);
  }

  /** True when `later` waits for `earlier`, directly or through others. */
  isBefore(earlier: number, later: number): boolean {
    this.#rows ??= this.#build();
    const rank = this.#ranks[earlier] ?? -1;
    return rank >= 0 && (((this.#rows[later * this.#words + (rank >> 5)] ?? 0) >>> (rank & 31)) & 1) === 1;
  }

  isOrdered(a: number, b: number): boolean {
    return this.isBefore(a, b) || this.isBefore(b, a);
  }

  /** Some nodes, to ask `lastBefore` about again and again. */
  setOf(nodes: Iterable<number>): Uint32Array {
    const set = new Uint32Array(this.#words);
    for (const node of nodes) {
      const rank = this.#ranks[node] ?? -1;
      if (rank >= 0) set[rank >> 5] = (set[rank >> 5] ?? 0) | (1 << (rank & 31));
    }
    return set;
  }

  /** Of some nodes, the last in topological order that `later` waits for: a word at a time, however many they are. */
  lastBefore(later: number, among: Uint32Array): number | undefined {
    this.#rows ??= this.#build();
    for (let word = this.#words - 1; word >= 0; word -= 1) {
      const common = (this.#rows[later * this.#words + word] ?? 0) & (among[word] ?? 0);
      if (common !== 0) return this.#order[word * 32 + 31 - Math.clz32(common)];
    }
    return undefined;
  }

  #build(): Uint32Array {
    const words = this.#words;
    const rows = new Uint32Array(this.#graph.dependencies.length * words);
    for (const node of this.#order) {
      const row = node * words;
      for (const dependency of this.#graph.dependencies[node] ?? []) {
        const from = dependency * words;
        for (let word = 0; word < words; word += 1) {
          rows[row + word] = (rows[row + word] ?? 0) | (rows[from + word] ?? 0);
        }
        const rank = this.#ranks[dependency] ?? -1;
        if (rank >= 0) rows[row + (rank >> 5)] = (rows[row + (rank >> 5)] ?? 0) | (1 << (rank & 31));
      }
    }
    return rows;
  }
}
