import { type Graph, topologicalOrder } from './graph';

/**
 * Who comes before whom, for many questions about one graph: one bit per pair (12.5 MB for 10,000 nodes), built with one pass
 * over the edges when the first question comes. Nodes on a cycle have no ancestors.
 */
export class Reachability {
  readonly #graph: Graph;
  readonly #order: readonly number[];
  readonly #words: number;
  #bits: Uint32Array | undefined;

  /** `order`: the graph's topological order, where it is known already. */
  constructor(graph: Graph, order: readonly number[] = topologicalOrder(graph)) {
    this.#graph = graph;
    this.#order = order;
    this.#words = Math.ceil(graph.dependencies.length / 32);
  }

  /** True when `later` waits for `earlier`, directly or through others. */
  isBefore(earlier: number, later: number): boolean {
    this.#bits ??= this.#build();
    return (((this.#bits[later * this.#words + (earlier >> 5)] ?? 0) >>> (earlier & 31)) & 1) === 1;
  }

  isOrdered(a: number, b: number): boolean {
    return this.isBefore(a, b) || this.isBefore(b, a);
  }

  #build(): Uint32Array {
    const words = this.#words;
    const bits = new Uint32Array(this.#graph.dependencies.length * words);
    for (const node of this.#order) {
      const row = node * words;
      for (const dependency of this.#graph.dependencies[node] ?? []) {
        const from = dependency * words;
        for (let word = 0; word < words; word += 1) {
          bits[row + word] = (bits[row + word] ?? 0) | (bits[from + word] ?? 0);
        }
        const at = row + (dependency >> 5);
        bits[at] = (bits[at] ?? 0) | (1 << (dependency & 31));
      }
    }
    return bits;
  }
}
